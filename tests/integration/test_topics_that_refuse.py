"""Topics that do not take what the relay has to say: too small for it, deleted under way, made anew."""

from __future__ import annotations

from typing import Any

import pytest

from service.kafka.topics import CHANGES, DEAD_LETTERS, RESULTS
from service.sandbox.eholdings.seeds import eholdings_state, resource
from tests.support.relay import RunningRelay, by_event, changed, relay
from tests.support.topic_changing import topic_operator
from tests.support.topic_reading import TopicReader, event_ids

MODES = ("exactly_once", "at_least_once")
KEY = "one-partition"
RESOURCES = [f"22-1-{number}" for number in range(11, 21)]


def update(resource_id: str, statement: str) -> dict[str, Any]:
    attributes = {"coverageStatement": statement}
    return {"eholdings": {"action": "update", "resourceId": resource_id, "attributes": attributes}}


def with_resources(running: RunningRelay) -> RunningRelay:
    running.sandbox.load({"eholdings": eholdings_state(*(resource(i) for i in RESOURCES))})
    return running


@pytest.mark.parametrize("mode", MODES)
async def test_a_dead_letter_too_large_for_its_topic_holds_up_nothing_and_is_stored_once_there_is_room(
    kafka: str, mode: str
) -> None:
    async with relay(kafka) as running, topic_operator(kafka) as operator:
        with_resources(running)
        letters = running.prefix + DEAD_LETTERS
        await operator.limit(letters, 20_000)
        worker = await running.start_worker(RELAY_DELIVERY=mode)
        await running.send(changed("too large", KEY, {"eholdings": {"action": "x" * 50_000}}))
        await worker.says("record.held")

        for number, resource_id in enumerate(RESOURCES):
            await running.send(changed(f"e{number}", KEY, update(resource_id, "1")))
        results = by_event(await running.results_of(len(RESOURCES)))
        assert results.keys() == {f"e{number}" for number in range(len(RESOURCES))}

        await operator.limit(letters, 1_000_000)
        assert "too large" in by_event(await running.results_of(len(RESOURCES) + 1))
        await running.dead_letters.read_until(lambda reader: len(reader.records) == 1, 10)
        assert await running.stop() == [0], worker.log


@pytest.mark.parametrize("mode", MODES)
async def test_a_topic_of_results_that_is_deleted_and_made_anew_gets_every_result_that_it_has_not_had(
    kafka: str, mode: str
) -> None:
    async with relay(kafka) as running, topic_operator(kafka) as operator:
        with_resources(running)
        worker = await running.start_worker(RELAY_DELIVERY=mode)
        await worker.says("partition.taken")
        await operator.delete(running.prefix + RESULTS)
        await running.send(*(changed(f"e{n}", KEY, update(i, "1")) for n, i in enumerate(RESOURCES)))
        await worker.says("record.held")

        await operator.create(running.prefix + RESULTS, 6)
        async with TopicReader(kafka, running.prefix + RESULTS) as anew:  # the reader from before knows the old topic
            await anew.read_until(lambda reader: len(set(event_ids(reader))) == len(RESOURCES), 60)

        assert set(event_ids(anew)) == {f"e{number}" for number in range(len(RESOURCES))}
        assert len(event_ids(anew)) == len(RESOURCES)
        assert await running.stop() == [0], worker.log


@pytest.mark.parametrize(
    ("mode", "count"),
    [
        pytest.param("exactly_once", len(RESOURCES) - 5, id="a shorter log than before"),
        pytest.param("exactly_once", len(RESOURCES), id="a log as long as before"),
        pytest.param("at_least_once", len(RESOURCES) + 5, id="a longer log than before"),
    ],
)
async def test_events_of_an_input_topic_that_was_deleted_and_made_anew_are_all_carried_out(
    kafka: str, mode: str, count: int
) -> None:
    """The worker sleeps meanwhile, so that it finds the new log with all the events in it."""
    new = [f"new {number}" for number in range(count)]
    async with relay(kafka) as running, topic_operator(kafka) as operator:
        with_resources(running)
        worker = await running.start_worker(RELAY_DELIVERY=mode)
        await running.send(*(changed(f"old {n}", KEY, update(i, "1")) for n, i in enumerate(RESOURCES)))
        await running.results_of(len(RESOURCES))

        worker.suspend()
        await operator.delete(running.prefix + CHANGES)
        await operator.create(running.prefix + CHANGES, 6)
        await running.send(
            *(changed(event, KEY, update(RESOURCES[n % len(RESOURCES)], str(n))) for n, event in enumerate(new))
        )
        worker.wake()
        await running.results.read_until(lambda reader: set(event_ids(reader)) >= set(new), 60)

        results = event_ids(running.results)
        assert [event for event in new[: len(RESOURCES)] if results.count(event) != 1] == []
        assert await running.stop() == [0], worker.log
