"""Real worker processes on a real broker: what is promised of results, in both delivery modes."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from service.engine.ports import Outgoing
from service.kafka.topics import CHANGES
from service.sandbox.eholdings.seeds import eholdings_state, resource
from service.sandbox.faults import Fault
from service.sandbox.scsb.seeds import bib, holdings, institution, item, scsb_state
from tests.chaos.crash import crash
from tests.support.relay import STRUCTURED, RunningRelay, by_event, changed, relay, transfer_requested

MODES = ("exactly_once", "at_least_once")
RESOURCE = "22-1887786-1440285"


def update(statement: str, resource_id: str = RESOURCE) -> dict[str, Any]:
    return {
        "eholdings": {
            "action": "update",
            "resourceId": resource_id,
            "attributes": {"coverageStatement": statement},
        }
    }


def move_item(item_id: str) -> dict[str, Any]:
    ids = {"owningInstitutionItemId": item_id}
    source = {"owningInstitutionBibId": "b1", "owningInstitutionHoldingsId": "h1", **ids}
    destination = {"owningInstitutionBibId": "b2", "owningInstitutionHoldingsId": "h2", **ids}
    return {"institution": "PUL", "itemTransfers": [{"source": source, "destination": destination}]}


def two_items_in_one_bib() -> dict[str, Any]:
    return scsb_state(PUL=institution(bib("b1", holdings("h1", item("i1"), item("i2")))))


async def call_has_arrived(running: RunningRelay, system: str, method: str) -> None:
    """Blocks until the sandbox has a call in its ledger that is not answered yet."""
    async with asyncio.timeout(30):
        while not any(e.system == system and e.method == method and e.applied for e in running.sandbox.ledger):  # noqa: ASYNC110 - the ledger has no event
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("mode", MODES)
async def test_an_event_is_carried_out_and_its_result_published_under_the_key_of_the_record_in(
    kafka: str, mode: str
) -> None:
    async with relay(kafka) as running:
        running.sandbox.load({"eholdings": eholdings_state(resource(RESOURCE))})
        worker = await running.start_worker(RELAY_DELIVERY=mode)

        await running.send(changed("e1", RESOURCE, update("since 1998")))
        (result,) = await running.results_of(1)

        assert result["outcome"] == "succeeded"
        assert running.results.records[0].key == RESOURCE.encode()
        assert await running.stop() == [0], worker.log


@pytest.mark.parametrize("mode", MODES)
async def test_two_workers_one_killed_twice_lose_nothing_and_keep_the_order(kafka: str, mode: str) -> None:
    report = await crash(kafka, events=300, entities=30, kills=2, delivery=mode)

    assert not report.faults, "\n".join(report.lines())
    assert report.with_result == 300


async def test_a_worker_suspended_beyond_its_session_does_nothing_for_what_it_has_lost(kafka: str) -> None:
    report = await crash(kafka, events=300, entities=30, kills=0, suspensions=1)

    assert not report.faults, "\n".join(report.lines())
    assert report.with_result == 300


async def test_a_worker_that_was_suspended_between_two_calls_of_an_event_does_not_make_the_second(kafka: str) -> None:
    async with relay(kafka) as running:
        running.sandbox.load({"eholdings": eholdings_state(resource(RESOURCE))})
        slow = Fault("slow answer", system="eholdings", method="GET", stage="after", delay_seconds=2, times=1)
        running.sandbox.faults.add(slow)
        alone = {"RELAY_LIMITS__UPDATES_TOGETHER": "1"}  # so that each event has a PUT of its own, to be told apart
        first = await running.start_worker(**alone)
        await running.send(changed("e1", RESOURCE, update("since 1998")))
        await call_has_arrived(running, "eholdings", "GET")

        first.suspend()
        second = await running.start_worker(**alone)
        await running.send(changed("e2", RESOURCE, update("since 1999")))
        await running.results_of(2)
        first.listen()
        first.wake()
        await first.says("partition.taken")

        puts = [entry.body for entry in running.sandbox.ledger if entry.system == "eholdings" and entry.method == "PUT"]
        statements = [put["data"]["attributes"]["coverageStatement"] for put in puts]  # type: ignore[index, call-overload]
        assert statements == ["since 1998", "since 1999"]
        assert await running.stop() == [0, 0], second.log


async def test_a_transfer_applied_before_a_kill_is_reported_as_succeeded_and_not_applied_again(kafka: str) -> None:
    async with relay(kafka) as running:
        running.sandbox.load({"scsb": two_items_in_one_bib()})
        running.sandbox.faults.add(Fault("slow answer", system="scsb", stage="after", delay_seconds=30, times=1))
        worker = await running.start_worker()
        await running.send(transfer_requested("t1", "b1", move_item("i1")))
        await call_has_arrived(running, "scsb", "POST")

        worker.kill()
        await worker.ended()
        await worker.start()
        (result,) = await running.results_of(1)

        assert result["outcome"] == "succeeded"
        assert [operation["target"] for operation in result["operations"]] == ["b1/h1/i1"]
        assert await running.stop() == [0]
        assert not running.dead_letters.records


async def test_a_transfer_from_a_wrong_place_is_refused(kafka: str) -> None:
    async with relay(kafka) as running:
        running.sandbox.load({"scsb": two_items_in_one_bib()})
        await running.start_worker()

        await running.send(transfer_requested("t1", "b1", move_item("never-there")))
        (result,) = await running.results_of(1)

        assert (result["outcome"], result["code"]) == ("failed", "refused")
        await running.dead_letters.read_until(lambda reader: len(reader.records) == 1, 10)
        headers = dict(running.dead_letters.records[0].headers)
        assert headers["relay-code"] == b"refused"
        assert headers["relay-message"] == result["message"].encode()


async def test_a_kill_between_the_call_and_the_commit_leaves_one_result(kafka: str) -> None:
    async with relay(kafka) as running:
        running.sandbox.load({"eholdings": eholdings_state(resource(RESOURCE))})
        running.sandbox.faults.add(
            Fault("slow answer", system="eholdings", method="PUT", stage="after", delay_seconds=30, times=1)
        )
        worker = await running.start_worker()
        await running.send(changed("e1", RESOURCE, update("since 1998")))
        await call_has_arrived(running, "eholdings", "PUT")

        worker.kill()
        await worker.ended()
        await worker.start()
        await running.send(changed("e2", RESOURCE, update("since 1999")))
        results = by_event(await running.results_of(2))

        assert results["e1"]["outcome"] == "unchanged", "it had been applied, and the state read says so"
        assert results["e2"]["outcome"] == "succeeded"
        assert await running.stop() == [0]
        await running.results.read_to_end()
        assert len(running.results.records) == 2


@pytest.mark.parametrize("mode", MODES)
async def test_workers_that_join_and_leave_under_load_repeat_no_finished_event(kafka: str, mode: str) -> None:
    ids = [f"22-1-{number}" for number in range(1, 41)]
    async with relay(kafka, {"eholdings": 0.02}) as running:
        running.sandbox.load({"eholdings": eholdings_state(*(resource(i) for i in ids))})
        alone = {"RELAY_LIMITS__UPDATES_TOGETHER": "1"}  # so that each event has a PUT of its own, to be counted
        first = await running.start_worker(RELAY_DELIVERY=mode, RELAY_CONCURRENCY="8", **alone)
        events = [changed(f"{i}#{n}", i, update(str(n), i)) for n in range(1, 11) for i in ids]
        await running.send(*events)
        await running.results_of(len(events) // 4)

        second = await running.start_worker(RELAY_DELIVERY=mode, RELAY_CONCURRENCY="8", **alone)
        await running.results_of(len(events) * 3 // 4)
        first.terminate()
        assert await first.ended() == 0, first.log
        results = by_event(await running.results_of(len(events)))

        assert len(results) == len(events)
        puts = [entry for entry in running.sandbox.ledger if entry.system == "eholdings" and entry.method == "PUT"]
        assert len(puts) == len(events), "no event was carried out twice"
        second.terminate()
        assert await second.ended() == 0, second.log


async def test_records_that_cannot_be_read_become_dead_letters_byte_for_byte_and_the_next_goes_on(kafka: str) -> None:
    secrets = (("x-okapi-token", b"t0p"), ("x-kept", b"\xff\x00"))
    unreadable = [
        Outgoing(CHANGES, b"k", b"{not json", secrets),
        Outgoing(CHANGES, b"k", None, secrets),
        Outgoing(CHANGES, b"k", b"\xff\xfe", ()),
        Outgoing(CHANGES, None, b"[]", ()),
        Outgoing(
            CHANGES, b"k", orjson.dumps({"specversion": "1.0", "id": "1", "source": "/s", "type": "x"}), STRUCTURED
        ),
        Outgoing(CHANGES, b"k", b'{"specversion":"1.0","pad":"' + b"x" * 1_000_001 + b'"}', STRUCTURED),
    ]
    async with relay(kafka) as running:
        running.sandbox.load({"eholdings": eholdings_state(resource(RESOURCE))})
        await running.start_worker()

        await running.send(*unreadable, changed("good", RESOURCE, update("since 1998")))
        results = await running.results_of(len(unreadable) + 1)

        codes = [result["code"] for result in results]
        assert sorted(filter(None, codes)) == sorted(["unreadable"] * 4 + ["unknown-type", "too-large"])
        assert by_event([r for r in results if r["event"]["id"] == "good"])["good"]["outcome"] == "succeeded"
        await running.dead_letters.read_until(lambda reader: len(reader.records) == len(unreadable), 10)
        letters = running.dead_letters.records
        assert {(r.key, r.value) for r in letters} == {(r.key, r.value) for r in unreadable}
        for letter in letters:
            names = [name for name, _ in letter.headers]
            assert "x-okapi-token" not in names
        (bad_json,) = (letter for letter in letters if letter.value == b"{not json")
        assert bad_json.headers[0] == ("x-kept", b"\xff\x00")


async def test_a_record_with_neither_key_nor_value_becomes_a_dead_letter_too(kafka: str) -> None:
    async with relay(kafka) as running:
        producer = AIOKafkaProducer(bootstrap_servers=kafka)
        await producer.start()
        batch = producer.create_batch()
        batch.append(key=None, value=None, timestamp=None)
        await producer.send_batch(batch, running.prefix + CHANGES, partition=0)
        await producer.stop()

        await running.start_worker()
        (result,) = await running.results_of(1)

        assert result["event"]["id"] is None
        assert result["code"] == "unreadable"
        await running.dead_letters.read_until(lambda reader: len(reader.records) == 1, 10)
        assert (running.dead_letters.records[0].key, running.dead_letters.records[0].value) == (None, None)


async def test_an_event_in_retry_holds_back_its_own_entity_and_no_other(kafka: str) -> None:
    ids = [f"22-1-{number}" for number in range(11, 21)]
    async with relay(kafka) as running:
        running.sandbox.load({"eholdings": eholdings_state(*(resource(i) for i in ids))})
        running.sandbox.faults.add(Fault("down", system="eholdings", path_contains=ids[0], status=503, times=3))
        await running.start_worker(RELAY_RETRY__INITIAL_SECONDS="1")

        await running.send(*(changed(f"{i}#{n}", "one-key", update(str(n), i)) for n in (1, 2) for i in ids))
        results = await running.results_of(2 * len(ids))

        order = [result["event"]["id"] for result in results]
        assert order[-2:] == [f"{ids[0]}#1", f"{ids[0]}#2"]
        assert results[-2]["operations"][0]["attempts"] == 4


async def test_settings_that_do_not_hold_are_all_named_and_end_the_worker_at_once(kafka: str) -> None:
    async with relay(kafka) as running:
        worker = await running.start_worker(RELAY_CONCURRENCY="many", RELAY_DELIVERY="twice")

        assert await worker.ended() == 3
        assert "RELAY_CONCURRENCY" in worker.log
        assert "RELAY_DELIVERY" in worker.log
