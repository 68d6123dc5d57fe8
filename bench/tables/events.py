"""Events per second and the latency added to the calls: workers, mixes of events, distributions of keys, interleaved.

Of each worker, started anew in each round: a backlog is worked off (closed loop), then events come at 70 % of the rate
just found (open loop).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from bench.contestants import AT_LEAST_ONCE, EXACTLY_ONCE, GO, ONE_AT_A_TIME, PLAIN, Contestant
from bench.keys import DRAWS, hottest_share
from bench.load import Closed, Open
from bench.mixes import FOUR_CALLS, ONE_CALL, Mix
from bench.options import Options
from bench.report import percent, show
from bench.spread import Spread
from bench.stage import Stage
from bench.starting import running

OPEN_SHARE: Final = 0.7
CALL_SECONDS: Final = 0.005


@dataclass(frozen=True, slots=True)
class Case:
    mix: Mix
    keys: str
    contestants: tuple[Contestant, ...] = (PLAIN, GO, AT_LEAST_ONCE, EXACTLY_ONCE)


@dataclass(frozen=True, slots=True)
class Measure:
    """Of one worker in one round."""

    case: Case
    contestant: Contestant
    closed: Closed
    open: Open
    peak_mib: float


CASES: Final = (
    Case(ONE_CALL, "uniform", (ONE_AT_A_TIME, PLAIN, GO, AT_LEAST_ONCE, EXACTLY_ONCE)),
    Case(FOUR_CALLS, "uniform"),
    Case(ONE_CALL, "zipf"),
    Case(FOUR_CALLS, "zipf"),
)


async def measure(
    stage: Stage, options: Options, cases: Sequence[Case] = CASES, left_out: Collection[Contestant] = ()
) -> list[Measure]:
    """Round by round, all workers in turn, but for those that are left out."""
    return [
        await _measure(stage, options, case, contestant)
        for _ in range(options.rounds)
        for case in cases
        for contestant in case.contestants
        if contestant not in left_out
    ]


async def _measure(stage: Stage, options: Options, case: Case, contestant: Contestant) -> Measure:
    async with running(stage, contestant, case.mix, draw=DRAWS[case.keys], keys=options.keys) as worker:
        rate = await worker.warm_up(contestant.warm_up)
        closed = await worker.closed(worker.events(options.events(rate)))
        steady = closed.events_per_second * OPEN_SHARE
        opened = await worker.open(steady, worker.events(options.events(steady)))
        return Measure(case, contestant, closed, opened, worker.peak_mib)


def of(measures: Sequence[Measure], mix: Mix, keys: str, contestant: Contestant) -> list[Measure]:
    """All rounds of one worker."""
    return [m for m in measures if (m.case.mix, m.case.keys, m.contestant) == (mix, keys, contestant)]


def print_measures(measures: Sequence[Measure], options: Options) -> None:
    names = dict.fromkeys((m.case.mix.name, m.case.keys, m.contestant.name) for m in measures)
    groups = [[m for m in measures if (m.case.mix.name, m.case.keys, m.contestant.name) == name] for name in names]
    throughput, latency = list[list[str]](), list[list[str]]()
    for found in groups:
        mix, keys, contestant = found[0].case.mix, found[0].case.keys, found[0].contestant
        plain = Spread.of(m.closed.events_per_second for m in of(measures, mix, keys, PLAIN)).median
        speed = Spread.of(m.closed.events_per_second for m in found)
        throughput.append(
            [
                mix.name,
                keys,
                contestant.name,
                speed.told(),
                f"{speed.median / plain:.2f}",
                Spread.of(m.closed.cpu_seconds / m.closed.events for m in found).told(scale=1e6),
                f"{Spread.of(m.closed.full_core for m in found).median:.0f}",
                percent(Spread.of(m.closed.core for m in found).median),
                percent(Spread.of(m.closed.others_core for m in found).median),
                Spread.of(m.peak_mib for m in found).told(),
            ]
        )
        latency.append(
            [
                mix.name,
                keys,
                contestant.name,
                Spread.of(m.open.rate for m in found).told(),
                Spread.of(m.open.latencies.p50 for m in found).told(1, scale=1000),
                Spread.of(m.open.latencies.p99 for m in found).told(1, scale=1000),
                Spread.of(m.open.late_p99_seconds for m in found).told(1, scale=1000),
                percent(Spread.of(m.open.core for m in found).median),
                percent(Spread.of(m.open.others_core for m in found).median),
            ]
        )
    show(
        f"A backlog worked off: {options.keys} keys, {options.rounds} rounds, median (lowest–highest)",
        (
            "events",
            "keys",
            "worker",
            "events/s",
            "ratio",
            "CPU µs/event",
            "full core",
            "core",
            "other core",
            "peak MiB",
        ),
        throughput,
        "full core: events per second, had the worker had a core to itself all the while (1 ÷ CPU per event)",
        *_bounds(options.keys),
    )
    show(
        f"At {OPEN_SHARE:.0%} of that rate: latency added to the calls, in ms",
        ("events", "keys", "worker", "events/s", "p50", "p99", "published late, p99", "core", "other core"),
        latency,
    )


def _bounds(keys: int) -> list[str]:
    """What the order of events allows."""
    share = hottest_share(DRAWS["zipf"], keys)
    allowed = {mix.name: 1 / (share * mix.calls * CALL_SECONDS) for mix in (ONE_CALL, FOUR_CALLS)}
    told = ", ".join(f"{rate:.0f} of {name}" for name, rate in allowed.items())
    return [
        f"zipf: the hottest key has {share:.1%} of the events. One after the other they allow at most {told} a second."
    ]
