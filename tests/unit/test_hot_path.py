"""What one event costs, counted and not timed. `make hot-path` prints the figures.

A bound that is broken says that every event has become dearer: mend that, or raise the bound and say why. One that lies
far above its figure watches nothing, and is to be lowered.
"""

from __future__ import annotations

import pytest

from tests.support.hot_path import (
    ATTEMPTS,
    ENTITIES,
    EVENTS,
    REPEATS,
    calls_of_attempt,
    calls_of_worker,
    collections_of,
    collector_set_up,
    cost_of,
)

CALLS = {
    "eholdings, remove": 150,
    "eholdings, update": 215,
    "inventory, upsert": 255,
    "transfer of one item": 188,
}
PEAK_BYTES = {
    "eholdings, remove": 10_700,
    "eholdings, update": 22_000,
    "inventory, upsert": 43_000,
    "transfer of one item": 16_500,
}
KEPT_BYTES = 400
"""The growth of tables and the like. Nothing of the event itself, which is thousands."""
ATTEMPT_CALLS = {"eholdings, remove": 60, "eholdings, update": 420}
WORKER_CALLS = [(None, 1, 198), (ENTITIES, 1, 202), (ENTITIES, REPEATS, 135)]
NEAR = 0.7


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_costs_no_more_calls_and_memory_than_it_did(name: str) -> None:
    cost = cost_of(EVENTS[name])

    assert NEAR * CALLS[name] < cost.calls <= CALLS[name]
    assert NEAR * PEAK_BYTES[name] < cost.peak_bytes <= PEAK_BYTES[name]
    assert cost.kept_bytes <= KEPT_BYTES


@pytest.mark.parametrize("name", ATTEMPTS)
def test_an_attempt_spends_no_more_calls_than_it_did(name: str) -> None:
    assert NEAR * ATTEMPT_CALLS[name] < calls_of_attempt(name) <= ATTEMPT_CALLS[name]


@pytest.mark.parametrize(("entities", "updates_together", "bound"), WORKER_CALLS)
def test_a_whole_worker_spends_no_more_calls_on_an_event_than_it_did(
    entities: int | None, updates_together: int, bound: int
) -> None:
    assert NEAR * bound < calls_of_worker(entities, updates_together) <= bound


def test_a_worker_spares_itself_nearly_all_collections_of_garbage_that_is_not_there() -> None:
    before = collections_of(500, 2_000)
    with collector_set_up():
        after = collections_of(500, 2_000)

    assert sum(after) * 5 <= sum(before)
