"""Where the time of an event goes, as its outcome tells it."""

from __future__ import annotations

import asyncio

import pytest

from service.domain.record import Partition
from tests.fakes.broker import FakeBroker
from tests.fakes.events import FakeEvent
from tests.fakes.member import Member, publish, settled
from tests.fakes.processing import CALL_SECONDS, ProcessingSubject, update
from tests.fakes.systems import FakeSystems, deny, stumble

ONE = Partition("changes", 0)
PAUSE_SECONDS = 1.0


async def test_calls_and_the_pause_between_them_are_told_apart() -> None:
    subject = ProcessingSubject()
    subject.systems.replies["1-2-3"].append(stumble())

    spent = (await subject.process(update())).spent

    assert spent.call == pytest.approx(2 * CALL_SECONDS)
    assert spent.pause == pytest.approx(PAUSE_SECONDS)
    assert (spent.lane, spent.gate) == (0, 0)


async def test_waiting_for_a_slot_counts_as_the_gate() -> None:
    subject = ProcessingSubject(concurrency=1)
    subject.systems.seconds["first"] = 7.0

    _, second = await asyncio.gather(subject.process(update("first")), subject.process(update("second")))

    assert second.spent.gate == pytest.approx(7.0)
    assert second.spent.call == pytest.approx(CALL_SECONDS)


async def test_waiting_for_an_open_circuit_counts_as_the_gate() -> None:
    subject = ProcessingSubject()
    subject.systems.replies["1-2-3"].append(deny())

    spent = (await subject.process(update())).spent

    assert spent.gate > 0.1
    assert spent.pause == 0


async def test_waiting_behind_an_earlier_event_of_the_entity_counts_as_the_lane() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    publish(broker, ONE, FakeEvent("e0", ("a",)), FakeEvent("e1", ("a",)))
    systems.seconds = {"e0": 5.0}
    member = Member(broker, systems).start()

    await settled(broker, "e1")
    await member.stop()

    first, second = (outcome.spent for outcome in member.observer.outcomes)
    assert [first.lane, first.call] == pytest.approx([0.0, 5.0])
    assert second.lane == pytest.approx(5.0)
