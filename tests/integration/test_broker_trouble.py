"""Kafka goes away under a working relay, and comes back."""

from __future__ import annotations

import asyncio
import resource as limits
from typing import Any

import pytest

from service.sandbox.broker import LocalBroker
from service.sandbox.eholdings.seeds import eholdings_state, resource
from tests.plugins.brokers import StartBroker
from tests.support.relay import by_event, changed, relay
from tests.support.topic_reading import event_ids

IDS = [f"22-1-{number}" for number in range(11, 51)]
OUTAGE_SECONDS = 3.0


def update(statement: str, resource_id: str) -> dict[str, Any]:
    attributes = {"coverageStatement": statement}
    return {"eholdings": {"action": "update", "resourceId": resource_id, "attributes": attributes}}


@pytest.mark.parametrize("crash", [True, False], ids=["killed", "stopped in good order"])
@pytest.mark.parametrize("mode", ["exactly_once", "at_least_once"])
async def test_a_broker_that_goes_away_and_comes_back_costs_no_event_and_no_second_result(
    local_broker: StartBroker, mode: str, *, crash: bool
) -> None:
    broker = await local_broker()
    async with relay(broker.bootstrap_servers, {"eholdings": 0.05}) as running:
        running.sandbox.load({"eholdings": eholdings_state(*(resource(i) for i in IDS))})
        worker = await running.start_worker(RELAY_DELIVERY=mode, RELAY_CONCURRENCY="4")
        events = [changed(f"{i}#{n}", i, update(str(n), i)) for n in range(1, 6) for i in IDS]
        await running.send(*events)
        await running.results_of(len(events) // 4)

        if crash:
            broker.kill()
        else:
            await broker.halt()
        await asyncio.sleep(OUTAGE_SECONDS)
        await broker.restart()
        results = await running.results_of(len(events), seconds=90)

        ids = {result["event"]["id"] for result in results}
        if mode == "exactly_once":
            assert by_event(results).keys() == {f"{i}#{n}" for n in range(1, 6) for i in IDS}
        else:
            await running.results_for(len(events))
        assert {result["outcome"] for result in results} <= {"succeeded", "unchanged"}, ids
        assert await running.stop() == [0], worker.log


@pytest.mark.parametrize("mode", ["exactly_once", "at_least_once"])
async def test_a_broker_whose_disk_is_full_costs_no_event_once_there_is_room_again(
    local_broker: StartBroker, mode: str
) -> None:
    broker = await local_broker()
    async with relay(broker.bootstrap_servers, {"eholdings": 0.05}) as running:
        running.sandbox.load({"eholdings": eholdings_state(*(resource(i) for i in IDS))})
        worker = await running.start_worker(RELAY_DELIVERY=mode, RELAY_CONCURRENCY="4")
        events = [changed(f"{i}#{n}", i, update(str(n), i)) for n in range(1, 4) for i in IDS]
        await running.send(*events)
        await running.results_of(len(events) // 4)

        await fill_disk(broker)
        await broker.restart()  # the new process may write again
        await running.results_for(len(events), seconds=90)

        if mode == "exactly_once":
            await running.results.read_to_end()
            assert len(event_ids(running.results)) == len(events)
        assert await running.stop() == [0], worker.log


async def fill_disk(broker: LocalBroker) -> None:
    """Every write of the broker's fails from now on, as on a full disk. It ends itself when it finds out."""
    process_id = broker.process_id
    assert process_id is not None
    _, hard = limits.prlimit(process_id, limits.RLIMIT_FSIZE)
    limits.prlimit(process_id, limits.RLIMIT_FSIZE, (1, hard))
    async with asyncio.timeout(60):
        while broker.process_id is not None:  # noqa: ASYNC110 - another process ends
            await asyncio.sleep(0.1)
