"""How a worker says that it stands."""

from __future__ import annotations

import asyncio

import pytest

from service.domain.record import Partition
from service.engine.circuit import CircuitPolicy, Reason
from service.engine.intake import IntakeLimits
from service.engine.state import MOST_KEYS, MOST_REPEATS, MOST_WORDS_CHARACTERS, Membership, cut
from tests.fakes.broker import FakeBroker
from tests.fakes.events import RESULTS, FakeEvent
from tests.fakes.member import Member, publish, settled
from tests.fakes.systems import FakeSystems, deny, stumble

ONE, TWO = Partition("changes", 0), Partition("changes", 1)


async def test_a_worker_without_work_has_its_partitions_and_nothing_else() -> None:
    member = Member(FakeBroker(ONE, TWO), FakeSystems()).start()
    await member.ready()

    state = member.worker.state
    await member.stop()

    assert [partition.partition for partition in state.partitions] == [ONE, TWO]
    assert {partition.oldest_since for partition in state.partitions} == {None}
    assert (state.jobs, state.running, state.lanes, state.gates, state.exports_since) == (0, 0, 0, (), ())
    assert member.worker.state.partitions == ()


async def test_what_is_in_memory_counts_until_it_is_stored() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    publish(broker, ONE, *[FakeEvent(f"e{number}", ("a",)) for number in range(3)])
    held = systems.hold("e1")
    member = Member(broker, systems).start()
    await settled(broker, "e0")
    await asyncio.sleep(10)

    state = member.worker.state
    (one,) = state.partitions
    held.set()
    await settled(broker, "e2")
    await asyncio.sleep(10)
    (after,) = member.worker.state.partitions
    await member.stop()

    assert (one.stored_frontier, one.unsettled, one.rests, one.held) == (1, 2, False, 0)
    assert one.unsettled_bytes > 0
    assert one.oldest_since is not None
    assert (state.jobs, state.running, state.lanes) == (2, 1, 1)
    assert (after.stored_frontier, after.unsettled, after.unsettled_bytes, after.oldest_since) == (3, 0, 0, None)


async def test_a_partition_that_rests_says_so() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    publish(broker, ONE, *[FakeEvent(f"e{number}", ("a",)) for number in range(40)])
    systems.hold("e0")
    member = Member(broker, systems, intake=IntakeLimits(records=10, bytes=10_000_000)).start()
    await asyncio.sleep(10)

    assert [partition.rests for partition in member.worker.state.partitions] == [True]
    await member.kill()


async def test_an_outcome_that_cannot_be_stored_is_told_as_held() -> None:
    broker = FakeBroker(ONE)
    broker.refused_topics.add(RESULTS)
    publish(broker, ONE, FakeEvent("e0", ("a",)))
    member = Member(broker, FakeSystems()).start()
    await asyncio.sleep(8)

    (one,) = member.worker.state.partitions
    await member.kill()

    assert (one.held, one.stored_frontier) == (1, 0)
    assert one.oldest_since is not None


async def test_a_gate_tells_why_its_circuit_is_open_and_who_waits() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    publish(broker, ONE, FakeEvent("e0", ("a",)), FakeEvent("e1", ("b",)))
    for event_id in ("e0", "e1"):
        systems.replies[event_id].extend([deny()] * 1000)
    member = Member(broker, systems).start()
    await asyncio.sleep(10)

    (gate,) = member.worker.state.gates
    await member.kill()

    assert gate.reason is Reason.CREDENTIALS
    assert gate.waiting in (1, 2)
    assert gate.repeats_left > 1
    assert gate.repeats_waiting == 0


async def test_an_open_circuit_tells_when_it_is_probed_next() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    publish(broker, ONE, FakeEvent("e0", ("a",)))
    systems.replies["e0"].append(deny(retry_after_seconds=30))
    held = systems.hold("e0")
    member = Member(broker, systems).start()
    await until_called(systems, 1)
    held.set()
    await asyncio.sleep(10)
    held.clear()
    (waiting,) = member.worker.state.gates
    await until_called(systems, 2)
    (probing,) = member.worker.state.gates
    held.set()
    await settled(broker, "e0")
    (closed,) = member.worker.state.gates
    await member.stop()

    assert waiting.probe_in_seconds == pytest.approx(20, abs=0.1)
    assert (probing.reason, probing.probe_in_seconds) == (Reason.CREDENTIALS, None)
    assert (closed.reason, closed.probe_in_seconds) == (None, None)


async def test_a_record_that_waits_for_a_retry_tells_why_and_until_when() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    publish(broker, ONE, FakeEvent("e0", ("b", "a")), FakeEvent("e1", ("a",)), FakeEvent("e2", ("c",)))
    systems.replies["e0"].extend([stumble(retry_after_seconds=8), stumble(retry_after_seconds=40)])
    held = systems.hold("e0")
    held.set()
    member = Member(broker, systems).start()
    await until_called(systems, 3)
    await asyncio.sleep(10)
    held.clear()
    state = member.worker.state
    await until_called(systems, 4)
    calling = member.worker.state
    held.set()
    await settled(broker, "e0", "e1", "e2")
    after = member.worker.state
    await member.stop()

    (told,) = state.repeats
    assert state.repeating == 1
    assert (told.partition, told.offset, told.event_id, told.tenant) == (ONE, 0, "e0", "diku")
    assert (told.entities, told.entity_count) == (("a", "b"), 2)
    assert (told.system, told.attempts, told.message) == ("eholdings", 2, "try later")
    assert told.due_in_seconds == pytest.approx(30, abs=0.1)
    assert (calling.repeating, calling.repeats) == (0, ())
    assert (after.repeating, after.repeats) == (0, ())


async def test_a_retry_that_an_open_circuit_keeps_back_has_no_time() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    publish(broker, ONE, FakeEvent("e0", ("a",)), FakeEvent("e1", ("b",)))
    systems.replies["e0"].append(stumble(retry_after_seconds=5))
    systems.replies["e1"].append(deny(retry_after_seconds=60))
    member = Member(broker, systems).start()
    await until_called(systems, 2)
    await asyncio.sleep(20)

    state = member.worker.state
    await member.kill()

    assert [(told.event_id, told.due_in_seconds) for told in state.repeats] == [("e0", None)]


async def test_of_many_records_that_wait_for_a_retry_the_most_tried_are_told_with_their_number() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    publish(broker, ONE, *[FakeEvent(f"e{n}", tuple(f"{n}-{m}" for m in range(7))) for n in range(80)])
    for number in range(80):
        systems.replies[f"e{number}"].append(stumble(retry_after_seconds=5 if number == 79 else 300))
    systems.replies["e79"].append(stumble(retry_after_seconds=300))
    member = Member(broker, systems, circuit=CircuitPolicy(failing_records=1000)).start()
    await until_called(systems, 81)
    await asyncio.sleep(1)

    state = member.worker.state
    await member.kill()

    assert (state.repeating, len(state.repeats)) == (80, MOST_REPEATS)
    assert (state.repeats[0].event_id, state.repeats[0].attempts) == ("e79", 2)
    assert (len(state.repeats[0].entities), state.repeats[0].entity_count) == (MOST_KEYS, 7)


def test_a_text_of_any_length_is_cut() -> None:
    assert cut("short") == "short"
    assert cut("x" * 1000) == "x" * (MOST_WORDS_CHARACTERS - 1) + "…"


async def until_called(systems: FakeSystems, times: int) -> None:
    """Blocks until so many calls have begun."""
    while len(systems.calls) < times:  # noqa: ASYNC110 - asked, not told
        await asyncio.sleep(0.01)


async def test_a_worker_says_where_it_stands_in_its_group_from_its_start_to_its_stop() -> None:
    member = Member(FakeBroker(ONE, TWO), FakeSystems())
    before = member.worker.membership
    member.start()
    await member.ready()
    joined = member.worker.membership
    member.worker.stop()
    stopping = member.worker.membership
    await member.stop()

    assert before == Membership()
    assert joined == Membership(joined=True, partitions=(ONE, TWO))
    assert (stopping.stopping, stopping.ready) == (True, False)
