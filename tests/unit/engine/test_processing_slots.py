"""What a record holds while it is worked on: slots, its lease, a turn at a gate."""

from __future__ import annotations

import asyncio

import pytest

from service.domain.answers import (
    Denial,
    succeeded,
)
from service.domain.outcomes import Overall
from service.engine.ports import OwnershipLost
from tests.fakes.processing import CALL_SECONDS, transfer, update
from tests.fakes.processing import ProcessingSubject as Subject
from tests.fakes.systems import deny, stumble, succeed


async def test_no_more_calls_run_at_once_than_there_are_slots() -> None:
    subject = Subject(concurrency=3)
    jobs = [asyncio.create_task(subject.process(update(str(number)))) for number in range(10)]
    running: list[int] = []
    while not all(job.done() for job in jobs):
        running.append(len(subject.systems.running()))
        await asyncio.sleep(CALL_SECONDS / 2)

    assert max(running) == 3
    assert asyncio.get_running_loop().time() == pytest.approx(4 * CALL_SECONDS, abs=CALL_SECONDS)


async def test_a_record_that_pauses_holds_no_slot() -> None:
    subject = Subject(concurrency=1)
    subject.systems.replies["slow"].append(stumble(retry_after_seconds=300))
    retrying = asyncio.create_task(subject.process(update("slow")))
    await asyncio.sleep(1)

    await subject.process(update("quick"))

    assert asyncio.get_running_loop().time() == pytest.approx(1 + CALL_SECONDS)
    await retrying


async def test_a_record_whose_system_is_shut_holds_no_slot() -> None:
    subject = Subject(concurrency=1)
    subject.systems.replies["denied"].append(deny(Denial.QUOTA, retry_after_seconds=3600))
    waiting = asyncio.create_task(subject.process(update("denied")))
    await asyncio.sleep(1)

    await subject.process(transfer("another system"))

    assert asyncio.get_running_loop().time() == pytest.approx(1 + CALL_SECONDS)
    await waiting
    assert asyncio.get_running_loop().time() > 3600


async def test_no_attempt_starts_once_the_lease_has_ended() -> None:
    subject = Subject()
    subject.systems.replies["1-2-3"].append(stumble(retry_after_seconds=100))
    processing = asyncio.create_task(subject.process(update()))
    await asyncio.sleep(1)

    subject.lease.end("lost")

    with pytest.raises(OwnershipLost, match="lost"):
        await processing
    assert len(subject.systems.calls) == 1
    assert asyncio.get_running_loop().time() == 1.0


async def test_no_further_step_starts_once_the_lease_has_ended() -> None:
    subject = Subject()
    finish = subject.systems.hold("1")
    processing = asyncio.create_task(subject.process(update("1"), update("2")))
    await asyncio.sleep(1)
    subject.lease.end("lost")

    finish.set()

    with pytest.raises(OwnershipLost):
        await processing
    assert subject.systems.called == ["1"]


async def test_the_lease_is_busy_while_a_call_runs_and_not_while_the_record_pauses() -> None:
    subject = Subject()
    subject.systems.seconds["1-2-3"] = 5
    subject.systems.replies["1-2-3"].append(stumble(retry_after_seconds=100))
    processing = asyncio.create_task(subject.process(update()))
    await asyncio.sleep(1)

    await subject.lease.idle()

    assert asyncio.get_running_loop().time() == 5.0
    await processing


async def test_a_job_tells_whether_it_has_begun_and_when_it_goes_on() -> None:
    subject = Subject()
    subject.systems.replies["1-2-3"].append(stumble(retry_after_seconds=100))
    job = subject.job(update())
    begun = [job.begun]
    processing = asyncio.create_task(subject.processing.process(job))
    await asyncio.sleep(1)

    assert [*begun, job.begun] == [False, True]
    assert job.resumes_at == pytest.approx(100 + CALL_SECONDS)
    await processing


async def test_a_probe_that_is_cancelled_leaves_the_turn_to_another() -> None:
    subject = Subject()
    subject.systems.replies["denied"].append(deny(retry_after_seconds=10))
    first = asyncio.create_task(subject.process(update("denied")))
    await asyncio.sleep(1)
    second = asyncio.create_task(subject.process(update("second")))
    subject.systems.hold("denied")
    await asyncio.sleep(20)
    assert subject.systems.running() == ["denied"]

    first.cancel()

    assert (await second).overall is Overall.SUCCEEDED
    assert first.cancelled()


async def test_success_after_any_trouble_says_nothing_of_it_but_the_attempts() -> None:
    subject = Subject()
    subject.systems.replies["a"].extend([stumble(uncertain=True), deny(), succeed])

    outcome = await subject.process(transfer("a"))

    (operation,) = outcome.operations
    assert operation.finding == succeeded(200)
    assert operation.attempts == 2
