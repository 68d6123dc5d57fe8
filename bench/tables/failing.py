"""What an entity that fails all the while does to the others: their added latency at a fixed rate, with it and without.

One of the keys is that of a resource at which the system always fails. Worker by worker in turn, each started anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.contestants import EXACTLY_ONCE
from bench.keys import uniform
from bench.load import SEED, Open
from bench.mixes import FAILING, ONE_CALL, resource
from bench.options import Options
from bench.report import show
from bench.spread import Spread
from bench.stage import Stage
from bench.starting import running

RATE: Final = 1000.0
SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Measure:
    fails: bool
    open: Open


async def measure(stage: Stage, options: Options, seconds: float = SECONDS) -> list[Measure]:
    return [
        await _measure(stage, options, seconds, fails=fails) for _ in range(options.rounds) for fails in (False, True)
    ]


async def _measure(stage: Stage, options: Options, seconds: float, *, fails: bool) -> Measure:
    async with running(stage, EXACTLY_ONCE, ONE_CALL, keys=options.keys) as worker:
        await worker.warm_up(options.keys)
        drawn = uniform(round(RATE * seconds), options.keys, SEED)
        failing = {place for place, key in enumerate(drawn) if fails and key == 0}
        ids = [f"{FAILING}{key}" if place in failing else resource(key) for place, key in enumerate(drawn)]
        return Measure(fails, await worker.open(RATE, worker.events_of(ids), failing))


def worsening(measures: Sequence[Measure]) -> Spread:
    """Of the others' p99, round by round; 0.05 is five per cent longer."""
    pairs = zip(_of(measures, fails=False), _of(measures, fails=True), strict=True)
    return Spread.of(bad.open.latencies.p99 / good.open.latencies.p99 - 1 for good, bad in pairs)


def print_measures(measures: Sequence[Measure], options: Options, seconds: float = SECONDS) -> None:
    rows = [
        [
            name,
            Spread.of(m.open.latencies.p50 for m in _of(measures, fails=fails)).told(1, scale=1000),
            Spread.of(m.open.latencies.p99 for m in _of(measures, fails=fails)).told(1, scale=1000),
        ]
        for name, fails in (("all is well", False), (f"one of {options.keys} keys fails", True))
    ]
    show(
        f"The others, while an entity fails for {seconds:.0f} s: relay, exactly once, {RATE:.0f} events/s, ms added",
        ("", "p50", "p99"),
        rows,
        f"p99 is worse by {worsening(measures).told(1, scale=100)} %",
    )


def _of(measures: Sequence[Measure], *, fails: bool) -> list[Measure]:
    return [m for m in measures if m.fails == fails]
