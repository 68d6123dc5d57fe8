"""How much of what the concurrency allows is reached: events per second beside concurrency ÷ latency, while the core is
not full. What a call takes is what the stub saw, from the first byte of a request to the last of its answer. Beside it
what a client without any work reaches: more than that cannot be had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.contestants import relay
from bench.load import Closed
from bench.mixes import ONE_CALL
from bench.options import Options
from bench.processes import WORKER_CORE, process
from bench.report import percent, show
from bench.spread import Spread
from bench.stage import Stage
from bench.starting import running
from bench.tables.events import CALL_SECONDS

CONCURRENCIES: Final = (4, 8, 16, 32)
FULL: Final = 0.9
"""From so busy on, the core is full, and the worker's own work is what bounds it."""


@dataclass(frozen=True, slots=True)
class Measure:
    concurrency: int
    closed: Closed
    bare_share: float
    """Of a client without any work."""

    @property
    def share(self) -> float:
        """Of concurrency ÷ latency."""
        return self.closed.events_per_second * self.closed.call_seconds / self.concurrency


async def measure(stage: Stage, options: Options) -> list[Measure]:
    return [await _measure(stage, options, number) for _ in range(options.rounds) for number in CONCURRENCIES]


async def _measure(stage: Stage, options: Options, concurrency: int) -> Measure:
    # by default a system has fifteen sixteenths of the slots
    settings = {"RELAY_CONCURRENCY": str(concurrency), "RELAY_LIMITS__CALLS_PER_SYSTEM": str(concurrency)}
    async with running(stage, relay("relay, exactly once", **settings), ONE_CALL, keys=options.keys) as worker:
        rate = await worker.warm_up(options.keys)
        closed = await worker.closed(worker.events(options.events(rate)))
    return Measure(concurrency, closed, await _bare_share(stage, options, concurrency))


async def _bare_share(stage: Stage, options: Options, concurrency: int) -> float:
    calls = round(options.seconds / CALL_SECONDS)
    arguments = (str(stage.stub_port), "--concurrency", str(concurrency), "--calls", str(calls))
    before = await stage.told()
    async with process("bench.bare_client", *arguments, core=WORKER_CORE) as client:
        told, _ = await client.communicate()
    after = await stage.told()
    call_seconds = (after.seconds - before.seconds) / (after.calls - before.calls)
    return float(told) * call_seconds / concurrency


def by_concurrency(measures: Sequence[Measure]) -> dict[int, list[Measure]]:
    return {number: [m for m in measures if m.concurrency == number] for number in CONCURRENCIES}


def print_measures(measures: Sequence[Measure]) -> None:
    rows = [
        [
            str(number),
            Spread.of(m.closed.events_per_second for m in found).told(),
            Spread.of(m.closed.call_seconds for m in found).told(2, scale=1000),
            Spread.of(m.share for m in found).told(1, scale=100),
            Spread.of(m.bare_share for m in found).told(1, scale=100),
            percent(Spread.of(m.closed.core for m in found).median),
            percent(Spread.of(m.closed.others_core for m in found).median),
        ]
        for number, found in by_concurrency(measures).items()
    ]
    show(
        "Share of concurrency ÷ latency: relay, exactly once, 1 call for each event",
        ("concurrency", "events/s", "ms/call", "share %", "of a bare client", "core", "other core"),
        rows,
    )
