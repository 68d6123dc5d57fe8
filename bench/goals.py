"""The goals, held against what was measured in one run. Each compares a median."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.contestants import AT_LEAST_ONCE, EXACTLY_ONCE, GO, Contestant
from bench.mixes import FOUR_CALLS, ONE_CALL, Mix
from bench.report import show
from bench.spread import Spread
from bench.tables import concurrency, events, failing, start

UNIFORM: Final = "uniform"
FEW: Final = 0.01
"""Below it a shortfall is told more finely."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`measured` and `goal` in the same unit; `least` where more is better."""

    what: str
    goal: float
    measured: Spread
    unit: str
    least: bool = False
    digits: int = 0

    @property
    def met(self) -> bool:
        return self.measured.median >= self.goal if self.least else self.measured.median <= self.goal

    def row(self) -> list[str]:
        bound = f"{'≥' if self.least else '≤'} {self.goal:g} {self.unit}".rstrip()
        short = abs(self.measured.median - self.goal) / self.goal
        told = "yes" if self.met else f"no, by {short:.{0 if short >= FEW else 1}%}"
        return [self.what, bound, self.measured.told(self.digits), told]


def of_events(measures: Sequence[events.Measure]) -> list[Verdict]:
    def rates(mix: Mix, contestant: Contestant) -> list[float]:
        return [m.closed.events_per_second for m in events.of(measures, mix, UNIFORM, contestant)]

    def p99(mix: Mix, contestant: Contestant) -> Spread:
        return Spread.of(m.open.latencies.p99 * 1000 for m in events.of(measures, mix, UNIFORM, contestant))

    def ahead(mix: Mix) -> list[Verdict]:
        """Of the worker in Go, round by round; nothing where it could not be built."""
        if not (go := rates(mix, GO)):
            return []
        ratio = Spread.of(relay / other for relay, other in zip(rates(mix, EXACTLY_ONCE), go, strict=True))
        return [Verdict(f"ahead of a Go worker, {mix.name}: relay ÷ go", 1, ratio, "", least=True, digits=2)]

    def cost(mix: Mix) -> Spread:
        pairs = zip(rates(mix, EXACTLY_ONCE), rates(mix, AT_LEAST_ONCE), strict=True)
        return Spread.of((1 - exactly / least) * 100 for exactly, least in pairs)

    peaks = [m.peak_mib for m in measures if m.contestant in (EXACTLY_ONCE, AT_LEAST_ONCE)]
    return [
        Verdict("4 calls, exactly once", 4000, Spread.of(rates(FOUR_CALLS, EXACTLY_ONCE)), "events/s", least=True),
        Verdict("1 call, exactly once", 8000, Spread.of(rates(ONE_CALL, EXACTLY_ONCE)), "events/s", least=True),
        *ahead(FOUR_CALLS),
        *ahead(ONE_CALL),
        *(
            Verdict(f"added p99 at 70 %, {mix.name}, {contestant.name}", goal, p99(mix, contestant), "ms", digits=1)
            for contestant, goal in ((AT_LEAST_ONCE, 10), (EXACTLY_ONCE, 60))
            for mix in (ONE_CALL, FOUR_CALLS)
        ),
        *(Verdict(f"exactly once costs, {mix.name}", 10, cost(mix), "%", digits=1) for mix in (ONE_CALL, FOUR_CALLS)),
        Verdict("peak memory of the relay, all of the above", 150, Spread(max(peaks), min(peaks), max(peaks)), "MiB"),
    ]


def of_concurrency(measures: Sequence[concurrency.Measure]) -> list[Verdict]:
    """Where the core was not full."""
    return [
        Verdict(
            f"concurrency ÷ latency at {number}", 95, Spread.of(m.share * 100 for m in found), "%", least=True, digits=1
        )
        for number, found in concurrency.by_concurrency(measures).items()
        if Spread.of(m.closed.core for m in found).median < concurrency.FULL
    ]


def of_failing(measures: Sequence[failing.Measure]) -> list[Verdict]:
    worse = failing.worsening(measures)
    in_percent = Spread(worse.median * 100, worse.low * 100, worse.high * 100)
    return [Verdict("a failing entity: the others' p99 worse by", 5, in_percent, "%", digits=1)]


def of_start(measures: Sequence[start.Measure]) -> list[Verdict]:
    return [
        Verdict(f"start to first result, {c.name}", 3, start.of(measures, c), "s", digits=2)
        for c in (AT_LEAST_ONCE, EXACTLY_ONCE)
    ]


def print_verdicts(verdicts: Sequence[Verdict]) -> None:
    show("Goals", ("what", "goal", "measured", "met"), [verdict.row() for verdict in verdicts])
