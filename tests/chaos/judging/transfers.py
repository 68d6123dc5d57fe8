"""Every transfer is applied once, and told of truly.

Which call moved what is found by going through the calls that SCSB carried out, in their order: an entry moves
something exactly when that is at the entry's source. At the end things must be where SCSB says they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.chaos.events import Move
from tests.chaos.evidence import Evidence, Place, Placed, Result
from tests.chaos.judging.records import name_of

ENTRIES = (("transfer-holdings", "holdingTransfers"), ("transfer-item", "itemTransfers"))


def faults_of_transfers(evidence: Evidence) -> Iterator[str]:
    places = dict(evidence.moved_from)
    applied: Counter[tuple[int, str, str]] = Counter()
    for call in sorted(evidence.calls, key=lambda made: made.began_at):
        if call.system == "scsb" and call.applied:
            for operation, moved, source, destination in _entries(call.body):
                if places.get((operation, moved)) == source:
                    places[operation, moved] = destination
                    applied.update((index, operation, moved) for index in call.events)
    results: dict[Place, list[Result]] = {}
    for result in evidence.results:
        results.setdefault(result.place, []).append(result)
    for placed in evidence.placed:
        for move in placed.event.moves:
            times = applied[placed.event.index, move.operation, move.moved]
            yield from _faults_of_move(placed, move, times, results.get(placed.place, []))
    for thing, place in evidence.moved_to.items():
        if places.get(thing) != place:
            yield f"{thing[1]} is at {'/'.join(place)}, which no call accounts for"


def _faults_of_move(placed: Placed, move: Move, times: int, results: list[Result]) -> Iterator[str]:
    name = f"{name_of(placed)}, {move.operation} {move.target},"
    expected = 0 if move.refused else 1
    if times != expected:
        yield f"{name} was applied {times} times in place of {expected}"
    for result in results:
        outcomes = [o.outcome for o in result.operations if (o.operation, o.target) == (move.operation, move.target)]
        truly = "succeeded" if times else "failed"
        if outcomes != [truly]:
            yield f"{name} should be told of as {truly}, and the result says {', '.join(outcomes) or 'nothing'}"


def _entries(body: Any) -> Iterator[tuple[str, str, tuple[str, str], tuple[str, str]]]:
    """Operation, what moves, source and destination, in the order in which SCSB carries them out."""
    for operation, name in ENTRIES:
        for entry in body.get(name, ()):
            source, destination = entry["source"], entry["destination"]
            moved = source.get("owningInstitutionItemId", source["owningInstitutionHoldingsId"])
            yield operation, moved, _place(source), _place(destination)


def _place(side: dict[str, str]) -> tuple[str, str]:
    return side["owningInstitutionBibId"], side["owningInstitutionHoldingsId"]
