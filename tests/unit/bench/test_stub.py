"""How the stub spends the time of calls."""

from __future__ import annotations

import asyncio
import math

import pytest

from bench.stub import World
from tests.fakes.virtual_time import run_virtually


def answered(slots: float, came_after_seconds: list[float]) -> list[float]:
    """When each call was answered; calls take 5 ms."""
    moments: list[float] = []

    async def go() -> None:
        loop = asyncio.get_running_loop()
        world = World(0.005, slots)
        for seconds in came_after_seconds:
            loop.call_at(seconds, world.enter, lambda: moments.append(loop.time()))
        await asyncio.sleep(1)
        assert world.told()["calls"] == len(came_after_seconds)

    run_virtually(go())
    return moments


def test_every_call_takes_its_time_however_many_there_are() -> None:
    assert answered(math.inf, [0.0, 0.0, 0.002, 0.1]) == pytest.approx([0.005, 0.005, 0.007, 0.105])


def test_calls_beyond_the_slots_wait_for_their_turn() -> None:
    assert answered(2, [0.0, 0.001, 0.002, 0.002]) == pytest.approx([0.005, 0.006, 0.010, 0.011])


def test_the_most_calls_at_a_time_are_told_once() -> None:
    async def go() -> list[float]:
        world = World(0.005, 1)
        for _ in range(3):
            world.enter(lambda: None)
        first = world.told()["peak"]
        await asyncio.sleep(1)
        return [first, world.told()["peak"], world.told()["peak"]]

    assert run_virtually(go()) == [3, 3, 0]
