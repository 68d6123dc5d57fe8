"""Partitions come and go: what is kept goes on, what is lost is dropped, and nobody repeats what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from service.domain.outcomes import Overall
from service.domain.record import Partition, Record
from service.engine.intake import IntakeLimits
from tests.fakes.broker import FakeBroker
from tests.fakes.events import FakeEvent
from tests.fakes.member import DRAIN_SECONDS, Member, everything_to, publish, results, settled, succeeded_once
from tests.fakes.systems import FakeSystems, stumble

ONE, TWO = Partition("changes", 0), Partition("changes", 1)


async def test_a_partition_that_is_kept_through_a_rebalance_keeps_its_work() -> None:
    broker, systems = FakeBroker(ONE, TWO), FakeSystems()
    systems.replies["a"].append(stumble(retry_after_seconds=60))
    publish(broker, ONE, FakeEvent("a", ("a",)), FakeEvent("behind", ("a",)))
    first = Member(broker, systems, "first").start()
    await asyncio.sleep(2)
    fetched = first.source.records_fetched

    second = Member(broker, systems, "second").start()
    await second.ready()
    await broker.balanced()
    assert [owned.partition for owned in first.worker.partitions] == [ONE]
    told = await settled(broker, "behind")
    assert first.source.records_fetched == fetched, "what is in memory is not fetched again"

    assert systems.called == ["a", "a", "behind"], "the retry was not begun anew"
    assert [call.context.attempt for call in systems.calls] == [1, 2, 1]
    assert succeeded_once(told) == ["a", "behind"]
    assert {commit.owner for commit in broker.commits} == {"first"}
    await asyncio.gather(first.stop(), second.stop())


async def test_a_rebalance_waits_for_calls_that_run_and_starts_none() -> None:
    broker, systems = FakeBroker(ONE, TWO), FakeSystems()
    systems.seconds["a"] = 10
    publish(broker, ONE, FakeEvent("a", ("a",)), FakeEvent("behind", ("a",)))
    first = Member(broker, systems, "first").start()
    await asyncio.sleep(2)

    second = Member(broker, systems, "second").start()
    await asyncio.sleep(5)
    assert not second.worker.ready
    await settled(broker, "behind")
    await asyncio.gather(first.stop(), second.stop())

    assert systems.called == ["a", "behind"]


async def test_a_partition_that_goes_to_another_is_drained_and_continued_there() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    systems.seconds = {"a0": 5}
    publish(broker, ONE, *[FakeEvent(f"a{number}", ("a",)) for number in range(3)], FakeEvent("b", ("b",)))
    first = Member(broker, systems, "first").start()
    await settled(broker, "b")
    second = Member(broker, systems, "second")
    everything_to(second, broker)

    second.start()
    told = await settled(broker, "a2")

    assert systems.called == ["a0", "b", "a1", "a2"], "nothing finished is done again"
    assert sorted(succeeded_once(told)) == ["a0", "a1", "a2", "b"]
    assert [(commit.owner, len(commit.records)) for commit in broker.commits][:2] == [("first", 1), ("first", 1)]
    assert first.observer.in_work == 0
    await asyncio.gather(first.stop(), second.stop())


async def test_a_call_that_outlasts_the_drain_is_repeated_by_the_next_owner_and_its_answer_dropped() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    finish = systems.hold("a")
    publish(broker, ONE, FakeEvent("a", ("a",)))
    first = Member(broker, systems, "first").start()
    await asyncio.sleep(2)
    second = Member(broker, systems, "second")
    everything_to(second, broker)

    second.start()
    await asyncio.sleep(DRAIN_SECONDS + 2)
    assert systems.called == ["a", "a"]
    finish.set()
    told = await settled(broker, "a")
    await asyncio.sleep(5)

    assert succeeded_once(told) == ["a"]
    assert {commit.owner for commit in broker.commits} == {"second"}
    assert (first.worker.jobs, first.observer.in_work) == (0, 0)
    await asyncio.gather(first.stop(), second.stop())


async def test_what_waited_for_its_turn_in_a_lost_partition_is_left_to_the_next_owner() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    finish = systems.hold("a")
    publish(broker, ONE, FakeEvent("a", ("a",)), FakeEvent("behind", ("a",)))
    first, second = Member(broker, systems, "first"), Member(broker, FakeSystems(), "second")
    first.start()
    await asyncio.sleep(2)
    everything_to(second, broker)
    second.start()
    await asyncio.sleep(DRAIN_SECONDS + 2)
    finish.set()
    told = await settled(broker, "behind")
    await asyncio.sleep(5)

    assert systems.called == ["a"], "the first owner makes no call that had not begun"
    assert succeeded_once(told) == ["a", "behind"]
    assert first.observer.in_work == 0
    await asyncio.gather(first.stop(), second.stop())


async def test_a_lane_is_free_only_when_the_call_of_a_lost_partition_has_ended() -> None:
    """The same entity has events in two partitions; one partition is lost while its call runs."""
    broker, systems = FakeBroker(ONE, TWO), FakeSystems()
    finish = systems.hold("lost")
    publish(broker, ONE, FakeEvent("lost", ("a",)))
    first = Member(broker, systems, "first").start()
    await asyncio.sleep(2)
    publish(broker, TWO, FakeEvent("kept", ("a",)))
    await asyncio.sleep(2)
    second = Member(broker, FakeSystems(), "second")
    broker.assign = lambda members, partitions: {
        source: [partition for partition in partitions if (partition == ONE) == (source is second.source)]
        for source in members
    }
    second.start()
    await settled(broker, "lost", within_seconds=DRAIN_SECONDS + 20)

    await asyncio.sleep(100)
    assert systems.called == ["lost"], "the call for the entity still runs"
    finish.set()
    told = await settled(broker, "kept")

    assert systems.called == ["lost", "kept"]
    assert succeeded_once(told) == ["lost", "kept"]
    await asyncio.gather(first.stop(), second.stop())


async def test_a_partition_that_comes_back_continues_behind_a_call_that_still_runs() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    finish = systems.hold("a")
    publish(broker, ONE, FakeEvent("a", ("a",)))
    first = Member(broker, systems, "first").start()
    await asyncio.sleep(2)

    broker.leave(first.source)
    await first.source.find_out()  # expelled, and joined again under another name
    await asyncio.sleep(50)
    assert systems.running() == ["a"], "no second call while the first runs"
    finish.set()
    told = await settled(broker, "a")
    await first.stop()

    assert succeeded_once(told) == ["a"]
    assert systems.called == ["a", "a"]


async def test_an_expelled_worker_publishes_nothing_more() -> None:
    """It does not know yet that another has its partition."""
    broker, systems = FakeBroker(ONE), FakeSystems()
    finish = systems.hold("a")
    publish(broker, ONE, FakeEvent("a", ("a",)))
    zombie = Member(broker, systems, "zombie").start()
    await asyncio.sleep(2)
    heir = Member(broker, FakeSystems(), "heir").start()
    everything_to(heir, broker)
    broker.leave(zombie.source)

    await settled(broker, "a")
    finish.set()
    await asyncio.sleep(60)

    assert [commit.owner for commit in broker.commits] == ["heir"]
    assert succeeded_once(results(broker)) == ["a"]
    assert any("another worker" in why for _, why in zombie.observer.lost)
    assert zombie.observer.in_work == 0
    await asyncio.gather(zombie.stop(), heir.stop())


async def test_partitions_that_rest_are_paused_again_after_a_rebalance() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    systems.hold("a0")
    publish(broker, ONE, *[FakeEvent(f"a{number}", ("a",)) for number in range(20)])
    first = Member(broker, systems, "first", intake=IntakeLimits(20, 10_000_000)).start()
    await asyncio.sleep(10)
    second = Member(broker, systems, "second").start()
    await second.ready()
    publish(broker, ONE, FakeEvent("too much", ("a",)))
    await asyncio.sleep(10)

    assert first.source.paused == {ONE}
    assert len(first.observer.records_received) == 20
    await asyncio.gather(first.kill(), second.kill())


async def test_a_partition_that_rested_when_it_was_lost_flows_when_it_comes_back() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    finish = systems.hold("a0")
    publish(broker, ONE, *[FakeEvent(f"a{number}", ("a",)) for number in range(30)])
    member = Member(broker, systems, intake=IntakeLimits(20, 10_000_000)).start()
    await asyncio.sleep(10)
    assert member.source.paused == {ONE}

    member.source.keeps_pauses = True
    broker.leave(member.source)
    finish.set()
    await member.source.find_out()
    told = await settled(broker, "a29")
    await member.stop()

    assert len(succeeded_once(told)) == 30


async def test_a_record_of_an_earlier_assignment_is_not_taken_in() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    member = Member(broker, systems)
    fetch = member.source.fetch

    async def fetch_stale(timeout_seconds: float) -> Sequence[Record]:
        return [record._replace(epoch=record.epoch - 1) for record in await fetch(timeout_seconds)]

    member.source.fetch = fetch_stale  # type: ignore[method-assign]  # a source that is late
    member.start()
    await member.ready()
    publish(broker, ONE, FakeEvent("stale", ("a",)))
    await asyncio.sleep(10)
    await member.stop()

    assert systems.called == []
    assert member.observer.records_received == []


async def test_the_next_owner_is_told_of_an_attempt_whose_outcome_nobody_knows() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    systems.marking.add("t")
    systems.hold("t")
    publish(broker, ONE, FakeEvent("t", ("a",), transfer=True))
    first = Member(broker, systems, "first").start()
    await asyncio.sleep(2)
    await first.kill()

    systems.held.clear()
    second = Member(broker, systems, "second").start()
    told = await settled(broker, "t")
    await second.stop()

    assert succeeded_once(told) == ["t"]
    assert [call.context.uncertain for call in systems.calls] == [False, True]


async def test_a_worker_is_ready_once_it_has_claimed_what_it_was_assigned() -> None:
    broker = FakeBroker(ONE)
    broker.delay = lambda verb: 5.0 if verb == "claim" else 0.001
    member = Member(broker, FakeSystems()).start()

    await asyncio.sleep(3)
    before = member.worker.ready
    await asyncio.sleep(4)
    after = member.worker.ready
    await member.stop()

    assert (before, after, member.worker.ready) == (False, True, False)


async def test_records_that_arrive_before_their_partition_is_claimed_are_read_again() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    broker.delay = lambda verb: 5.0 if verb == "claim" else 0.001
    publish(broker, ONE, *[FakeEvent(f"e{number}", ("a",)) for number in range(3)])
    member = Member(broker, systems).start()

    told = await settled(broker, "e2")
    await member.stop()

    assert succeeded_once(told) == ["e0", "e1", "e2"]
    assert [one.overall for one in told] == [Overall.SUCCEEDED] * 3
