"""Each row of an export is there once, its result counts them, and the export was asked for once.

An export of the same customer and type that an earlier event has made a few minutes before may be taken up in place of
one of its own, when the answer to the POST was lost: that is what the relay says of itself.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

from tests.chaos.events import Fate
from tests.chaos.evidence import Call, Evidence, Place, Placed, Result, Row
from tests.chaos.judging.order import ARRIVAL_SECONDS
from tests.chaos.judging.records import name_of

TAKEN_UP_SECONDS = 400.0
"""No older than this is an export that may be taken for one's own: five minutes before the event was begun."""


def faults_of_exports(evidence: Evidence, *, once: bool) -> Iterator[str]:
    rows: dict[Place, list[Row]] = defaultdict(list)
    results: dict[Place, list[Result]] = defaultdict(list)
    for row in evidence.rows:
        rows[row.place].append(row)
    for result in evidence.results:
        results[result.place].append(result)
    calls = _calls_by_event(evidence)
    posted: dict[str, float] = {}
    for placed in evidence.placed:
        found = rows.pop(placed.place, [])
        if placed.event.rows is None or placed.event.fate is not Fate.DONE:
            if found:
                yield f"{name_of(placed)} has {len(found)} rows, and asks for none"
            continue
        yield from _faults_of_rows(placed, placed.event.rows, found, results[placed.place], once=once)
        yield from _faults_of_posts(placed, calls[placed.event.index], posted, evidence)
    yield from (f"rows tell of {place}, where no event was sent" for place in rows)


def _faults_of_rows(
    placed: Placed, expected: int, rows: Sequence[Row], results: Sequence[Result], *, once: bool
) -> Iterator[str]:
    name, numbers = name_of(placed), [row.number for row in rows]
    if missing := set(range(1, expected + 1)) - set(numbers):
        yield f"{name} lacks {len(missing)} of its {expected} rows, among them row {min(missing)}"
    if surplus := set(numbers) - set(range(1, expected + 1)):
        yield f"{name} has a row {max(surplus)}, and there are {expected}"
    if once and len(numbers) > len(set(numbers)):
        yield f"{name} has {len(numbers) - len(set(numbers))} rows more than once"
    if wrong := [row for row in rows if row.told != row.number]:
        yield f"{name} has a row {wrong[0].number} that is row {wrong[0].told} of its file"
    if len({row.export_id for row in rows}) > 1:
        yield f"{name} has rows of more than one export"
    for result in results:
        told = [operation.rows for operation in result.operations]
        if told != [expected]:
            yield f"{name} has {expected} rows, and its result counts {told}"


def _faults_of_posts(
    placed: Placed, calls: Sequence[Call], posted: dict[str, float], evidence: Evidence
) -> Iterator[str]:
    """`posted` says when an export was last made for an entity by an event before."""
    (entity,) = placed.event.entities
    posts = [call for call in calls if call.method == "POST" and call.applied]
    for number, post in enumerate(posts):
        if any(not _could_not_be_found(earlier, post, calls, evidence) for earlier in posts[:number]):
            yield f"{name_of(placed)} was asked for again, although its export was there"
    if not posts and calls and posted.get(entity, -math.inf) < calls[0].began_at - TAKEN_UP_SECONDS:
        yield f"{name_of(placed)} was never asked for"
    if posts:
        posted[entity] = posts[-1].began_at


def _could_not_be_found(earlier: Call, later: Call, calls: Sequence[Call], evidence: Evidence) -> bool:
    """Whether another life had looked into the list when the earlier POST, of one that was struck, had not arrived."""
    return bool(evidence.lives[earlier.life].blows) and any(
        look.path.endswith("/exports")
        and look.method == "GET"
        and look.life != earlier.life
        and look.began_at <= min(earlier.began_at + ARRIVAL_SECONDS, later.began_at)
        for look in calls
    )


def _calls_by_event(evidence: Evidence) -> dict[int, list[Call]]:
    calls: dict[int, list[Call]] = defaultdict(list)
    for call in sorted(evidence.calls, key=lambda made: made.began_at):
        if call.system == "holdingsiq":
            for index in call.events:
                calls[index].append(call)
    return calls
