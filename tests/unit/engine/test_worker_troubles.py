"""Kafka goes away, commits are lost, the worker is suspended: it comes back, and repeats nothing that is stored."""

from __future__ import annotations

import asyncio

import pytest

from service.domain.record import Partition
from service.engine.ports import OwnershipLost, SourceUnavailable
from tests.fakes.broker import CommitTrouble, FakeBroker
from tests.fakes.events import FakeEvent
from tests.fakes.member import DRAIN_SECONDS, Member, publish, settled, succeeded_once
from tests.fakes.systems import FakeSystems, stumble

ONE, TWO = Partition("changes", 0), Partition("changes", 1)


@pytest.mark.parametrize("trouble", [CommitTrouble.LOST_AND_NOT_STORED, CommitTrouble.LOST_BUT_STORED])
async def test_after_a_lost_commit_the_worker_joins_anew_and_continues_from_what_is_stored(
    trouble: CommitTrouble,
) -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    troubles = [None, trouble]
    broker.commit_trouble = lambda partition: troubles.pop(0) if troubles else None
    member = Member(broker, systems).start()
    publish(broker, ONE, FakeEvent("a", ("a",)))
    await settled(broker, "a")

    publish(broker, ONE, FakeEvent("b", ("b",)), FakeEvent("c", ("b",)))
    told = await settled(broker, "c")
    await member.ready()
    await member.stop()

    assert succeeded_once(told) == ["a", "b", "c"]
    assert systems.called.count("a") == 1
    assert systems.called.count("b") == (1 if trouble is CommitTrouble.LOST_BUT_STORED else 2)
    assert member.observer.in_work == 0
    assert member.observer.taken == member.observer.released == [ONE, ONE]


async def test_a_commit_that_could_not_be_stored_is_repeated_without_leaving_the_group() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    troubles = [CommitTrouble.NOT_STORED] * 3
    broker.commit_trouble = lambda partition: troubles.pop() if troubles else None
    publish(broker, ONE, FakeEvent("a", ("a",)))
    member = Member(broker, systems).start()

    told = await settled(broker, "a")
    await member.stop()

    assert succeeded_once(told) == ["a"]
    assert systems.called == ["a"]
    assert len(member.observer.commit_failures) == 3
    assert member.observer.taken == [ONE]


@pytest.mark.parametrize("trouble", [SourceUnavailable("no brokers"), OwnershipLost("gone"), LookupError("a defect")])
async def test_a_claim_that_fails_makes_the_worker_join_anew(trouble: Exception) -> None:
    broker, systems = FakeBroker(ONE, TWO), FakeSystems()
    publish(broker, ONE, FakeEvent("a", ("a",)))
    publish(broker, TWO, FakeEvent("b", ("b",)))
    member = Member(broker, systems)
    member.source.troubles["claim"].append(trouble)
    member.start()

    told = await settled(broker, "a", "b", within_seconds=60)
    await member.stop()

    assert len(succeeded_once(told)) == 2
    assert any("could not be claimed" in why for _, why in member.observer.lost)


async def test_a_worker_whose_kafka_went_away_joins_again_until_it_is_back() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    member = Member(broker, systems).start()
    await member.ready()
    away = SourceUnavailable("no brokers")
    member.source.troubles["fetch"].append(away)
    member.source.troubles["start"].extend([away] * 5)
    await asyncio.sleep(2)
    assert not member.worker.ready

    publish(broker, ONE, FakeEvent("a", ("a",)))
    told = await settled(broker, "a", within_seconds=60)
    await member.stop()

    assert succeeded_once(told) == ["a"]
    assert member.observer.source_failures == ["no brokers"] * 6


async def test_kafka_that_cannot_be_had_at_the_start_ends_the_worker() -> None:
    broker = FakeBroker(ONE)
    member = Member(broker, FakeSystems())
    member.source.troubles["start"].append(SourceUnavailable("no brokers"))

    member.start()

    assert member.run is not None
    with pytest.raises(SourceUnavailable, match="no brokers"):
        await member.run
    assert member.worker.stopping


async def test_joining_anew_starts_no_call_and_waits_only_for_those_that_run() -> None:
    """One partition is lost while another has no end of work."""
    broker, systems = FakeBroker(ONE, TWO), FakeSystems()
    member = Member(broker, systems).start()
    await member.ready()
    events = [FakeEvent(f"b{number}", (f"entity {number % 10}",)) for number in range(1000)]
    systems.seconds = {event.id: 0.3 + 0.07 * (number % 10) for number, event in enumerate(events)}
    publish(broker, TWO, *events)
    publish(broker, ONE, FakeEvent("a", ("a",)))
    broker.fence(ONE)

    told = await settled(broker, "a", within_seconds=DRAIN_SECONDS / 2)

    assert len(told) == len(set(told))
    await member.kill()


async def test_a_rebalance_while_joining_anew_claims_no_partition_twice() -> None:
    """The claims that it has begun are out of date when the worker is a member again."""
    broker, systems = FakeBroker(ONE), FakeSystems()
    member = Member(broker, systems).start()
    await member.ready()
    broker.delay = lambda verb: {"close": 0.5, "claim": 2.0}.get(verb, 0.001)
    publish(broker, ONE, FakeEvent("a", ("a",)))
    broker.fence(ONE)
    while not member.observer.released:  # noqa: ASYNC110 - asked, not told
        await asyncio.sleep(0.01)

    broker.rebalance()
    told = await settled(broker, "a")
    await member.stop()

    assert succeeded_once(told) == ["a"]
    assert member.observer.taken == member.observer.released
    assert all(store.closed for store in member.source.stores)


async def test_a_suspended_worker_that_was_replaced_makes_no_further_call() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    systems.replies["a"].append(stumble(retry_after_seconds=60))
    publish(broker, ONE, FakeEvent("a", ("a",)))
    missed = [0.0]
    suspended = Member(
        broker, systems, "suspended", clock=lambda: asyncio.get_running_loop().time() + missed[0]
    ).start()
    await asyncio.sleep(55)
    broker.leave(suspended.source)
    heir_systems = FakeSystems()
    heir = Member(broker, heir_systems, "heir").start()
    told = await settled(broker, "a", within_seconds=2)

    missed[0] = 300.0
    await asyncio.sleep(20)

    assert systems.called == ["a"], "the retry that was due is not made"
    assert heir_systems.called == ["a"]
    assert succeeded_once(told) == ["a"]
    await asyncio.gather(suspended.kill(), heir.stop())


async def test_a_worker_that_was_replaced_while_its_mark_was_being_stored_does_not_transfer() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    systems.marking.add("t")
    broker.delay = lambda verb: 2.0 if verb == "commit" else 0.001
    publish(broker, ONE, FakeEvent("t", ("a",), transfer=True))
    missed = [0.0]
    suspended = Member(
        broker, systems, "suspended", clock=lambda: asyncio.get_running_loop().time() + missed[0]
    ).start()
    while not broker.position(ONE).attempted:  # noqa: ASYNC110 - asked, not told
        await asyncio.sleep(0.1)

    missed[0] = 300.0
    broker.fence(ONE)
    suspended.source.troubles["start"].extend([SourceUnavailable("it does not come back")] * 100)
    await asyncio.sleep(20)

    assert systems.called == []
    await suspended.kill()


async def test_a_claim_during_which_the_worker_slept_is_proved_before_a_call_leaves() -> None:
    """The claim had come through when it fell asleep; what it read afterwards is of no worth."""
    broker, systems = FakeBroker(ONE), FakeSystems()
    broker.delay = lambda verb: 4.0 if verb == "claim" else 0.001
    publish(broker, ONE, FakeEvent("a", ("a",)))
    missed = [0.0]
    member = Member(broker, systems, clock=lambda: asyncio.get_running_loop().time() + missed[0]).start()
    await asyncio.sleep(2.5)

    missed[0] = 300.0
    broker.fence(ONE)
    member.source.troubles["start"].extend([SourceUnavailable("it does not come back")] * 100)
    await asyncio.sleep(20)

    assert systems.called == []
    await member.kill()


async def test_a_suspended_worker_that_was_not_replaced_goes_on_after_a_commit() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    systems.replies["a"].append(stumble(retry_after_seconds=60))
    publish(broker, ONE, FakeEvent("a", ("a",)))
    missed = [0.0]
    member = Member(broker, systems, clock=lambda: asyncio.get_running_loop().time() + missed[0]).start()
    await asyncio.sleep(55)
    assert broker.commits == []

    missed[0] = 300.0
    told = await settled(broker, "a")
    await member.stop()

    assert [len(commit.records) for commit in broker.commits] == [0, 1], "the first proves that the partition is ours"
    assert systems.called == ["a", "a"]
    assert succeeded_once(told) == ["a"]


async def test_a_claim_of_an_earlier_membership_does_not_pass_for_one_of_the_present() -> None:
    """It ends while the worker, a member again, still gives up what it holds from before."""
    broker, systems = FakeBroker(ONE, TWO), FakeSystems()
    member = Member(broker, systems).start()
    await member.ready()
    claims = [0.3, 0.8]

    def delay(verb: str) -> float:
        if verb == "claim" and claims:
            return claims.pop(0)
        return 0.5 if verb == "close" else 0.001

    broker.delay = delay
    publish(broker, ONE, FakeEvent("a", ("a",)))
    broker.fence(ONE)
    while not member.observer.released:  # noqa: ASYNC110 - asked, not told
        await asyncio.sleep(0.01)

    broker.rebalance()
    await asyncio.sleep(10)
    publish(broker, TWO, FakeEvent("b", ("b",)))
    told = await settled(broker, "a", "b", within_seconds=60)
    await member.stop()

    assert sorted(succeeded_once(told)) == ["a", "b"]


async def test_a_topic_that_was_made_anew_under_the_same_assignment_is_read_from_its_beginning() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    member = Member(broker, systems).start()
    publish(broker, ONE, FakeEvent("old a", ("a",)), FakeEvent("old b", ("b",)))
    await settled(broker, "old a", "old b")

    broker.recreate(ONE)
    publish(broker, ONE, FakeEvent("new a", ("a",)), FakeEvent("new b", ("b",)))
    told = await settled(broker, "new a", "new b")
    await member.ready()
    await member.stop()

    assert sorted(succeeded_once(told)) == ["new a", "new b", "old a", "old b"]
    assert [why for _, why in member.observer.lost] == ["offset 0 came although 2 was due: its log begins anew"]
    assert member.observer.in_work == 0
