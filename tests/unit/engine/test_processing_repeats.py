"""Repeats of many records together: a system in trouble is not asked for more than its share."""

from __future__ import annotations

import asyncio

from service.domain.outcomes import Outcome, Overall
from service.engine.circuit import CircuitPolicy
from service.engine.retry_allowance import BURST_SECONDS, RetryShare
from tests.fakes.processing import ProcessingSubject, update
from tests.fakes.systems import stumble

NEVER_OPEN = CircuitPolicy(failing_records=1_000_000)


async def process_all(subject: ProcessingSubject, ids: list[str]) -> list[Outcome]:
    return await asyncio.gather(*(subject.process(update(resource_id)) for resource_id in ids))


def repeats_within(subject: ProcessingSubject, seconds: float) -> int:
    return sum(call.started_at <= seconds and call.context.attempt > 1 for call in subject.systems.calls)


async def test_repeats_beyond_the_share_wait_for_their_turn_and_lose_no_attempt_by_it() -> None:
    subject = ProcessingSubject(concurrency=1000, circuit=NEVER_OPEN, share=RetryShare(0.2, 2.0))
    ids = [f"1-2-{number}" for number in range(200)]
    for resource_id in ids:
        subject.systems.replies[resource_id].append(stumble())

    outcomes = await process_all(subject, ids)

    assert {outcome.overall for outcome in outcomes} == {Overall.SUCCEEDED}
    assert {outcome.operations[0].attempts for outcome in outcomes} == {2}
    assert repeats_within(subject, 10) <= 2.0 * (BURST_SECONDS + 10) + 1
    assert asyncio.get_running_loop().time() >= (200 - 2.0 * BURST_SECONDS) / 2.0 - 1


async def test_a_repeat_that_waits_for_its_turn_holds_no_slot() -> None:
    subject = ProcessingSubject(concurrency=1, circuit=NEVER_OPEN, share=RetryShare(0.0, 0.1))
    subject.systems.replies["waits"].extend([stumble(), stumble()])
    waiting = asyncio.create_task(subject.process(update("waits")))
    await asyncio.sleep(2)

    assert (await subject.process(update("1-2-3"))).overall is Overall.SUCCEEDED
    assert not waiting.done()
    await waiting


async def test_time_spent_waiting_for_a_turn_is_not_counted_towards_the_deadline() -> None:
    subject = ProcessingSubject(circuit=NEVER_OPEN, share=RetryShare(0.0, 0.001))
    subject.systems.replies["1-2-3"].extend([stumble()] * 3)

    outcome = await subject.process(update())

    assert outcome.overall is Overall.SUCCEEDED
    assert asyncio.get_running_loop().time() > 1000
