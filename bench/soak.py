"""Whether the memory of a worker stays flat: events at a steady rate, each of an entity of its own, and the memory once
a minute. Ends with 1 when it grows.

    python -m bench.soak --minutes 30 --rate 500

The first fifth of the samples is left out: until then the worker takes what it needs. Through the rest goes a straight
line, and over all of it the line must not rise by more than `BOUND_MIB`.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import uvloop

from bench.contestants import EXACTLY_ONCE
from bench.mixes import FOUR_CALLS
from bench.report import console, print_progress, show
from bench.stage import broker, stage
from bench.starting import running
from service.kafka.connection import quieten

BOUND_MIB: Final = 5.0
SAMPLE_SECONDS: Final = 60.0
KEYS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Growth:
    """Of the straight line through the samples that count."""

    mib_per_hour: float
    mib: float
    """Over these samples."""

    @property
    def is_flat(self) -> bool:
        return self.mib <= BOUND_MIB


def growth_of(samples: Sequence[float], every_seconds: float) -> Growth:
    """`samples` are in MiB. Raises ValueError for fewer than three."""
    if len(samples) < 3:
        raise ValueError(f"{len(samples)} samples do not tell")
    counted = samples[len(samples) // 5 :]
    slope = statistics.linear_regression(range(len(counted)), counted).slope
    return Growth(slope * 3600 / every_seconds, slope * (len(counted) - 1))


async def sample(minutes: int, rate: float) -> list[float]:
    """Prints as it goes."""
    samples = list[float]()
    async with (
        broker() as kafka,
        stage(kafka) as built,
        running(built, EXACTLY_ONCE, FOUR_CALLS, keys=KEYS) as worker,
    ):
        await worker.warm_up(1000)
        for minute in range(minutes):
            found = await worker.open(rate, worker.events(round(rate * SAMPLE_SECONDS)))
            samples.append(worker.resident_mib)
            p99 = found.latencies.p99 * 1000
            print_progress(f"minute {minute + 1}: {samples[-1]:.1f} MiB, p99 {p99:.0f} ms, core {found.core:.0%}")
    return samples


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="bench.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--rate", type=float, default=500.0, help="events per second, of 4 calls each")
    arguments = parser.parse_args()
    quieten()
    samples = uvloop.run(sample(arguments.minutes, arguments.rate))
    growth = growth_of(samples, SAMPLE_SECONDS)
    show(
        f"Memory, minute by minute: relay, exactly once, {arguments.rate:.0f} events/s of 4 calls",
        ("minute", "MiB"),
        [[f"{minute + 1}", f"{mib:.1f}"] for minute, mib in enumerate(samples)],
    )
    told = f"the line rises by {growth.mib:.1f} MiB, {growth.mib_per_hour:.1f} MiB an hour"
    console.print(f"{'flat' if growth.is_flat else 'it grows'}: {told}; {BOUND_MIB:.0f} MiB are allowed")
    return 0 if growth.is_flat else 1


if __name__ == "__main__":
    sys.exit(main())
