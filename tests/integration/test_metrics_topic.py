"""`holdings.metrics` of real workers on a real broker."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import orjson

from service.domain.published.worker_metrics import WorkerMetrics
from service.kafka.topics import METRICS
from service.sandbox.eholdings.seeds import eholdings_state, resource
from service.sandbox.faults import Fault
from tests.support.published import assert_event_as_published
from tests.support.relay import RunningRelay, changed, relay
from tests.support.topic_changing import topic_operator
from tests.support.topic_reading import TopicReader

RESOURCE = "22-1-2"
EVERY_HALF_SECOND = {"RELAY_METRICS__INTERVAL_SECONDS": "0.5"}


def update(resource_id: str) -> dict[str, Any]:
    attributes = {"coverageStatement": "since 1998"}
    return {"eholdings": {"action": "update", "resourceId": resource_id, "attributes": attributes}}


def metrics_reader(kafka: str, running: RunningRelay) -> TopicReader:
    return TopicReader(kafka, running.prefix + METRICS)


def told_by(reader: TopicReader) -> list[WorkerMetrics]:
    return [WorkerMetrics.model_validate_json(_data(record.value)) for record in reader.records]


def _data(value: bytes) -> bytes:
    return orjson.dumps(orjson.loads(value)["data"])


def is_done(told: WorkerMetrics) -> bool:
    """Whether both events are settled, and known to leave nothing behind."""
    return sum(event.total for event in told.events) == 2 and {lag.lag for lag in told.lag} == {0}


async def test_a_worker_tells_what_it_has_done_as_long_as_it_runs_and_once_more_when_it_stops(kafka: str) -> None:
    async with relay(kafka) as running, metrics_reader(kafka, running) as reader:
        running.sandbox.load({"eholdings": eholdings_state(resource(RESOURCE))})
        running.sandbox.faults.add(Fault("once", system="eholdings", status=503, times=1))
        await running.start_worker(**EVERY_HALF_SECOND)
        await running.send(changed("e1", RESOURCE, update(RESOURCE)), changed("e2", "k", update("22-1-404")))
        await running.results_of(2)
        await reader.read_until(lambda _: any(is_done(told) for told in told_by(reader)), 30)
        assert await running.stop() == [0]
        await reader.read_until(lambda _: told_by(reader)[-1].final, 30)

    for record in reader.records:
        assert_event_as_published(record)
    told = told_by(reader)
    last = told[-1]
    assert {(event.outcome, event.total) for event in last.events} == {("succeeded", 1), ("failed", 1)}
    assert [(letter.code, letter.total) for letter in last.dead_letters] == [("refused", 1)]
    assert [(retry.system, retry.total) for retry in last.retries] == [("eholdings", 1)]
    calls = {(call.operation, call.status): call.total for call in last.calls if call.system == "eholdings"}
    assert calls == {("get", 503): 1, ("get", 200): 1, ("get", 404): 1, ("put", 200): 1}
    assert [(circuit.system, circuit.tenant, circuit.state) for circuit in last.circuits] == [
        ("eholdings", "diku", "closed")
    ]
    assert sum(event.count for one in told for event in one.events) == 2
    for before, after in pairwise(told):
        assert after.since == before.until


async def test_each_event_is_a_cloudevent_under_the_key_of_its_worker(kafka: str) -> None:
    async with relay(kafka) as running, metrics_reader(kafka, running) as reader:
        for _ in range(2):
            await running.start_worker(**EVERY_HALF_SECOND)
        await reader.read_until(lambda _: len({record.key for record in reader.records}) == 2, 60)

    assert len({event["id"] for event in reader.events}) == len(reader.events)
    for record, event in zip(reader.records, reader.events, strict=True):
        assert record.key.decode() == event["data"]["worker"]
        assert (event["specversion"], event["type"]) == ("1.0", "holdings.metrics")
        assert event["source"] == f"/holdings-relay/{running.prefix}relay"
        assert_event_as_published(record)


async def test_a_worker_without_the_topic_goes_on_and_says_so_once(kafka: str) -> None:
    async with relay(kafka) as running, topic_operator(kafka) as operator:
        running.sandbox.load({"eholdings": eholdings_state(resource(RESOURCE))})
        await operator.delete(running.prefix + METRICS)
        worker = await running.start_worker(**EVERY_HALF_SECOND)
        await worker.says("metrics.not_published")

        await running.send(changed("e1", RESOURCE, update(RESOURCE)))
        (result,) = await running.results_of(1)
        exit_codes = await running.stop()

        assert (result["outcome"], exit_codes) == ("succeeded", [0])
        assert worker.log.count("metrics.not_published") == 1
