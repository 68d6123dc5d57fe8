"""Every event has one result, the right one; and one dead letter exactly when that says `failed` or `partial`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from tests.chaos.events import Fate
from tests.chaos.evidence import Evidence, Letter, Place, Placed, Result

OUTCOMES = {
    Fate.DONE: ("succeeded", "unchanged"),
    Fate.PARTIAL: ("partial",),
    Fate.REFUSED: ("failed",),
    Fate.REJECTED: ("failed",),
}
"""`unchanged` too where all is done: by a call whose worker died before it could tell."""


def faults_of_records(evidence: Evidence, *, once: bool) -> Iterator[str]:
    results: dict[Place, list[Result]] = defaultdict(list)
    letters: dict[Place, list[Letter]] = defaultdict(list)
    for result in evidence.results:
        results[result.place].append(result)
    for letter in evidence.letters:
        letters[letter.place].append(letter)
    for placed in evidence.placed:
        yield from _faults_of_results(placed, results.pop(placed.place, []), letters[placed.place], once=once)
        yield from _faults_of_letters(placed, letters.pop(placed.place), once=once)
    yield from (f"a result tells of {place}, where no event was sent" for place in results)
    yield from (f"a dead letter tells of {place}, where no event was sent" for place in letters)


def _faults_of_results(
    placed: Placed, results: Sequence[Result], letters: Sequence[Letter], *, once: bool
) -> Iterator[str]:
    name, event = name_of(placed), placed.event
    if not results:
        yield f"{name} has no result"
    if once and len(results) > 1:
        yield f"{name} has {len(results)} results"
    for result in results:
        if result.event_id != event.id:
            yield f"{name} has a result that calls it {result.event_id}"
        if result.outcome not in OUTCOMES[event.fate] or result.code != event.code:
            told = f"{result.outcome} ({result.code}: {result.message})" if result.code else result.outcome
            yield f"{name} should have been {event.fate}, and its result says {told}"
    if letters and not any(result.outcome in ("failed", "partial") for result in results):
        yield f"{name} has a dead letter, and no result that says failed or partial"
    if not letters and any(result.outcome in ("failed", "partial") for result in results):
        yield f"{name} failed, and has no dead letter"


def _faults_of_letters(placed: Placed, letters: Sequence[Letter], *, once: bool) -> Iterator[str]:
    name, sent = name_of(placed), placed.event.outgoing
    if once and len(letters) > 1:
        yield f"{name} has {len(letters)} dead letters"
    if any((letter.key, letter.value) != (sent.key, sent.value) for letter in letters):
        yield f"{name} has a dead letter that is not what was sent, byte for byte"


def name_of(placed: Placed) -> str:
    """What a fault calls an event."""
    return f"event {placed.event.index} ({placed.place})"
