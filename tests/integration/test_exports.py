"""Exports from event to rows, on a real broker, with real worker processes and the simulated HoldingsIQ."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from service.kafka.topics import EXPORT_ROWS
from service.sandbox.faults import Fault
from service.sandbox.holdingsiq import CsvFile, Plan, customer, holdingsiq_state
from service.systems.export_columns import row_model
from tests.support.published import assert_event_as_published
from tests.support.relay import RunningRelay, export_requested, relay
from tests.support.topic_reading import TopicReader

NEW = {"custId": "apidemo", "type": "KBART2"}
SECONDS = 90.0
DOWNLOADS = "/s3/"


@asynccontextmanager
async def exports(kafka: str, plan: Plan) -> AsyncIterator[tuple[RunningRelay, TopicReader]]:
    """A relay whose customer's exports are planned so, and a reader of the rows."""
    async with relay(kafka) as running, TopicReader(kafka, running.prefix + EXPORT_ROWS) as rows:
        running.sandbox.load({"holdingsiq": holdingsiq_state(apidemo=customer(plan=plan))})
        yield running, rows


def calls(running: RunningRelay, method: str, path: str = "/exports") -> int:
    return sum(entry.method == method and path in entry.path for entry in running.sandbox.ledger.entries())


async def result_of(running: RunningRelay) -> dict[str, Any]:
    """The only operation of the only result."""
    (result,) = await running.results_of(1, SECONDS)
    (operation,) = result["operations"]
    return {**operation, "event": result["event"]}


async def assert_each_row_once(rows: TopicReader, count: int) -> None:
    await rows.read_to_end()
    numbers = [event["data"]["row"] for event in rows.events]
    assert len(numbers) == count
    assert sorted(numbers) == list(range(1, count + 1))
    assert len({event["id"] for event in rows.events}) == count
    assert_event_as_published(rows.records[0])


@pytest.mark.parametrize("mode", ["exactly_once", "at_least_once"])
async def test_an_export_comes_to_rows_and_a_result_and_no_secret_is_told(kafka: str, mode: str) -> None:
    async with exports(kafka, Plan(file=CsvFile(rows=2500, coverages=2, awkward=10, broken={7: "few"}))) as (
        running,
        rows,
    ):
        worker = await running.start_worker(RELAY_DELIVERY=mode, RELAY_LOG__LEVEL="debug")
        traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

        await running.send(export_requested("e1", "apidemo", NEW, tenant="diku", traceparent=traceparent))
        operation = await result_of(running)

        [export_id] = running.sandbox.ledger.entries()[-1].entities
        assert (operation["system"], operation["operation"]) == ("holdingsiq", "export")
        assert (operation["target"], operation["outcome"]) == (export_id, "succeeded")
        assert operation["export"] | {"stated": None} == {
            "rows": 2499, "brokenRows": 1, "stated": None, "agrees": True
        }  # fmt: skip
        assert operation["export"]["stated"]["totalResourceCount"] == "1250"
        assert operation["message"] == "1 row could not be read"
        await assert_each_row_once(rows, 2499)
        model = row_model("KBART2")
        for record, event in zip(rows.records, rows.events, strict=True):
            model.model_validate(event["data"])
            assert record.key == event["data"]["resourceId"].encode()
            assert (event["type"], event["subject"], event["tenant"]) == ("holdings.export.row", "e1", "diku")
            assert event["traceparent"] == traceparent
        assert {entry.call.header("traceparent") for entry in running.sandbox.ledger.entries()} == {traceparent}
        assert await running.stop() == [0], worker.log
        told = worker.log + "".join(str(record.value) for record in running.results.records + rows.records)
        assert "X-Amz" not in told
        assert "sandbox-holdingsiq-key" not in told


async def test_an_export_that_exists_is_fetched(kafka: str) -> None:
    async with exports(kafka, Plan(after_polls=0, file=CsvFile(rows=10))) as (running, rows):
        existing = running.sandbox.systems["holdingsiq"].customer("apidemo").create("STANDARD", "CSV", 1e9)  # type: ignore[attr-defined]
        await running.start_worker()

        await running.send(export_requested("e1", "apidemo", {"custId": "apidemo", "exportId": existing.id}))
        operation = await result_of(running)

        assert (operation["target"], operation["export"]["rows"]) == (existing.id, 10)
        assert calls(running, "POST") == 0
        await assert_each_row_once(rows, 10)
        assert rows.events[0]["data"]["type"] == "STANDARD"


async def test_a_worker_killed_in_the_middle_goes_on_where_it_stopped(kafka: str) -> None:
    count = 6000
    async with exports(kafka, Plan(after_polls=0, file=CsvFile(rows=count))) as (running, rows):
        running.sandbox.faults.add(Fault("slow", path_contains=DOWNLOADS, bytes_per_second=600_000, times=2))
        worker = await running.start_worker(RELAY_EXPORTS__ROWS_PER_COMMIT="200")
        await running.send(export_requested("e1", "apidemo", NEW))
        for enough in (1000, 1500):
            await rows.read_until(lambda reader, enough=enough: len(reader.records) >= enough, SECONDS)  # type: ignore[misc]
            worker.kill()
            await worker.ended()
            assert len(rows.records) < count, "it was killed too late to prove anything"
            await worker.start()

        operation = await result_of(running)

        assert (operation["outcome"], operation["export"]["rows"]) == ("succeeded", count)
        assert calls(running, "POST") == 1
        await assert_each_row_once(rows, count)
        assert await running.stop() == [0], worker.log


async def test_a_lost_answer_to_the_post_makes_no_second_export(kafka: str) -> None:
    async with exports(kafka, Plan(file=CsvFile(rows=5))) as (running, rows):
        running.sandbox.faults.add(Fault("lost", system="holdingsiq", method="POST", drop="after", times=1))
        await running.start_worker()

        await running.send(export_requested("e1", "apidemo", NEW))
        operation = await result_of(running)

        assert operation["outcome"] == "succeeded"
        assert calls(running, "POST") == 1
        await assert_each_row_once(rows, 5)


async def test_a_worker_killed_before_the_answer_to_the_post_takes_up_its_export(kafka: str) -> None:
    async with exports(kafka, Plan(file=CsvFile(rows=5))) as (running, rows):
        running.sandbox.faults.add(Fault("slow", system="holdingsiq", method="POST", stage="after", delay_seconds=30))
        worker = await running.start_worker()
        await running.send(export_requested("e1", "apidemo", NEW))
        async with asyncio.timeout(SECONDS):
            while not any(entry.method == "POST" and entry.applied for entry in running.sandbox.ledger.entries()):  # noqa: ASYNC110 - the ledger has no event
                await asyncio.sleep(0.02)

        worker.kill()
        await worker.ended()
        await worker.start()
        operation = await result_of(running)

        assert operation["outcome"] == "succeeded"
        assert calls(running, "POST") == 1
        await assert_each_row_once(rows, 5)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("expired", path_contains=DOWNLOADS, status=403, body="<Error><Code>AccessDenied</Code></Error>", times=2),
        Fault("cut", path_contains=DOWNLOADS, cut_after_bytes=300_000, times=2),
        Fault("busy", path_contains=DOWNLOADS, status=503, times=1),
        Fault("conflict", system="holdingsiq", method="POST", status=409, times=1),
    ],
    ids=lambda fault: fault.name,
)
async def test_what_stumbles_is_overcome_and_no_row_is_lost_or_doubled(kafka: str, fault: Fault) -> None:
    async with exports(kafka, Plan(after_polls=0, file=CsvFile(rows=2000))) as (running, rows):
        running.sandbox.faults.add(fault)
        worker = await running.start_worker(RELAY_EXPORTS__ROWS_PER_COMMIT="100")

        await running.send(export_requested("e1", "apidemo", NEW))
        operation = await result_of(running)

        assert (operation["outcome"], operation["export"]["rows"]) == ("succeeded", 2000), worker.log
        await assert_each_row_once(rows, 2000)


async def test_a_spent_quota_holds_up_its_customer_and_nobody_else(kafka: str) -> None:
    async with exports(kafka, Plan(after_polls=0, file=CsvFile(rows=3))) as (running, _):
        spent = customer(plan=Plan(after_polls=0), quota_limit=1, quota_used=1)
        running.sandbox.load({"holdingsiq": holdingsiq_state(spent=spent)})
        worker = await running.start_worker()

        await running.send(export_requested("e1", "spent", {"custId": "spent", "type": "COST"}))
        await worker.says("circuit.opened")
        await running.send(export_requested("e2", "spent", NEW))
        operation = await result_of(running)

        assert (operation["event"]["id"], operation["outcome"]) == ("e2", "succeeded")
        assert '"reason": "quota"' in worker.log
        assert await running.stop() == [0], worker.log
        assert not running.dead_letters.records


async def test_an_export_that_fails_is_dead_lettered_with_its_status_and_its_id(kafka: str) -> None:
    async with exports(kafka, Plan(ends="FAILED")) as (running, _):
        await running.start_worker()

        await running.send(export_requested("e1", "apidemo", NEW))
        operation = await result_of(running)
        await running.dead_letters.read_until(lambda reader: len(reader.records) == 1, SECONDS)

        assert (operation["outcome"], operation["code"]) == ("failed", "refused")
        assert operation["message"] == "the export ended with status FAILED"
        [export_id] = running.sandbox.ledger.entries()[-1].entities
        assert operation["target"] == export_id
