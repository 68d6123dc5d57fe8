"""What waits for what in a worker, and that every record gets its one result."""

from __future__ import annotations

import asyncio

import pytest

from service.domain.codes import Code
from service.domain.outcomes import Overall
from service.domain.record import Partition
from service.engine.intake import IntakeLimits
from service.engine.offsets import Position
from service.engine.worker import FETCH_SECONDS
from tests.fakes.broker import FakeBroker
from tests.fakes.events import DEAD_LETTERS, FakeEvent, told_by
from tests.fakes.member import Member, publish, results, settled, succeeded_once
from tests.fakes.systems import FakeSystems, deny, refuse, stumble

ONE, TWO = Partition("changes", 0), Partition("changes", 1)
CALL_SECONDS = 0.01


async def test_every_record_gets_one_result_and_the_offset_moves_behind_it() -> None:
    broker, systems = FakeBroker(ONE, TWO), FakeSystems()
    publish(broker, ONE, *[FakeEvent(f"a{number}", ("a",)) for number in range(5)])
    publish(broker, TWO, *[FakeEvent(f"b{number}", ("b",)) for number in range(5)])
    member = Member(broker, systems).start()

    told = await settled(broker, "a4", "b4")
    await member.stop()

    assert sorted(succeeded_once(told)) == sorted(f"{entity}{number}" for entity in "ab" for number in range(5))
    assert broker.committed == {ONE: (5, ""), TWO: (5, "")}
    assert member.observer.in_work == 0


async def test_events_of_one_entity_are_called_one_after_the_other_in_their_order() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    publish(broker, ONE, *[FakeEvent(f"e{number}", ("a",)) for number in range(6)])
    systems.seconds = {"e0": 3.0, "e2": 1.0, "e4": 2.0}
    member = Member(broker, systems).start()

    await settled(broker, "e5")
    await member.stop()

    assert systems.called == [f"e{number}" for number in range(6)]
    ends = [call.ended_at for call in systems.calls]
    assert all(call.started_at >= (end or 0) for call, end in zip(systems.calls[1:], ends, strict=False))


async def test_events_of_different_entities_do_not_wait_for_each_other() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    finish = systems.hold("slow")
    publish(broker, ONE, FakeEvent("slow", ("a",)), FakeEvent("behind", ("a",)), FakeEvent("free", ("b",)))
    member = Member(broker, systems).start()

    await settled(broker, "free", within_seconds=1)
    assert systems.running() == ["slow"]
    finish.set()
    await settled(broker, "behind")
    await member.stop()

    assert systems.called == ["slow", "free", "behind"]


async def test_an_entity_is_one_entity_in_whichever_partition_its_events_come() -> None:
    broker, systems = FakeBroker(ONE, TWO), FakeSystems()
    finish = systems.hold("first")
    publish(broker, ONE, FakeEvent("first", ("a",)))
    member = Member(broker, systems).start()
    await asyncio.sleep(1)
    publish(broker, TWO, FakeEvent("second", ("a",)), FakeEvent("free", ("b",)))

    await settled(broker, "free", within_seconds=2)
    assert systems.called == ["first", "free"]
    finish.set()
    await settled(broker, "second")
    await member.stop()

    assert systems.called == ["first", "free", "second"]


async def test_readers_of_an_entity_run_together_and_its_writer_alone() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    held = [systems.hold(name) for name in ("reader 1", "reader 2")]
    publish(
        broker,
        ONE,
        FakeEvent("reader 1", ("a",), ("source",)),
        FakeEvent("reader 2", ("b",), ("source",)),
        FakeEvent("writer", ("source",)),
    )
    member = Member(broker, systems).start()
    await asyncio.sleep(2)

    assert systems.running() == systems.called == ["reader 1", "reader 2"]
    for finish in held:
        finish.set()
    await settled(broker, "writer")
    await member.stop()

    assert systems.called == ["reader 1", "reader 2", "writer"]


async def test_an_event_being_retried_holds_back_only_the_events_of_its_entity() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    systems.replies["stumbling"].append(stumble(retry_after_seconds=300))
    others = [FakeEvent(f"e{number}", (f"entity {number}",)) for number in range(50)]
    publish(broker, ONE, FakeEvent("stumbling", ("a",)), FakeEvent("behind", ("a",)), *others)
    member = Member(broker, systems, concurrency=1).start()

    await settled(broker, *[event.id for event in others], within_seconds=10)
    assert "behind" not in systems.called
    assert broker.position(ONE) == Position(0, ((2, 52),))
    told = await settled(broker, "behind")
    await member.stop()

    assert asyncio.get_running_loop().time() > 300
    assert systems.called[-2:] == ["stumbling", "behind"]
    assert len(succeeded_once(told)) == 52
    assert broker.position(ONE) == Position(52)


async def test_a_denied_system_holds_back_only_what_needs_it() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    systems.replies["denied"].append(deny(retry_after_seconds=7200))
    publish(broker, ONE, FakeEvent("denied", ("a",)))
    member = Member(broker, systems).start()
    await asyncio.sleep(1)
    publish(broker, ONE, FakeEvent("same system", ("b",)), FakeEvent("another", ("c",), transfer=True))

    told = await settled(broker, "another", within_seconds=10)
    assert [one.event_id for one in told] == ["another"]
    told = await settled(broker, "denied", "same system", within_seconds=8000)
    await member.stop()

    assert len(succeeded_once(told)) == 3


async def test_a_refused_event_leaves_a_dead_letter_and_lets_the_next_one_go_on() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    systems.replies["refused"].append(refuse)
    publish(broker, ONE, FakeEvent("refused", ("a",)), FakeEvent("next", ("a",)))
    member = Member(broker, systems).start()

    told = await settled(broker, "next")
    await member.stop()

    assert [(one.event_id, one.overall) for one in told] == [
        ("refused", Overall.FAILED),
        ("next", Overall.SUCCEEDED),
    ]
    letters = [told_by(sent) for sent in broker.published if sent.topic == DEAD_LETTERS]
    assert [(letter.event_id, letter.code) for letter in letters] == [("refused", Code.REFUSED)]


async def test_an_invalid_record_gets_its_result_without_a_call_and_without_waiting() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    finish = systems.hold("slow")
    publish(broker, ONE, FakeEvent("slow", ("a",)), FakeEvent("invalid", ("a",), valid=False))
    member = Member(broker, systems).start()

    told = await settled(broker, "invalid", within_seconds=2)
    assert [(one.event_id, one.code) for one in told] == [("invalid", Code.INVALID_DATA)]
    finish.set()
    await settled(broker, "slow")
    await member.stop()

    assert systems.called == ["slow"]
    assert member.observer.in_work == 0


async def test_holes_in_the_log_hold_nothing_up() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    for offset in (3, 4, 90, 1000):
        broker.append(ONE, FakeEvent(f"e{offset}", ("a",)).encode(), offset)
    member = Member(broker, systems).start()

    told = await settled(broker, "e1000")
    await member.stop()

    assert succeeded_once(told) == ["e3", "e4", "e90", "e1000"]
    assert broker.position(ONE) == Position(1001)


async def test_a_partition_that_has_used_up_its_share_of_memory_rests_while_others_go_on() -> None:
    broker, systems = FakeBroker(ONE, TWO), FakeSystems()
    finish = systems.hold("a0")
    publish(broker, ONE, *[FakeEvent(f"a{number}", ("a",)) for number in range(40)])
    member = Member(broker, systems, intake=IntakeLimits(20, 10_000_000))
    member.start()
    await member.ready()
    await asyncio.sleep(5)
    assert member.source.paused == {ONE}

    publish(broker, ONE, *[FakeEvent(f"a{number}", ("a",)) for number in range(40, 60)])
    publish(broker, TWO, FakeEvent("b", ("b",)))
    await settled(broker, "b", within_seconds=10)
    received = [record.partition for record in member.observer.records_received]
    assert received.count(ONE) == 40, "what came after the partition began to rest is left in the log"

    finish.set()
    told = await settled(broker, "a59")
    await asyncio.sleep(1)
    assert member.source.paused == set()
    await member.stop()
    assert len(succeeded_once(told)) == 61


async def test_a_worker_polls_on_while_every_partition_rests() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    systems.hold("a0")
    publish(broker, ONE, *[FakeEvent(f"a{number}", ("a",)) for number in range(30)])
    member = Member(broker, systems, intake=IntakeLimits(20, 10_000_000)).start()
    await asyncio.sleep(600)

    assert member.source.paused == {ONE}
    assert asyncio.get_running_loop().time() - member.source.fetched_at < 1
    await member.kill()


async def test_memory_counts_bytes_until_their_outcome_is_stored() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    finish = systems.hold("a")
    publish(broker, ONE, FakeEvent("a", ("a",)), FakeEvent("b", ("b",)))
    member = Member(broker, systems).start()
    await settled(broker, "b")
    (owned,) = member.worker.partitions

    assert (owned.unsettled, owned.unsettled_bytes) == (1, len(FakeEvent("a", ("a",)).encode()))
    finish.set()
    await settled(broker, "a")
    await asyncio.sleep(1)
    assert (owned.unsettled, owned.unsettled_bytes, member.worker.jobs) == (0, 0, 0)
    await member.stop()


@pytest.mark.parametrize("count", [1, 300])
async def test_many_events_of_one_entity_are_settled_in_order(count: int) -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    publish(broker, ONE, *[FakeEvent(f"e{number}", ("a",)) for number in range(count)])
    member = Member(broker, systems).start()

    told = await settled(broker, f"e{count - 1}")
    await member.stop()

    assert [one.offset for one in told] == list(range(count)) == [one.offset for one in results(broker)]


async def test_a_partition_that_rested_goes_on_as_soon_as_there_is_room_and_not_with_the_next_fetch() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    events = [FakeEvent(f"a{number}", (f"a{number}",)) for number in range(20)]
    publish(broker, ONE, *events)
    member = Member(broker, systems, intake=IntakeLimits(records=1, bytes=10_000_000))
    member.source.fetch_records = 1
    member.start()
    await member.ready()
    began = asyncio.get_running_loop().time()

    await settled(broker, *(event.id for event in events))

    assert asyncio.get_running_loop().time() - began < FETCH_SECONDS * len(events) / 4
    await member.stop()
