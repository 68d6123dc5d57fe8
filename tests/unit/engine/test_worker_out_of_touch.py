"""The group falls silent, and may go on without the worker: nothing is called or stored until it is heard of again."""

from __future__ import annotations

import asyncio

import pytest

from service.domain.record import Partition
from service.engine.ports import OwnershipLost
from tests.fakes.broker import FakeBroker
from tests.fakes.events import FakeEvent
from tests.fakes.member import DRAIN_SECONDS, Member, publish, results, settled, succeeded_once
from tests.fakes.source import Delivery
from tests.fakes.systems import FakeSystems, stumble

ONE = Partition("changes", 0)
SESSION_SECONDS, SILENCE_SECONDS = 45.0, 22.5


def member(broker: FakeBroker, systems: FakeSystems, name: str, delivery: Delivery = "exactly_once") -> Member:
    return Member(broker, systems, name, silence_seconds=SILENCE_SECONDS, delivery=delivery).start()


async def test_a_worker_that_was_expelled_and_has_not_heard_of_it_calls_nobody() -> None:
    broker, systems, heirs_systems = FakeBroker(ONE, session_seconds=SESSION_SECONDS), FakeSystems(), FakeSystems()
    systems.replies["a"].append(stumble(retry_after_seconds=SESSION_SECONDS + 10))
    publish(broker, ONE, FakeEvent("a", ("a",)))
    silenced = member(broker, systems, "silenced")
    heir = member(broker, heirs_systems, "heir")
    broker.assign = lambda members, partitions: {
        who: partitions if not index else () for index, who in enumerate(members)
    }
    await asyncio.sleep(5)
    silenced.source.lose_touch()

    told = await settled(broker, "a")
    await asyncio.sleep(60)

    assert (systems.called, heirs_systems.called) == (["a"], ["a"]), "the retry that was due is not made"
    assert succeeded_once(told) == ["a"]
    assert len(silenced.observer.silences) == 1
    await asyncio.gather(silenced.kill(), heir.stop())


async def test_a_worker_that_is_still_a_member_goes_on_when_the_group_is_heard_of_again() -> None:
    broker, systems = FakeBroker(ONE, session_seconds=SESSION_SECONDS), FakeSystems()
    systems.replies["a"].append(stumble(retry_after_seconds=SILENCE_SECONDS + 5))
    publish(broker, ONE, FakeEvent("a", ("a",)))
    worker = member(broker, systems, "worker")
    await asyncio.sleep(1)
    worker.source.lose_touch()
    await asyncio.sleep(SESSION_SECONDS - 2)
    assert systems.called == ["a"]

    await worker.source.regain_touch()
    told = await settled(broker, "a", within_seconds=SILENCE_SECONDS)
    await worker.stop()

    assert systems.called == ["a", "a"]
    assert succeeded_once(told) == ["a"]
    assert worker.observer.silences_ended == 1
    assert worker.worker.stalled_seconds < 1


@pytest.mark.parametrize("delivery", ["exactly_once", "at_least_once"])
async def test_what_ends_while_the_group_is_silent_is_stored_when_it_is_heard_of_again(delivery: Delivery) -> None:
    broker, systems = FakeBroker(ONE, session_seconds=SESSION_SECONDS), FakeSystems()
    systems.seconds["a"] = SILENCE_SECONDS + 5
    publish(broker, ONE, FakeEvent("a", ("a",)))
    worker = member(broker, systems, "worker", delivery)
    await asyncio.sleep(1)
    worker.source.lose_touch()
    await asyncio.sleep(SESSION_SECONDS - 5)
    assert results(broker) == []

    await worker.source.regain_touch()
    told = await settled(broker, "a", within_seconds=SILENCE_SECONDS)
    await worker.stop()

    assert succeeded_once(told) == ["a"]


async def test_a_worker_that_waits_for_its_group_is_not_stuck() -> None:
    broker, systems = FakeBroker(ONE, session_seconds=1_000_000.0), FakeSystems()
    systems.replies["a"].append(stumble(retry_after_seconds=SILENCE_SECONDS + 5))
    publish(broker, ONE, FakeEvent("a", ("a",)))
    worker = member(broker, systems, "worker")
    await asyncio.sleep(1)

    worker.source.lose_touch()
    await asyncio.sleep(86_400)

    assert worker.worker.jobs == 1
    assert worker.worker.stalled_seconds < 1
    await worker.kill()


async def test_a_worker_that_was_expelled_stores_what_nobody_has_claimed_calls_nobody_and_joins_again_at_once() -> None:
    broker, systems = FakeBroker(ONE, session_seconds=SESSION_SECONDS), FakeSystems()
    systems.seconds["a"] = SILENCE_SECONDS + 5
    systems.replies["b"].append(stumble(retry_after_seconds=SESSION_SECONDS))
    publish(broker, ONE, FakeEvent("a", ("a",)), FakeEvent("b", ("b",)))
    worker = member(broker, systems, "worker")
    await asyncio.sleep(1)
    worker.source.lose_touch()
    await asyncio.sleep(SESSION_SECONDS + 2)
    assert systems.called == ["a", "b"], "the retry that is due waits"

    restored = asyncio.create_task(worker.source.regain_touch())
    async with asyncio.timeout(DRAIN_SECONDS / 10):
        await restored
        told = await settled(broker, "a", "b")
    await worker.stop()

    assert systems.called == ["a", "b", "b"]
    assert systems.calls[-1].context.attempt == 1, "it is begun anew"
    assert succeeded_once(told) == ["a", "b"]


async def test_a_call_that_is_under_way_when_a_worker_hears_that_it_was_expelled_makes_no_further_request() -> None:
    broker, systems = FakeBroker(ONE, session_seconds=SESSION_SECONDS), FakeSystems()
    systems.hold("a")
    publish(broker, ONE, FakeEvent("a", ("a",)))
    worker = member(broker, systems, "worker")
    await asyncio.sleep(1)
    (call,) = systems.calls
    broker.leave(worker.source)
    await worker.source.find_out()

    with pytest.raises(OwnershipLost):
        await call.context.may_leave()

    await worker.kill()
