"""Looks regularly at how the worker stands: its state each second, the ends of its partitions every few seconds, and
how late its loop wakes whoever sleeps. Decides nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from service.domain.record import Partition
from service.engine.ports import SourceUnavailable
from service.engine.state import WorkerState
from service.telemetry.metrics.declarations import Sampled
from service.telemetry.metrics.histograms import Tally
from service.telemetry.metrics.standing import Standing
from service.telemetry.throughput import Throughput

LOOK_SECONDS = 1.0
ENDS_SECONDS = 5.0
"""From one question for the ends to the next."""
DELAY_SECONDS = 0.25
"""Of a sleep that is measured."""

Ends: TypeAlias = Callable[[Sequence[Partition]], Awaitable[Mapping[Partition, int]]]
"""One past the last offset of each partition. Raises `SourceUnavailable`, within a few seconds."""


class Sampler:
    """Runs in the worker's loop."""

    def __init__(
        self,
        sampled: Sampled[Standing],
        delay_seconds: Tally,
        state: Callable[[], WorkerState],
        ends: Ends,
        settled: Callable[[], int],
    ) -> None:
        """`settled` tells how many events have been settled since the start."""
        self._sampled = sampled
        self._delay_seconds = delay_seconds
        self._state = state
        self._ask_ends = ends
        self._ends: Mapping[Partition, int] = {}
        self._settled = settled
        self._throughput = Throughput()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_looking(), name="sampling")
            tasks.create_task(self._keep_ends(), name="ends")
            tasks.create_task(self._measure_delay(), name="loop delay")

    def look(self) -> None:
        """Once."""
        rates = self._throughput.note(time.monotonic(), self._settled())
        self._sampled.state = Standing(self._state(), self._ends, time.time(), rates)

    async def refresh_ends(self) -> None:
        """Once. While Kafka is away, the ends that were told last are kept for the partitions that are still ours."""
        partitions = [state.partition for state in self._state().partitions]
        try:
            self._ends = await self._ask_ends(partitions)
        except SourceUnavailable:
            self._ends = {partition: self._ends[partition] for partition in partitions if partition in self._ends}

    async def _keep_looking(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def _keep_ends(self) -> None:
        while True:
            await self.refresh_ends()
            is_complete = bool(self._ends) and self._ends.keys() >= {s.partition for s in self._state().partitions}
            await asyncio.sleep(ENDS_SECONDS if is_complete else LOOK_SECONDS)

    async def _measure_delay(self) -> None:
        now = asyncio.get_running_loop().time
        while True:
            due = now() + DELAY_SECONDS
            await asyncio.sleep(DELAY_SECONDS)
            self._delay_seconds.observe(max(0.0, now() - due))
