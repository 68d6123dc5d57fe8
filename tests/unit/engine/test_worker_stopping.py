"""Coming to rest: what has begun is finished in time and stored, what has not is left to the next owner."""

from __future__ import annotations

import asyncio

import pytest

from service.domain.record import Partition
from service.engine.ports import SourceUnavailable
from tests.fakes.broker import CommitTrouble, FakeBroker
from tests.fakes.events import FakeEvent
from tests.fakes.member import GRACE_SECONDS, Member, publish, results, settled, succeeded_once
from tests.fakes.systems import FakeSystems, deny, stumble

ONE, TWO = Partition("changes", 0), Partition("changes", 1)


async def test_a_worker_that_stops_finishes_and_stores_what_has_begun() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    systems.seconds["a"] = 10
    publish(broker, ONE, FakeEvent("a", ("a",)))
    member = Member(broker, systems).start()
    await asyncio.sleep(2)

    await member.stop()

    assert succeeded_once(results(broker)) == ["a"]
    assert broker.position(ONE).frontier == 1
    assert broker.members == []
    assert all(store.closed for store in member.source.stores)
    assert member.observer.in_work == 0


async def test_an_idle_worker_stops_at_once() -> None:
    broker = FakeBroker(ONE)
    member = Member(broker, FakeSystems()).start()
    await member.ready()
    before = asyncio.get_running_loop().time()

    await member.stop()

    assert asyncio.get_running_loop().time() - before < 1


async def test_records_that_have_not_begun_are_left_to_the_next_owner() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    systems.seconds["a"] = 10
    events = [FakeEvent("a", ("a",)), FakeEvent("behind", ("a",)), FakeEvent("no slot", ("b",))]
    publish(broker, ONE, *events)
    member = Member(broker, systems, concurrency=1).start()
    await asyncio.sleep(2)

    await member.stop()

    assert systems.called == ["a"]
    assert [one.event_id for one in results(broker)] == ["a"]
    assert member.observer.in_work == 0
    heir = Member(broker, systems, "heir").start()
    told = await settled(broker, "behind", "no slot")
    await heir.stop()
    assert sorted(succeeded_once(told)) == ["a", "behind", "no slot"]
    assert systems.called.count("a") == 1


async def test_a_pause_that_ends_in_time_is_waited_for_and_a_longer_one_is_not() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    systems.replies["short"].append(stumble(retry_after_seconds=GRACE_SECONDS / 4))
    systems.replies["long"].append(stumble(retry_after_seconds=GRACE_SECONDS * 2))
    publish(broker, ONE, FakeEvent("short", ("a",)), FakeEvent("long", ("b",)))
    member = Member(broker, systems).start()
    await asyncio.sleep(2)
    before = asyncio.get_running_loop().time()

    await member.stop()

    assert [one.event_id for one in results(broker)] == ["short"]
    assert asyncio.get_running_loop().time() - before < GRACE_SECONDS / 2
    assert member.observer.in_work == 0


async def test_a_record_that_waits_for_a_denied_system_does_not_hold_up_the_end() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    systems.replies["denied"].append(deny(retry_after_seconds=3600))
    publish(broker, ONE, FakeEvent("denied", ("a",)))
    member = Member(broker, systems).start()
    await asyncio.sleep(2)
    before = asyncio.get_running_loop().time()

    await member.stop()

    assert asyncio.get_running_loop().time() - before < 2
    assert results(broker) == []
    assert member.observer.in_work == 0


async def test_a_call_that_does_not_end_in_time_is_given_up() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    finish = systems.hold("a")
    publish(broker, ONE, FakeEvent("a", ("a",)), FakeEvent("b", ("b",)))
    member = Member(broker, systems).start()
    await asyncio.sleep(2)
    before = asyncio.get_running_loop().time()

    await member.stop()
    finish.set()
    await asyncio.sleep(60)

    assert asyncio.get_running_loop().time() - before - 60 <= GRACE_SECONDS + 1
    assert [one.event_id for one in results(broker)] == ["b"]
    assert member.observer.in_work == 0


async def test_stopping_while_commits_fail_takes_no_longer_than_the_grace_period() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    broker.commit_trouble = lambda partition: CommitTrouble.NOT_STORED
    publish(broker, ONE, FakeEvent("a", ("a",)))
    member = Member(broker, systems).start()
    await asyncio.sleep(2)
    before = asyncio.get_running_loop().time()

    await member.stop()

    assert asyncio.get_running_loop().time() - before <= GRACE_SECONDS + 1
    assert results(broker) == []
    assert member.observer.in_work == 0


async def test_outcomes_of_the_last_moment_are_stored() -> None:
    """Commits are slow, and the last calls end just before the end of the drain."""
    broker, systems = FakeBroker(ONE), FakeSystems()
    broker.delay = lambda verb: 1.0 if verb == "commit" else 0.001
    events = [FakeEvent(f"e{number}", (f"{number}",)) for number in range(5)]
    systems.seconds = {event.id: 1.0 + number for number, event in enumerate(events)}
    publish(broker, ONE, *events)
    member = Member(broker, systems).start()
    await asyncio.sleep(0.5)

    await member.stop()

    assert sorted(succeeded_once(results(broker))) == [event.id for event in events]


@pytest.mark.parametrize("into_the_stop", [0.0, 0.05, 1.0, 3.0])
async def test_a_rebalance_in_the_middle_of_stopping_does_no_harm(into_the_stop: float) -> None:
    broker, systems = FakeBroker(ONE, TWO), FakeSystems()
    broker.delay = lambda verb: 0.5 if verb in ("close", "commit") else 0.001
    for partition, entity in ((ONE, "a"), (TWO, "b")):
        publish(broker, partition, *[FakeEvent(f"{entity}{number}", (entity,)) for number in range(3)])
    systems.seconds = {"a0": 2, "b0": 2}
    first = Member(broker, systems, "first").start()
    await asyncio.sleep(1)
    second = Member(broker, systems, "second")
    stopping = asyncio.create_task(first.stop())
    await asyncio.sleep(into_the_stop)

    second.start()
    await stopping
    told = await settled(broker, "a2", "b2", within_seconds=120)
    await second.stop()

    assert sorted(succeeded_once(told)) == ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert broker.members == []
    assert (first.observer.in_work, second.observer.in_work) == (0, 0)
    assert sorted(first.observer.taken) == sorted(first.observer.released)


async def test_a_partition_assigned_while_stopping_is_not_claimed() -> None:
    broker, systems = FakeBroker(ONE, TWO), FakeSystems()
    systems.seconds["a"] = 8
    publish(broker, ONE, FakeEvent("a", ("a",)))
    first, second = Member(broker, systems, "first"), Member(broker, systems, "second")
    first.start()
    second.start()
    await first.ready()
    await second.ready()
    stopping = asyncio.create_task(first.stop())
    await asyncio.sleep(1)

    await second.kill()
    await stopping

    assert first.observer.taken == [ONE]
    assert succeeded_once(results(broker)) == ["a"]


async def test_a_second_stop_changes_nothing() -> None:
    broker = FakeBroker(ONE)
    member = Member(broker, FakeSystems()).start()
    await member.ready()

    member.worker.stop()
    await member.stop()

    assert broker.members == []


async def test_whether_the_worker_was_stopped_within_a_time_can_be_waited_for() -> None:
    member = Member(FakeBroker(ONE), FakeSystems())

    waited = await member.worker.stopped_within(5)
    asyncio.get_running_loop().call_later(2, member.worker.stop)

    assert (waited, await member.worker.stopped_within(5)) == (False, True)
    assert asyncio.get_running_loop().time() == pytest.approx(7)


async def test_kafka_that_goes_away_while_stopping_does_not_hinder_it() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    systems.seconds["a"] = 3
    publish(broker, ONE, FakeEvent("a", ("a",)))
    member = Member(broker, systems).start()
    await asyncio.sleep(1)
    member.source.troubles["fetch"].append(SourceUnavailable("no brokers"))

    await member.stop()

    assert succeeded_once(results(broker)) == ["a"]
