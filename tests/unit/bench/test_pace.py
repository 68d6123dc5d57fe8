"""Events at a fixed rate leave when they are meant to, whatever the sending takes."""

from __future__ import annotations

import asyncio
from unittest import mock

import pytest

from bench.mixes import ONE_CALL
from bench.pace import Pace, paced
from service.engine.ports import Outgoing
from tests.fakes.virtual_time import VirtualTimeLoop, run_virtually


def pace(count: int, rate: float, busy_seconds: dict[int, float]) -> tuple[Pace, list[float]]:
    """What came of so many events, and when each was sent. Sending one takes as long as `busy_seconds` says."""
    sent: list[float] = []

    async def go() -> Pace:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)

        async def send(_: Outgoing) -> None:
            sent.append(loop.time())
            await asyncio.sleep(busy_seconds.get(len(sent) - 1, 0.0))

        with mock.patch("bench.pace.time.monotonic", loop.time):
            return await paced(send, ONE_CALL.events(0, range(count)), rate)

    return run_virtually(go()), sent


def test_events_leave_at_even_distances() -> None:
    made, sent = pace(5, rate=10, busy_seconds={})

    assert sent == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])
    assert made.intended == pytest.approx(sent)
    assert made.late_p99_seconds == pytest.approx(0)


def test_what_is_late_is_sent_at_once_and_keeps_its_intended_moment() -> None:
    made, sent = pace(6, rate=10, busy_seconds={1: 0.25})

    assert sent == pytest.approx([0.0, 0.1, 0.35, 0.35, 0.4, 0.5])
    assert made.intended == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert made.late_p99_seconds == pytest.approx(0.15)
