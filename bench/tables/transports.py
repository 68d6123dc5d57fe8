"""The whole worker over each transport that might carry its calls: a backlog worked off, with one call and with four.

What is told is ratios of one run: nothing else differs between the workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.candidates.catalogue import CANDIDATES, OURS
from bench.contestants import Contestant
from bench.load import Closed
from bench.mixes import FOUR_CALLS, ONE_CALL, Mix
from bench.options import Options
from bench.report import percent, show
from bench.spread import Spread
from bench.stage import Stage
from bench.starting import running

CONTESTANTS: Final = {name: Contestant(f"relay over {name}", ("bench.candidate_worker", name)) for name in CANDIDATES}
MIXES: Final = (ONE_CALL, FOUR_CALLS)


@dataclass(frozen=True, slots=True)
class Measure:
    """Of one worker in one round."""

    mix: Mix
    transport: str
    closed: Closed
    peak_mib: float


async def measure(stage: Stage, options: Options) -> list[Measure]:
    """Round by round, all workers in turn."""
    return [
        await _measure(stage, options, mix, name)
        for _ in range(options.rounds)
        for mix in MIXES
        for name in CONTESTANTS
    ]


async def _measure(stage: Stage, options: Options, mix: Mix, transport: str) -> Measure:
    contestant = CONTESTANTS[transport]
    async with running(stage, contestant, mix, keys=options.keys) as worker:
        rate = await worker.warm_up(contestant.warm_up)
        closed = await worker.closed(worker.events(options.events(rate)))
        return Measure(mix, transport, closed, worker.peak_mib)


def print_measures(measures: Sequence[Measure], options: Options) -> None:
    rows = list[list[str]]()
    for mix in dict.fromkeys(m.mix.name for m in measures):
        found = {
            name: [m for m in measures if (m.mix.name, m.transport) == (mix, name)]
            for name in dict.fromkeys(m.transport for m in measures)
        }
        ours = found[OURS]
        rows += [[mix, *_row(name, rounds, ours)] for name, rounds in found.items()]
    show(
        f"The worker over each transport: exactly once, {options.keys} keys, {options.rounds} rounds, "
        "median (lowest–highest); ratios to ours",
        ("events", "transport", "events/s", "ratio", "CPU µs/event", "ratio", "core", "other core", "peak MiB"),
        rows,
    )


def _row(name: str, rounds: Sequence[Measure], ours: Sequence[Measure]) -> list[str]:
    rate, cost = _rate(rounds), _cost(rounds)
    return [
        name,
        rate.told(),
        f"{rate.median / _rate(ours).median:.2f}",
        cost.told(scale=1e6),
        f"{cost.median / _cost(ours).median:.2f}",
        percent(Spread.of(m.closed.core for m in rounds).median),
        percent(Spread.of(m.closed.others_core for m in rounds).median),
        Spread.of(m.peak_mib for m in rounds).told(),
    ]


def _rate(rounds: Sequence[Measure]) -> Spread:
    return Spread.of(m.closed.events_per_second for m in rounds)


def _cost(rounds: Sequence[Measure]) -> Spread:
    """Seconds of the processor that an event takes."""
    return Spread.of(1 / m.closed.full_core for m in rounds)
