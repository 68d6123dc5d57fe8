"""Who gets which connection, with connections that only count."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from service.systems.transport.connection import Connection
from service.systems.transport.pool import Pool
from service.systems.wire import Origin

pytestmark = pytest.mark.ours_alone("our pool by itself")

HERE, THERE = Origin("http", "here", 80), Origin("http", "there", 80)


class Idle(Connection):
    """Is always in order until it is closed."""

    def is_quiet(self) -> bool:
        return not self.closed

    @property
    def may_be_kept(self) -> bool:
        return not self.closed


class World:
    """Opens connections, and keeps what it has opened."""

    def __init__(self) -> None:
        self.opened: list[tuple[Origin, Idle]] = []
        self.may_open = asyncio.Event()
        self.may_open.set()

    async def open(self, origin: Origin, connect_seconds: float | None) -> Connection:
        await self.may_open.wait()
        connection = Idle()
        self.opened.append((origin, connection))
        return connection


def pool_of(world: World, most: int) -> Pool:
    return Pool(world.open, most, 15.0)


async def acquire(
    pool: Pool, origin: Origin = HERE, *, fresh: bool = False, seconds: float | None = None
) -> Connection:
    return await pool.acquire(origin, fresh=fresh, connect_seconds=None, pool_seconds=seconds)


async def spin() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_connection_that_was_used_last_is_used_next() -> None:
    pool = pool_of(World(), 9)
    first, second = await acquire(pool), await acquire(pool)
    pool.give_back(HERE, first, keep=True)
    pool.give_back(HERE, second, keep=True)

    assert pool.take(HERE) is second
    assert pool.take(HERE) is first
    assert pool.take(HERE) is None


async def test_a_connection_serves_its_own_origin_alone() -> None:
    pool = pool_of(World(), 9)
    pool.give_back(HERE, await acquire(pool), keep=True)

    assert pool.take(THERE) is None


async def test_who_waits_is_served_in_the_order_of_arrival() -> None:
    pool, served = pool_of(World(), 1), list[int]()
    connection = await acquire(pool)

    async def wait(number: int) -> None:
        mine = await acquire(pool)
        served.append(number)
        pool.give_back(HERE, mine, keep=True)

    waiting = [asyncio.ensure_future(wait(number)) for number in range(5)]
    await spin()
    pool.give_back(HERE, connection, keep=True)
    await asyncio.gather(*waiting)

    assert served == [0, 1, 2, 3, 4]
    assert (pool.count, pool.idle) == (1, 1)


async def test_who_wants_another_origin_or_a_fresh_connection_gets_the_place_of_the_one_given_back() -> None:
    world = World()
    pool = pool_of(world, 1)
    kept = await acquire(pool)
    elsewhere = asyncio.ensure_future(acquire(pool, THERE))
    await spin()
    pool.give_back(HERE, kept, keep=True)
    there = await elsewhere
    fresh = asyncio.ensure_future(acquire(pool, THERE, fresh=True))
    await spin()
    pool.give_back(THERE, there, keep=True)
    await fresh

    assert [origin for origin, _ in world.opened] == [HERE, THERE, THERE]
    assert kept.closed
    assert there.closed
    assert pool.count == 1


async def test_the_longest_idle_connection_of_another_makes_room() -> None:
    world = World()
    pool = pool_of(world, 2)
    first, second = await acquire(pool), await acquire(pool)
    pool.give_back(HERE, first, keep=True)
    await asyncio.sleep(0.002)
    pool.give_back(HERE, second, keep=True)

    await acquire(pool, THERE)

    assert (first.closed, second.closed, pool.count) == (True, False, 2)


async def test_who_waits_too_long_is_told_and_takes_nothing_along() -> None:
    pool = pool_of(World(), 1)
    connection = await acquire(pool)

    with pytest.raises(httpx.PoolTimeout):
        await acquire(pool, seconds=0.01)
    pool.give_back(HERE, connection, keep=True)

    assert (pool.count, pool.idle) == (1, 1)


@pytest.mark.parametrize("fresh", [False, True])
async def test_what_is_granted_to_one_who_is_cancelled_at_the_same_moment_goes_to_the_next(fresh: bool) -> None:
    pool = pool_of(World(), 1)
    connection = await acquire(pool)
    gone = asyncio.ensure_future(acquire(pool, fresh=fresh))
    next_one = asyncio.ensure_future(acquire(pool))
    await spin()

    pool.give_back(HERE, connection, keep=True)
    gone.cancel()

    async with asyncio.timeout(5):
        pool.give_back(HERE, await next_one, keep=True)
    assert gone.cancelled()
    assert (pool.count, pool.idle) == (1, 1)


async def test_a_place_whose_opening_is_cancelled_goes_to_the_next() -> None:
    world = World()
    pool = pool_of(world, 1)
    world.may_open.clear()
    opening = asyncio.ensure_future(acquire(pool))
    next_one = asyncio.ensure_future(acquire(pool))
    await spin()
    opening.cancel()
    await spin()
    world.may_open.set()

    async with asyncio.timeout(5):
        await next_one
    assert pool.count == 1


async def test_a_connection_that_the_other_side_ends_while_it_is_idle_leaves_its_place() -> None:
    pool = pool_of(World(), 1)
    connection = await acquire(pool)
    pool.give_back(HERE, connection, keep=True)

    connection.closed = True
    connection.on_closed(connection)

    assert (pool.count, pool.idle) == (0, 0)


async def test_closing_ends_connections_in_use_too() -> None:
    pool = pool_of(World(), 9)
    used, idle = await acquire(pool), await acquire(pool)
    pool.give_back(HERE, idle, keep=True)

    pool.close()

    assert used.closed
    assert idle.closed
