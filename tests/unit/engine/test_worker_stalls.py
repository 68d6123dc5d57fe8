"""A worker that does not move on knows it; one that waits for systems or for Kafka is well."""

from __future__ import annotations

import asyncio

from service.domain.record import Partition
from tests.fakes.broker import CommitTrouble, FakeBroker
from tests.fakes.events import FakeEvent
from tests.fakes.member import Member, publish, settled
from tests.fakes.systems import FakeSystems, deny, stumble

ONE = Partition("changes", 0)
LONG_SECONDS = 600.0


async def longest_stall(member: Member, seconds: float) -> float:
    """The worst that the worker says of itself meanwhile."""
    loop = asyncio.get_running_loop()
    end, worst = loop.time() + seconds, 0.0
    while loop.time() < end:
        worst = max(worst, member.worker.stalled_seconds)
        await asyncio.sleep(0.5)
    return worst


async def test_a_worker_without_work_is_well() -> None:
    member = Member(FakeBroker(ONE), FakeSystems()).start()

    assert await longest_stall(member, LONG_SECONDS) < 1
    await member.stop()


async def test_an_adapter_that_never_comes_back_is_noticed() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    systems.hold("a")
    publish(broker, ONE, FakeEvent("a", ("a",)))
    member = Member(broker, systems).start()

    assert await longest_stall(member, 60) > 30
    await member.kill()


async def test_a_commit_that_never_comes_back_is_noticed() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    member = Member(broker, systems).start()
    await member.ready()
    broker.delay = lambda verb: 1e6 if verb == "commit" else 0.001
    publish(broker, ONE, FakeEvent("a", ("a",)))

    assert await longest_stall(member, 300) > 120
    await member.kill()


async def test_a_worker_that_waits_for_a_retry_is_well() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    systems.replies["a"].append(stumble(retry_after_seconds=LONG_SECONDS - 60))
    publish(broker, ONE, FakeEvent("a", ("a",)))
    member = Member(broker, systems).start()

    assert await longest_stall(member, LONG_SECONDS) < 1
    await member.stop()


async def test_a_worker_whose_credentials_are_refused_for_long_is_well() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    for event_id in ("a", "b", "c"):
        systems.replies[event_id].extend([deny()] * 1000)
        publish(broker, ONE, FakeEvent(event_id, (event_id,)))
    member = Member(broker, systems).start()

    assert await longest_stall(member, 10 * LONG_SECONDS) < 1
    await member.kill()


async def test_a_worker_whose_commits_cannot_be_stored_for_long_is_well() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    broker.commit_trouble = lambda partition: CommitTrouble.NOT_STORED
    publish(broker, ONE, FakeEvent("a", ("a",)))
    member = Member(broker, systems).start()

    assert await longest_stall(member, LONG_SECONDS) < 6
    await member.kill()


async def test_a_worker_that_comes_to_rest_is_well() -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    systems.seconds["a"] = 15
    publish(broker, ONE, FakeEvent("a", ("a",)))
    member = Member(broker, systems).start()
    await asyncio.sleep(1)
    stopping = asyncio.create_task(member.stop())

    assert await longest_stall(member, 30) < 20
    await stopping
    assert await settled(broker, "a")
