"""An export on its way to its outcome: it waits without a slot and without spending attempts, and gets a name."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from service.domain.answers import Answer, Pending, Settled, Stumbled, succeeded
from service.domain.codes import Code
from service.domain.exports import ExportRow
from service.domain.operations import Asked, ExportHoldings, Step
from service.domain.outcomes import Overall
from service.engine.job import Job
from tests.builders.outcomes import record
from tests.fakes.processing import ATTEMPTS, ProcessingSubject, plan, update

EXPORT = ExportHoldings("c1", "KBART2", "CSV", None)


class FakeJournal:
    """Implements `engine.ports.Journal` in memory."""

    def __init__(self) -> None:
        self.note = ""
        self.rows = 0

    async def keep(self, note: str) -> None:
        self.note = note

    async def publish(self, rows: Sequence[ExportRow], note: str | None = None) -> None:
        self.rows += len(rows)


def export_job(subject: ProcessingSubject, journal: FakeJournal) -> Job:
    async def mark() -> None: ...

    return Job(record(), plan(EXPORT), subject.lease, mark, attempted=False, journal=journal)


def not_yet(step: Step) -> Answer:
    assert isinstance(step, ExportHoldings)
    return Pending(replace(step, export_id="x7", polls=step.polls + 1), (None,), 60.0)


def named(step: Step) -> Answer:
    assert isinstance(step, ExportHoldings)
    return Pending(replace(step, export_id="x7"), (None,), 0.0)


def done(step: Step) -> Answer:
    return Settled((succeeded(200),))


def broke_off(step: Step) -> Answer:
    return Stumbled(step, (None,), None, "the download ended early")


async def test_an_export_is_asked_about_until_it_is_there_and_is_named_by_its_id() -> None:
    subject = ProcessingSubject()
    subject.systems.replies["c1/KBART2"].append(not_yet)
    subject.systems.replies["x7"].extend([not_yet, not_yet, done])

    outcome = await subject.processing.process(export_job(subject, FakeJournal()))

    (operation,) = outcome.operations
    assert outcome.overall is Overall.SUCCEEDED
    assert operation.asked == Asked("holdingsiq", "export", "x7")
    assert operation.attempts == 1
    assert len(subject.systems.calls) == 4
    assert asyncio.get_running_loop().time() == pytest.approx(180, abs=1)


async def test_while_an_export_waits_others_have_its_slot() -> None:
    subject = ProcessingSubject(concurrency=1)
    subject.systems.replies["c1/KBART2"].append(not_yet)
    waiting = asyncio.create_task(subject.processing.process(export_job(subject, FakeJournal())))
    await asyncio.sleep(1)

    assert (await subject.process(update())).overall is Overall.SUCCEEDED
    assert not waiting.done()
    await waiting


async def test_waiting_for_an_export_for_hours_spends_neither_attempts_nor_the_deadline() -> None:
    subject = ProcessingSubject()
    subject.systems.replies["c1/KBART2"].append(not_yet)
    subject.systems.replies["x7"].extend([not_yet] * 300 + [broke_off, done])

    outcome = await subject.processing.process(export_job(subject, FakeJournal()))

    assert outcome.overall is Overall.SUCCEEDED
    assert outcome.operations[0].attempts == 2


async def test_an_export_that_breaks_off_again_and_again_at_the_same_row_is_given_up() -> None:
    subject = ProcessingSubject()
    subject.systems.replies["c1/KBART2"].extend([broke_off] * 100)

    outcome = await subject.processing.process(export_job(subject, FakeJournal()))

    assert outcome.operations[0].finding.code is Code.UNAVAILABLE
    assert outcome.operations[0].attempts == ATTEMPTS


async def test_an_export_that_comes_further_with_every_attempt_is_not_given_up() -> None:
    subject, journal = ProcessingSubject(), FakeJournal()

    def a_row_further(step: Step) -> Answer:
        journal.rows += 1
        return broke_off(step)

    subject.systems.replies["c1/KBART2"].extend([a_row_further] * (5 * ATTEMPTS) + [done])

    outcome = await subject.processing.process(export_job(subject, journal))

    assert outcome.overall is Overall.SUCCEEDED


async def test_a_rebalance_does_not_wait_for_a_look_at_an_export() -> None:
    subject = ProcessingSubject()
    subject.systems.replies["c1/KBART2"].append(named)
    subject.systems.hold("x7")
    running = asyncio.create_task(subject.processing.process(export_job(subject, FakeJournal())))
    await asyncio.sleep(1)

    async with asyncio.timeout(1):
        await subject.lease.idle()
    running.cancel()


async def test_no_look_at_an_export_leaves_while_a_rebalance_is_under_way_and_may_take_its_partition() -> None:
    subject = ProcessingSubject()
    subject.systems.replies["c1/KBART2"].append(named)
    held = subject.systems.hold("x7")
    running = asyncio.create_task(subject.processing.process(export_job(subject, FakeJournal())))
    await asyncio.sleep(1)
    call = subject.systems.calls[-1]
    subject.lease.hold()

    leaving = asyncio.ensure_future(call.context.may_leave())
    await asyncio.sleep(60)
    assert not leaving.done()
    subject.lease.resume()
    await leaving

    held.set()
    await running


async def test_a_rebalance_waits_for_the_request_that_asks_for_an_export() -> None:
    subject = ProcessingSubject()
    held = subject.systems.hold("c1/KBART2")
    running = asyncio.create_task(subject.processing.process(export_job(subject, FakeJournal())))
    await asyncio.sleep(1)
    (call,) = subject.systems.calls
    subject.lease.hold()
    idle = asyncio.create_task(subject.lease.idle())

    await call.context.may_leave()
    await asyncio.sleep(60)
    assert not idle.done()

    held.set()
    await idle
    running.cancel()
