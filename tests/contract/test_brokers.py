"""What a worker may rely on of its broker: one suite over the simulated broker and a real one, in both delivery modes.

It keeps the simulation honest: what holds of the one holds of the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import get_args

import pytest

from service.domain.record import Record
from service.engine.commit_metadata import encode
from service.engine.offsets import Position
from service.engine.ports import OwnershipLost, StoreUnavailable
from tests.contract.broker_worlds import PATIENCE_SECONDS, World, real, settled, simulated, until
from tests.fakes.source import Delivery

pytestmark = pytest.mark.timeout(60)

PROMPT_SECONDS = 0.2
"""Well below the half second for which a broker holds back a fetch that finds nothing, unless it is told otherwise."""

transactions_only = pytest.mark.parametrize("delivery", ["exactly_once"])
plain_only = pytest.mark.parametrize("delivery", ["at_least_once"])


@pytest.fixture(params=get_args(Delivery))
def delivery(request: pytest.FixtureRequest) -> Delivery:
    chosen: Delivery = request.param
    return chosen


@pytest.fixture
async def world(real_broker: str | None, topic_prefix: str, delivery: Delivery) -> AsyncIterator[World]:
    async with real(real_broker, topic_prefix, delivery) if real_broker else simulated(delivery) as found:
        yield found


# ── positions ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_without_any_commit_a_claim_begins_with_the_first_record(world: World) -> None:
    one, _ = world.partitions
    await world.append(one, b"a", b"b")
    seat = await world.join()
    await settled(seat)

    claim = await seat.claim(one)

    assert claim.position == Position(0)
    assert await seat.fetched(2) == [b"a", b"b"]


async def test_a_claim_finds_the_offset_and_the_metadata_of_the_last_commit(world: World) -> None:
    one, two = world.partitions
    seat = await world.join()
    await settled(seat)
    left = Position(3, ((5, 9),), frozenset({4}))
    claim = await seat.claim(one)
    await seat.commit(claim, offset=1)
    await seat.commit(claim, b"result", offset=left.frontier, metadata=encode(left))
    await seat.leave()

    heir = await world.join()
    await settled(heir)

    assert (await heir.claim(one)).position == left
    assert (await heir.claim(two)).position == Position(0), "each partition has its own"


async def test_metadata_is_stored_up_to_the_limit_and_refused_beyond_it(world: World) -> None:
    one, _ = world.partitions
    seat = await world.join()
    await settled(seat)
    claim = await seat.claim(one)
    # A transactional producer of aiokafka is of no use after it; the partition has to be claimed anew.
    refusal = OwnershipLost if world.delivery == "exactly_once" else StoreUnavailable

    await seat.commit(claim, b"at the limit", offset=1, metadata="x" * world.metadata_bytes)
    with pytest.raises(refusal):
        await seat.commit(claim, b"beyond it", offset=2, metadata="x" * (world.metadata_bytes + 1))
    anew = await seat.claim(one)
    await seat.commit(anew, b"without any", offset=3)

    assert anew.position == Position(1), "metadata that cannot be read is ignored"
    published = [b"at the limit", b"without any"]
    if world.delivery == "at_least_once":
        published.insert(1, b"beyond it")
    assert await world.readable(len(published)) == published


# ── commits ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_records_and_position_of_a_commit_are_there_when_it_returns(world: World) -> None:
    one, _ = world.partitions
    seat = await world.join()
    await settled(seat)

    await seat.commit(await seat.claim(one), b"a", b"b", offset=7)

    assert await world.readable(2) == [b"a", b"b"]
    assert (await seat.claim(one)).position == Position(7)


@transactions_only
async def test_of_two_claims_only_the_later_stores_anything(world: World) -> None:
    one, two = world.partitions
    seat = await world.join()
    await settled(seat)
    earlier, other = await seat.claim(one), await seat.claim(two)
    later = await seat.claim(one)

    with pytest.raises(OwnershipLost):
        await seat.commit(earlier, b"of the earlier", offset=5)
    await seat.commit(later, b"of the later", offset=1)
    await seat.commit(other, b"of another partition", offset=1)

    assert await world.readable(2) == [b"of the later", b"of another partition"]
    assert (await seat.claim(one)).position == Position(1)


@transactions_only
async def test_a_transaction_that_a_dead_owner_left_open_hides_what_is_behind_it_until_the_next_claim_ends_it(
    world: World,
) -> None:
    one, two = world.partitions
    seat = await world.join()
    await settled(seat)
    dead, other = await seat.claim(one), await seat.claim(two)
    await seat.commit(other, b"before", offset=1)

    await world.leave_open(seat, dead, b"never", one, offset=8)
    await seat.commit(other, b"behind", offset=2)
    hidden = await world.readable(1)
    heir = await seat.claim(one)
    shown: list[bytes | None] = []
    async with asyncio.timeout(10):
        while len(shown) < 2:
            shown = await world.readable()

    assert hidden == [b"before"]
    assert shown == [b"before", b"behind"]
    assert heir.position == Position(0), "the offset went the way of the record"


@plain_only
async def test_a_plain_commit_of_a_member_that_was_expelled_is_refused(world: World) -> None:
    one, _ = world.partitions
    expelled = await world.join()
    await settled(expelled)
    claim = await expelled.claim(one)
    heir = await world.join()
    await settled(expelled, heir)
    claim = await expelled.claim(next(iter(expelled.epochs)))
    expelled.process.suspend()
    await settled(heir)
    expelled.holds_up = True
    expelled.process.wake()

    await until(lambda: expelled.expulsions == 1)
    with pytest.raises(OwnershipLost):
        await expelled.commit(claim, b"too late", offset=5)

    assert (await heir.claim(one)).position == Position(0)
    assert await world.readable() == []


@plain_only
async def test_a_member_that_holds_up_a_rebalance_may_still_commit(world: World) -> None:
    one, _ = world.partitions
    seat = await world.join()
    await settled(seat)
    claim = await seat.claim(one)
    seat.holds_up = True
    await world.join()
    await until(lambda: seat.revocations == 1)

    await seat.commit(claim, b"at the last moment", offset=4)

    seat.holds_up = False
    await until(lambda: seat.assignments == 2)
    assert await world.readable(1) == [b"at the last moment"]


# ── the group ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_partition_that_stays_keeps_its_epoch_through_a_rebalance(world: World) -> None:
    first = await world.join()
    await settled(first)
    before = dict(first.epochs)

    second = await world.join()
    await settled(first, second)

    assert len(first.epochs) == len(second.epochs) == 1
    assert first.epochs.items() <= before.items()
    await second.leave()
    await settled(first)
    assert len(set(first.epochs.values())) == 2, "the one that came back has another epoch than the one that stayed"


async def test_a_rebalance_waits_for_a_member_that_takes_its_time(world: World) -> None:
    first = await world.join()
    await settled(first)
    first.holds_up = True

    second = await world.join()
    await until(lambda: first.revocations == 1)
    await asyncio.sleep(world.session_seconds * 1.3)  # it is awake, and its session goes on
    waited = not second.epochs
    first.holds_up = False
    await settled(first, second)

    assert waited


async def test_a_fetch_ends_in_time_while_a_rebalance_is_held_up(world: World) -> None:
    first = await world.join()
    await settled(first)
    first.holds_up = True
    second = await world.join()
    await until(lambda: first.revocations == 1)

    async with asyncio.timeout(PATIENCE_SECONDS / 2):
        assert await first.fetch() == await second.fetch() == []

    first.holds_up = False
    await settled(first, second)


async def test_who_leaves_is_not_waited_for(world: World) -> None:
    first = await world.join()
    second = await world.join()
    await settled(first, second)
    began = asyncio.get_running_loop().time()

    await second.leave()
    await until(lambda: len(first.epochs) == 2)

    assert asyncio.get_running_loop().time() - began < world.session_seconds


async def test_a_member_suspended_for_less_than_its_session_keeps_what_it_has(world: World) -> None:
    first = await world.join()
    second = await world.join()
    await settled(first, second)
    counts = first.assignments, second.assignments

    first.process.suspend()
    await asyncio.sleep(world.session_seconds * 0.4)
    first.process.wake()
    await asyncio.sleep(world.session_seconds * 1.5)

    assert (first.assignments, second.assignments) == counts
    assert (first.expulsions, second.expulsions) == (0, 0)
    await first.commit(await first.claim(next(iter(first.epochs))), b"mine", offset=1)


async def test_a_member_suspended_beyond_its_session_is_expelled_and_comes_back_with_other_epochs(
    world: World,
) -> None:
    first = await world.join()
    second = await world.join()
    await settled(first, second)
    before, assignments = dict(first.epochs), first.assignments

    first.process.suspend()
    await until(lambda: len(second.epochs) == 2)
    still_believes = dict(first.epochs)
    first.process.wake()
    await until(lambda: first.assignments > assignments and len(first.epochs) == 1 and len(second.epochs) == 1)

    assert (first.expulsions, second.expulsions) == (1, 0)
    assert still_believes == before, "it hears of it only later"
    assert first.epochs.items().isdisjoint(before.items())
    assert {*first.epochs, *second.epochs} == set(world.partitions)


async def test_a_rebalance_waits_for_a_suspended_member_until_its_session_is_over(world: World) -> None:
    first = await world.join()
    await settled(first)
    first.process.suspend()
    began = asyncio.get_running_loop().time()

    second = await world.join()
    await until(lambda: len(second.epochs) == 2)

    assert asyncio.get_running_loop().time() - began > world.session_seconds * 0.5


async def test_a_claim_that_slept_while_another_took_the_partition_stores_nothing(world: World) -> None:
    one, _ = world.partitions
    sleeper = await world.join()
    await settled(sleeper)
    claim = await sleeper.claim(one)
    heir = await world.join()
    sleeper.process.suspend()
    await until(lambda: len(heir.epochs) == 2)
    await heir.commit(await heir.claim(one), b"of the heir", offset=3)
    sleeper.holds_up = True

    sleeper.process.wake()
    with pytest.raises(OwnershipLost):
        await sleeper.commit(claim, offset=9)

    assert await world.readable(1) == [b"of the heir"]
    assert (await heir.claim(one)).position == Position(3)


@plain_only
async def test_an_expelled_member_that_knows_publishes_nothing_more(world: World) -> None:
    one, _ = world.partitions
    expelled = await world.join()
    await settled(expelled)
    claim = await expelled.claim(one)
    expelled.process.suspend()
    heir = await world.join()
    await until(lambda: len(heir.epochs) == 2)

    expelled.process.wake()
    await until(lambda: len(expelled.epochs) == 1 and len(heir.epochs) == 1)
    with pytest.raises(OwnershipLost):
        await expelled.commit(claim, b"too late", offset=9)

    assert await world.readable() == []


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_seek_reads_again_from_where_it_points(world: World) -> None:
    one, _ = world.partitions
    await world.append(one, b"a", b"b", b"c")
    seat = await world.join()
    await settled(seat)
    await seat.fetched(3)

    await seat.seek(one, 1)

    assert await seat.fetched(2) == [b"b", b"c"]


async def test_a_paused_partition_gives_nothing_until_it_is_resumed_and_the_other_goes_on(world: World) -> None:
    one, two = world.partitions
    seat = await world.join()
    await settled(seat)
    await seat.pause(one)
    await world.append(one, b"of one")
    await world.append(two, b"of two")

    flowing = await seat.fetched(1)
    rest = await seat.fetch()
    await seat.resume(one)

    assert (flowing, rest) == ([b"of two"], [])
    assert await seat.fetched(1) == [b"of one"]


async def test_a_partition_that_is_resumed_does_not_wait_for_a_fetch_of_the_others_that_finds_nothing(
    world: World,
) -> None:
    one, two = world.partitions
    seat = await world.join()
    await settled(seat)

    async def waited(number: int) -> float:
        await seat.pause(one)
        for _ in range(2):  # the second is asked for without the partition that is paused, and so is what is asked next
            await world.append(two, b"of two")
            await seat.fetched(1)
        await world.append(one, b"of one")
        began = asyncio.get_running_loop().time()
        await seat.resume(one)
        assert await seat.fetched(1) == [b"of one"], f"round {number}"
        return asyncio.get_running_loop().time() - began

    assert min([await waited(number) for number in range(3)]) < PROMPT_SECONDS


async def test_an_assignment_sets_every_partition_back_to_what_was_committed_and_lets_it_flow(world: World) -> None:
    one, two = world.partitions
    await world.append(one, b"a", b"b")
    await world.append(two, b"c", b"d")
    seat = await world.join()
    await settled(seat)
    for partition in (one, two):
        await seat.commit(await seat.claim(partition), offset=1)
    await seat.seek(one, 0)
    await seat.seek(two, 0)
    await seat.fetched(4)
    await seat.pause(one, two)

    other = await world.join()
    await settled(seat, other)

    assert await seat.fetched(1) == [b"b" if one in seat.epochs else b"d"]


async def test_records_carry_the_epoch_under_which_they_were_read(world: World) -> None:
    one, _ = world.partitions
    await world.append(one, b"a")
    seat = await world.join()
    await settled(seat)

    records: list[Record] = []
    async with asyncio.timeout(10):
        while not records:
            records = await seat.fetch()

    assert [(record.partition, record.offset, record.epoch) for record in records] == [(one, 0, seat.epochs[one])]
