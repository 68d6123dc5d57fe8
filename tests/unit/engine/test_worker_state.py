"""How a worker says that it stands."""

from __future__ import annotations

import asyncio

from service.domain.record import Partition
from service.engine.circuit import Reason
from service.engine.intake import IntakeLimits
from service.engine.state import Membership
from tests.fakes.broker import FakeBroker
from tests.fakes.events import RESULTS, FakeEvent
from tests.fakes.member import Member, publish, settled
from tests.fakes.systems import FakeSystems, deny

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
