"""An export belongs to whoever has its partition: it may be broken off at any time, but for the moment in which it is
asked for, whose answer nobody else would ever see."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from service.domain.answers import Answer, Pending
from service.domain.operations import ExportHoldings, Step
from service.domain.record import Partition
from service.engine.ports import CallContext
from tests.fakes.broker import FakeBroker
from tests.fakes.events import EXPORT_TYPE, FakeEvent
from tests.fakes.member import GRACE_SECONDS, Member, everything_to, publish, settled, succeeded_once
from tests.fakes.systems import FakeSystems

ONE = Partition("changes", 0)
ORDER, LOOK = f"x/{EXPORT_TYPE}", "x7"


class Exports(FakeSystems):
    """Orders as the adapter does: a note before, and one with the name that the answer gives. A look at it finds it
    still being made for `looks` times."""

    def __init__(self, looks: int = 1) -> None:
        super().__init__()
        self.looks = looks

    async def attempt(self, step: Step, context: CallContext) -> Answer:
        assert isinstance(step, ExportHoldings)
        assert context.journal is not None
        if context.journal.note == LOOK and step.export_id is None:
            return Pending(replace(step, export_id=LOOK), (None,), 0.0)
        if step.export_id is None:
            await context.journal.keep("asked")
            await context.may_leave()
            await super().attempt(step, context)
            await context.journal.keep(LOOK)
            return Pending(replace(step, export_id=LOOK), (None,), 0.0)
        await context.may_leave()
        answer = await super().attempt(step, context)
        self.looks -= 1
        return answer if self.looks < 0 else Pending(replace(step, polls=step.polls + 1), (None,), 1.0)


async def test_a_rebalance_waits_until_it_is_known_how_an_export_is_called() -> None:
    broker, systems = FakeBroker(ONE), Exports()
    systems.seconds[ORDER] = 10
    publish(broker, ONE, FakeEvent("x", rows=1))
    first = Member(broker, systems, "first").start()
    await asyncio.sleep(2)

    second = Member(broker, systems, "second")
    everything_to(second, broker)
    second.start()
    told = await settled(broker, "x")
    await asyncio.gather(first.stop(), second.stop())

    order, *looks = systems.calls
    assert systems.called == [ORDER, LOOK, LOOK]
    assert order.ended_at is not None
    assert all(look.started_at > order.ended_at for look in looks)
    assert succeeded_once(told) == ["x"]


async def test_a_rebalance_does_not_wait_for_a_look_at_an_export() -> None:
    broker, systems = FakeBroker(ONE), Exports()
    systems.hold(LOOK)
    publish(broker, ONE, FakeEvent("x", rows=1))
    first = Member(broker, systems, "first").start()
    await asyncio.sleep(2)

    second = Member(broker, systems, "second").start()
    async with asyncio.timeout(2):
        await second.ready()

    assert systems.called == [ORDER, LOOK]
    await asyncio.gather(first.kill(), second.kill())


async def test_a_worker_that_stops_waits_for_the_name_of_an_export_and_looks_no_more() -> None:
    broker, systems = FakeBroker(ONE), Exports(looks=100)
    systems.seconds[ORDER] = GRACE_SECONDS / 2
    publish(broker, ONE, FakeEvent("x", rows=1))
    member = Member(broker, systems).start()
    await asyncio.sleep(2)

    await member.stop()

    assert systems.called == [ORDER]
    assert list(broker.position(ONE).notes.values()) == [LOOK]
    assert asyncio.get_running_loop().time() < GRACE_SECONDS, "it does not use up its grace"


async def test_a_worker_that_stops_does_not_wait_for_a_look_at_an_export() -> None:
    broker, systems = FakeBroker(ONE), Exports()
    systems.hold(LOOK)
    publish(broker, ONE, FakeEvent("x", rows=1))
    member = Member(broker, systems).start()
    await asyncio.sleep(2)

    await member.stop()

    assert systems.called == [ORDER, LOOK]
    assert asyncio.get_running_loop().time() < GRACE_SECONDS / 2
