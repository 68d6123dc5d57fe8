"""From the start of the process to the first result: imports, brokers, group, claims, one event that waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.contestants import AT_LEAST_ONCE, EXACTLY_ONCE, PLAIN, Contestant
from bench.mixes import ONE_CALL
from bench.options import Options
from bench.report import show
from bench.spread import Spread
from bench.stage import Stage
from bench.starting import running

CONTESTANTS: Final = (PLAIN, AT_LEAST_ONCE, EXACTLY_ONCE)


@dataclass(frozen=True, slots=True)
class Measure:
    contestant: Contestant
    seconds: float
    cpu_seconds: float
    """Of these, what the worker used of the processor."""


async def measure(stage: Stage, options: Options) -> list[Measure]:
    return [await _measure(stage, contestant) for _ in range(options.rounds) for contestant in CONTESTANTS]


async def _measure(stage: Stage, contestant: Contestant) -> Measure:
    async with running(stage, contestant, ONE_CALL) as worker:
        seconds = await worker.start()
        return Measure(contestant, seconds, worker.cpu_seconds)


def of(measures: Sequence[Measure], contestant: Contestant) -> Spread:
    return Spread.of(m.seconds for m in measures if m.contestant == contestant)


def print_measures(measures: Sequence[Measure]) -> None:
    rows = [
        [
            contestant.name,
            of(measures, contestant).told(2),
            Spread.of(m.cpu_seconds for m in measures if m.contestant == contestant).told(2),
        ]
        for contestant in CONTESTANTS
    ]
    show("From the start of the process to the first result", ("worker", "seconds", "of these, CPU"), rows)
