"""The clock that the engine's tests go by."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.fakes.virtual_time import NothingWillHappen, TimeStandsStill, UnheardErrors, VirtualTimeLoop, run_virtually


async def test_an_hour_of_sleep_moves_the_clock_by_an_hour_and_takes_no_time() -> None:
    loop, real = asyncio.get_running_loop(), time.monotonic()
    before = loop.time()

    await asyncio.sleep(3600)

    assert loop.time() - before == pytest.approx(3600)
    assert time.monotonic() - real < 60


async def test_sleepers_wake_in_the_order_of_their_times() -> None:
    woken: list[tuple[str, float]] = []

    async def sleep(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append((name, asyncio.get_running_loop().time()))

    await asyncio.gather(sleep("late", 10), sleep("early", 1), sleep("middle", 5))

    assert woken == [("early", 1.0), ("middle", 5.0), ("late", 10.0)]


async def test_a_timeout_fires_on_time() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30):
            await asyncio.sleep(31)

    assert asyncio.get_running_loop().time() == pytest.approx(30)


async def test_timers_more_than_a_day_ahead_are_reached() -> None:
    await asyncio.sleep(3 * 86_400)

    assert asyncio.get_running_loop().time() == pytest.approx(3 * 86_400)


async def test_what_is_ready_goes_before_any_timer() -> None:
    woken: list[str] = []
    event = asyncio.Event()

    async def wait() -> None:
        await event.wait()
        woken.append("event")

    async def sleep() -> None:
        await asyncio.sleep(0.001)
        woken.append("timer")

    waiting = [asyncio.create_task(wait()), asyncio.create_task(sleep())]
    event.set()
    await asyncio.gather(*waiting)

    assert woken == ["event", "timer"]


async def test_a_timer_never_fires_before_its_time() -> None:
    """One that did and set itself again would do so for ever: time moves only when nothing is ready."""
    loop, fired = asyncio.get_running_loop(), list[tuple[float, float]]()
    times = [1 / 3, 0.1 + 0.2, 1e5 / 7, 1e5 / 7 + 1e-7, 2e5 / 3]
    for when in times:
        loop.call_at(when, lambda when=when: fired.append((when, loop.time())))  # type: ignore[misc]  # a default

    await asyncio.sleep(1e5)

    assert [when for when, _ in fired] == sorted(times)
    assert all(at >= when for when, at in fired)


def test_a_deadlock_is_told_instead_of_hanging() -> None:
    async def wait_for_nobody() -> None:
        await asyncio.Event().wait()

    with pytest.raises(NothingWillHappen, match="every task waits"):
        run_virtually(wait_for_nobody())


def test_tasks_that_go_round_without_waiting_are_told_instead_of_hanging() -> None:
    async def spin() -> None:
        while True:  # noqa: ASYNC110 - the fault that is told
            await asyncio.sleep(0)

    with pytest.raises(TimeStandsStill, match="always ready"):
        run_virtually(spin())


def test_an_error_that_nobody_heard_of_comes_out_at_the_end() -> None:
    async def fail_unseen() -> None:
        raise LookupError("unseen")

    async def main() -> None:
        task = asyncio.create_task(fail_unseen())
        await asyncio.sleep(1)
        del task

    with pytest.raises(UnheardErrors, match="unseen"):
        run_virtually(main())


def test_two_loops_have_clocks_of_their_own() -> None:
    one, two = VirtualTimeLoop(), VirtualTimeLoop()
    one.run_until_complete(asyncio.sleep(7))

    assert (one.time(), two.time()) == (7.0, 0.0)
    one.close()
    two.close()
