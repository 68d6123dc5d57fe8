"""A system that does not answer takes its own slots, and leaves the others theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from service.domain.answers import Answer, Finding, Joint, Settled, succeeded
from service.domain.operations import DeselectResource, EventIdentity, Plan, Step, Transfer, TransferEntry, asked_of
from service.engine.circuit import CircuitPolicy
from service.engine.gates import Gates
from service.engine.job import Job
from service.engine.lease import Lease
from service.engine.ports import CallContext
from service.engine.processing import Processing
from service.engine.retry import RetryPolicy
from tests.builders.outcomes import UPDATE, record
from tests.fakes.observing import SilentObserver


class HangingEholdings:
    """eholdings takes an hour to answer, every other system a second."""

    def __init__(self) -> None:
        self.under_way = 0

    def unconfigured(self, step: Step) -> Finding | None:
        return None

    async def attempt(self, step: Step, context: CallContext) -> Answer:
        hanging = isinstance(step, DeselectResource)
        self.under_way += hanging
        await asyncio.sleep(3600 if hanging else 1)
        return Settled((succeeded(200),) * len(asked_of(step)))

    async def attempt_together(self, steps: Sequence[Step], context: CallContext) -> Joint:
        raise AssertionError("deselections leave by themselves")


def job(step: Step) -> Job:
    async def mark() -> None: ...

    return Job(record(), Plan(EventIdentity("e1"), "diku", None, (step,), frozenset()), Lease(), mark, attempted=False)


async def test_a_hanging_system_leaves_slots_to_the_others() -> None:
    systems, observer = HangingEholdings(), SilentObserver()
    gates = Gates(CircuitPolicy(), lambda shortest, _: shortest, observer, slots=3)
    processing = Processing(systems, gates, RetryPolicy(), 4, lambda shortest, _: shortest, observer)
    hanging = [asyncio.create_task(processing.process(job(DeselectResource("diku", f"1-1-{n}")))) for n in range(50)]
    await asyncio.sleep(1)
    assert systems.under_way == 3

    transfer = Transfer("PUL", (), (TransferEntry(UPDATE, {}, {}),))
    await processing.process(job(transfer))

    assert asyncio.get_running_loop().time() == 2.0
    for task in hanging:
        task.cancel()
