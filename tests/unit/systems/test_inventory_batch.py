"""Batches of upserts: what goes out together, what is believed, and what goes out again alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import orjson
import pytest

from service.domain.answers import Denial, Finding, Verdict
from service.domain.codes import Code
from service.engine.batching import BatchLimits
from service.engine.ports import OwnershipLost
from service.systems.inventory_answers import Decision
from service.systems.inventory_batch import UpsertBatches
from service.systems.timeouts import Timeouts
from service.systems.trouble import Trouble
from tests.unit.systems.recording_calls import RecordingCalls
from tests.unit.systems.scripted import TENANT, answer, gateway

PATH = "/base/inventory-batch-upsert-hrid"


class Module(httpx.AsyncBaseTransport):
    """Takes batches: sets named "bad…" fail, as the module tells it; `disturb` answers in its place when it is set."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.requests: list[httpx.Request] = []
        self.disturb: httpx.Response | Exception | None = None
        self.disturbs_batches_only = False
        self.arrived = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.under_way = 0
        self.most_under_way = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        names = [entry["instance"]["hrid"] for entry in orjson.loads(await request.aread())["inventoryRecordSets"]]
        self.batches.append(names)
        self.requests.append(request)
        self.arrived.set()
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(0)
            await self.open.wait()
        finally:
            self.under_way -= 1
        if self.disturb is not None and not (self.disturbs_batches_only and len(names) == 1):
            if isinstance(self.disturb, Exception):
                raise self.disturb
            return self.disturb
        return self._answer(names)

    def _answer(self, names: Sequence[str]) -> httpx.Response:
        bad = [name for name in names if name.startswith("bad")]
        counts = {"COMPLETED": len(names) - len(bad), "FAILED": len(bad), "SKIPPED": 0, "PENDING": 0}
        content: dict[str, Any] = {"metrics": {"INSTANCE": {"UPDATE": counts}}}
        if bad:  # one error, although several may have failed
            content["errors"] = [{"statusCode": 422, "message": {"errors": [{"message": "bad"}]}, "requestJson": None}]
        return answer(207 if bad else 200, content)


def batches_of(module: Module, **limits: int) -> UpsertBatches:
    return UpsertBatches(gateway(module, "inventory"), TENANT, Timeouts(), BatchLimits(**limits))


def upsert(
    batches: UpsertBatches, name: str, attempt: int = 1, traceparent: str | None = None
) -> asyncio.Task[Decision]:
    body = orjson.dumps({"instance": {"hrid": name}})
    return asyncio.create_task(batches.upsert(name, body, attempt=attempt, traceparent=traceparent))


async def decide(batches: UpsertBatches, *names: str) -> list[Decision]:
    return await asyncio.gather(*(upsert(batches, name) for name in names))


def verdicts(decisions: Sequence[Decision]) -> list[Verdict | None]:
    return [decision.verdict if isinstance(decision, Finding) else None for decision in decisions]


async def test_a_single_upsert_goes_out_at_once_as_a_batch_of_one() -> None:
    module = Module()

    decisions = await decide(batches_of(module), "in1")

    assert verdicts(decisions) == [Verdict.SUCCEEDED]
    assert module.batches == [["in1"]]
    assert module.requests[0].url.raw_path.decode() == PATH


async def test_what_is_ready_together_goes_out_together() -> None:
    module = Module()
    names = [f"in{number}" for number in range(250)]

    decisions = await decide(batches_of(module), *names)

    assert set(verdicts(decisions)) == {Verdict.SUCCEEDED}
    assert [len(batch) for batch in module.batches] == [100, 100, 50]
    assert [name for batch in module.batches for name in batch] == names


async def test_a_set_whose_partition_was_lost_does_not_leave_and_the_others_do() -> None:
    module = Module()
    batches = batches_of(module)

    async def lost() -> None:
        raise OwnershipLost("lost")

    body = orjson.dumps({"instance": {"hrid": "in1"}})
    kept, dropped = upsert(batches, "in0"), batches.upsert("in1", body, attempt=1, traceparent=None, may_leave=lost)

    with pytest.raises(OwnershipLost, match="lost"):
        await dropped
    assert verdicts([await kept]) == [Verdict.SUCCEEDED]
    assert module.batches == [["in0"]]


async def test_what_comes_while_every_slot_is_taken_goes_out_together_when_one_is_free() -> None:
    module = Module()
    module.open.clear()
    batches = batches_of(module, slots=1)
    first = upsert(batches, "in0")
    await module.arrived.wait()

    rest = [upsert(batches, f"in{number}") for number in range(1, 6)]
    await asyncio.sleep(0)
    module.open.set()
    await asyncio.gather(first, *rest)

    assert module.batches == [["in0"], ["in1", "in2", "in3", "in4", "in5"]]


async def test_no_more_calls_are_under_way_than_there_are_slots() -> None:
    module = Module()

    await decide(batches_of(module, items=2, slots=3), *(f"in{number}" for number in range(40)))

    assert module.most_under_way == 3


async def test_a_batch_that_is_not_clean_goes_out_again_set_by_set() -> None:
    module = Module()

    decisions = await decide(batches_of(module), "in1", "bad1", "in2")

    assert verdicts(decisions) == [Verdict.SUCCEEDED, Verdict.FAILED, Verdict.SUCCEEDED]
    assert module.batches[0] == ["in1", "bad1", "in2"]
    assert sorted(module.batches[1:]) == [["bad1"], ["in1"], ["in2"]]


@pytest.mark.parametrize(
    "disturbance",
    [
        answer(400, "Bad Request: one set has no instance"),
        answer(422, {"message": "no"}),
        answer(413, "too large"),
        answer(404, "No Service found"),
        answer(200, {"metrics": {}}),
        answer(200, "<html>"),
        answer(200, {"metrics": {"INSTANCE": {"UPDATE": {"COMPLETED": 1}}}}),
    ],
)
async def test_a_batch_that_is_refused_or_misread_goes_out_again_set_by_set(disturbance: httpx.Response) -> None:
    module = Module()
    module.disturb, module.disturbs_batches_only = disturbance, True

    decisions = await decide(batches_of(module), "in1", "in2", "in3")

    assert verdicts(decisions) == [Verdict.SUCCEEDED] * 3
    assert [len(batch) for batch in module.batches] == [3, 1, 1, 1]


@pytest.mark.parametrize(
    ("disturbance", "status", "uncertain"),
    [
        (answer(500, "broken"), 500, True),
        (answer(503, "down"), 503, True),
        (answer(409, "race"), 409, False),
        (answer(429, "slow", {"Retry-After": "3"}), 429, False),
        (httpx.ReadTimeout("late"), None, True),
        (httpx.RemoteProtocolError("gone"), None, True),
        (httpx.ConnectError("refused"), None, False),
    ],
)
async def test_trouble_with_the_system_is_every_sets_trouble(
    disturbance: httpx.Response | Exception, status: int | None, uncertain: bool
) -> None:
    module = Module()
    module.disturb = disturbance

    decisions = await decide(batches_of(module), "in1", "in2")

    assert len(module.batches) == 1
    for decision in decisions:
        assert isinstance(decision, Trouble)
        assert (decision.status, decision.uncertain, decision.denial) == (status, uncertain, None)


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_deny_every_set(status: int) -> None:
    module = Module()
    module.disturb = answer(status, "no")

    for decision in await decide(batches_of(module), "in1", "in2"):
        assert isinstance(decision, Trouble)
        assert decision.denial is Denial.CREDENTIALS


async def test_a_set_that_is_tried_again_goes_out_alone() -> None:
    module = Module()
    batches = batches_of(module)

    await asyncio.gather(upsert(batches, "in1"), upsert(batches, "in2", attempt=2), upsert(batches, "in3"))

    assert sorted(module.batches) == [["in1", "in3"], ["in2"]]


async def test_sets_of_one_hrid_go_out_one_after_the_other() -> None:
    module = Module()

    decisions = await decide(batches_of(module), "in1", "in2", "in1")

    assert verdicts(decisions) == [Verdict.SUCCEEDED] * 3
    assert module.batches == [["in1", "in2"], ["in1"]]


async def test_the_time_out_grows_with_the_batch() -> None:
    module = Module()

    await decide(batches_of(module), *(f"in{number}" for number in range(101)))

    reads = [request.extensions["timeout"]["read"] for request in module.requests]
    assert reads == [Timeouts().of_batch(100), Timeouts().of_batch(1)]
    assert reads[0] > reads[1] == 60.0


async def test_the_trace_of_one_event_is_carried_on() -> None:
    module = Module()
    batches = batches_of(module)

    await asyncio.gather(upsert(batches, "in1"), upsert(batches, "in2", traceparent="00-a-b-01"))

    assert module.requests[0].headers["traceparent"] == "00-a-b-01"


async def test_an_upsert_that_is_cancelled_while_it_waits_does_not_go_out() -> None:
    module = Module()
    module.open.clear()
    batches = batches_of(module, slots=1)
    first = upsert(batches, "in0")
    await module.arrived.wait()
    second, third = upsert(batches, "in1"), upsert(batches, "in2")
    await asyncio.sleep(0)

    second.cancel()
    await asyncio.sleep(0)
    module.open.set()
    await asyncio.gather(first, third)

    assert module.batches == [["in0"], ["in2"]]


async def test_an_upsert_that_is_cancelled_before_it_goes_out_again_alone_stays_out() -> None:
    module = Module()
    module.open.clear()
    batches = batches_of(module, slots=1)
    upserts = [upsert(batches, name) for name in ("bad1", "in1", "in2")]
    await module.arrived.wait()

    upserts[1].cancel()
    module.open.set()
    await asyncio.gather(*upserts, return_exceptions=True)

    assert module.batches == [["bad1", "in1", "in2"], ["bad1"], ["in2"]]


async def test_the_others_of_a_batch_outlive_one_that_is_cancelled() -> None:
    module = Module()
    module.open.clear()
    batches = batches_of(module)
    first, second = upsert(batches, "in1"), upsert(batches, "in2")
    await module.arrived.wait()

    first.cancel()
    await asyncio.sleep(0)
    module.open.set()

    assert verdicts([await second]) == [Verdict.SUCCEEDED]


async def test_closing_ends_what_is_under_way_and_what_waits() -> None:
    module = Module()
    module.open.clear()
    batches = batches_of(module, slots=1)
    under_way = upsert(batches, "in1")
    await module.arrived.wait()
    waiting = upsert(batches, "in2")
    await asyncio.sleep(0)

    await batches.aclose()

    for pending in (under_way, waiting):
        with pytest.raises(asyncio.CancelledError):
            await pending
    assert module.batches == [["in1"]]


async def test_a_refusal_of_one_set_keeps_its_words() -> None:
    [decision] = await decide(batches_of(Module()), "bad1")

    assert isinstance(decision, Finding)
    assert (decision.code, decision.status, decision.message) == (Code.REFUSED, 207, "bad (422)")


async def test_the_size_of_each_batch_is_told_when_it_has_left() -> None:
    calls, module = RecordingCalls(), Module()
    batches = UpsertBatches(gateway(module, "inventory", observer=calls), TENANT, Timeouts(), BatchLimits(items=2))

    await decide(batches, "in1", "in2", "in3")

    assert calls.batches == [("inventory", 2), ("inventory", 1)]
