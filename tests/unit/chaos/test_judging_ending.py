"""The judge of the end: the systems hold what was asked for last, and what was called done was done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders.evidence import an_event, flawless, is_update
from tests.chaos.judging import judge


@pytest.mark.parametrize("system", ["eholdings", "inventory", "holdings-sources"])
def test_an_entity_that_does_not_hold_what_was_asked_for_last_is_a_fault(system: str) -> None:
    evidence = flawless()
    entity = next(entity for entity in evidence.state if entity.startswith(system))

    faults = judge(replace(evidence, state={**evidence.state, entity: "another"}), once=True)

    assert faults == [f"{entity} ended with another in place of {evidence.state[entity]}"]


def test_an_entity_that_is_not_there_is_a_fault() -> None:
    evidence = flawless()
    entity = next(entity for entity in evidence.state if entity.startswith("inventory"))
    state = {name: value for name, value in evidence.state.items() if name != entity}

    faults = judge(replace(evidence, state=state), once=True)

    assert faults == [f"{entity} ended with absent in place of {evidence.state[entity]}"]


def test_an_item_that_did_not_end_where_it_was_sent_is_a_fault() -> None:
    evidence = flawless()
    thing = next(iter(evidence.moved_to))
    places = {name: place for name, place in evidence.moved_to.items() if name != thing}

    faults = judge(replace(evidence, moved_to=places), once=True)

    assert faults == [f"{thing[1]} ended at no place in place of {'/'.join(evidence.moved_to[thing])}"]


def test_an_event_that_was_called_done_and_never_carried_out_is_a_fault() -> None:
    """The next event of the entity hides it at the end, and the look-up that was made keeps the order."""
    evidence = flawless()
    event = an_event(evidence, is_update)
    calls = [replace(c, method="GET") if event.index in c.events else c for c in evidence.calls]

    faults = judge(replace(evidence, calls=calls), once=True)

    assert len(faults) == 1
    assert "was never carried out in eholdings" in faults[0]
