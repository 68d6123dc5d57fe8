"""At the end the systems hold what the last event of each entity asked for, and whatever was called done was
done."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.entities import ABSENT
from tests.chaos.evidence import Evidence
from tests.chaos.judging.records import name_of


def faults_of_ending(evidence: Evidence) -> Iterator[str]:
    in_order = sorted(evidence.placed, key=lambda placed: placed.event.index)
    expected: dict[str, str] = {}
    places = dict(evidence.moved_from)
    for placed in in_order:
        expected |= placed.event.leaves
        for move in placed.event.moves:
            if not move.refused:
                places[move.operation, move.moved] = move.destination
    for entity, value in expected.items():
        if (found := evidence.state.get(entity, ABSENT)) != value:
            yield f"{entity} ended with {found} in place of {value}"
    for thing, place in places.items():
        if (there := evidence.moved_to.get(thing)) != place:
            yield f"{thing[1]} ended at {'/'.join(there or ('no place',))} in place of {'/'.join(place)}"
    yield from _never_carried_out(evidence)


def _never_carried_out(evidence: Evidence) -> Iterator[str]:
    """What the next event of an entity overwrites is not seen at the end; the calls show it."""
    carried_out = {(index, c.system) for c in evidence.calls if c.applied and c.writes for index in c.events}
    for placed in evidence.placed:
        systems = {entity.partition(":")[0] for entity in placed.event.leaves}
        for system in sorted(systems):
            if not placed.event.again and (placed.event.index, system) not in carried_out:
                yield f"{name_of(placed)} was never carried out in {system}"
