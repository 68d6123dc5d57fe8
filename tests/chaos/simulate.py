"""Whole workers in a simulated world: crashes, suspensions, rebalances, lost commits, stumbling systems, all in virtual
time.

    python -m tests.chaos.simulate --seeds 2000            seeds 0 to 1999, then a blow at every step
    python -m tests.chaos.simulate --first 117 --seeds 1   that course again
    python -m tests.chaos.simulate --seeds 0               only the blows at every step

Prints each seed and each step whose course broke a guarantee, what was met on the way, and the counts; ends with 0 only
when none did.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from typing import Protocol, get_args

from tests.fakes.chaos import Chaos
from tests.fakes.every_step import BLOWS, SteppedCourse, steps_undisturbed
from tests.fakes.source import Delivery
from tests.fakes.stage import Stage
from tests.fakes.virtual_time import run_virtually

ONE_COURSE = 1
"""To look at it again is all that is wanted: the steps are left out."""


class Course(Protocol):
    """Workers, and what befalls them."""

    stage: Stage

    async def live(self) -> None: ...


def simulate(first: int, count: int) -> int:
    """How many of the seeds broke a guarantee."""
    met: Counter[str] = Counter()
    events = broken = 0
    began = time.monotonic()
    for seed in range(first, first + count):
        chaos = Chaos(seed)
        broken += _judge(f"seed {seed} ({chaos.stage.delivery})", chaos)
        events += len(chaos.stage.events)
        met.update(chaos.stage.met)
    _say(
        f"{count} seeds, {events} events, {broken} seeds broke a guarantee, {time.monotonic() - began:.0f} s",
        *(f"  in {seeds} of them {what}" for what, seeds in met.most_common()),
    )
    return broken


def strike_at_every_step() -> int:
    """How many of the courses broke a guarantee."""
    total = 0
    for delivery in get_args(Delivery):
        steps = steps_undisturbed(delivery)
        for blow in BLOWS:
            began = time.monotonic()
            broken = sum(
                _judge(f"{blow} at step {number} ({delivery})", SteppedCourse(number, blow, delivery))
                for number in range(1, steps + 1)
            )
            _say(
                f"{delivery}: a worker {blow} at each of its {steps} steps, {broken} of them broke a guarantee, "
                f"{time.monotonic() - began:.0f} s"
            )
            total += broken
    return total


def _judge(name: str, course: Course) -> bool:
    """Whether the course broke a guarantee; one that does not come to its end does."""
    try:
        run_virtually(course.live())
        faults = course.stage.faults()
    except Exception as error:  # noqa: BLE001 - whatever it is, the course must be told and the rest go on
        faults = [f"it did not come to its end: {type(error).__name__}: {error}", *course.stage.faults()]
    if faults:
        _say(f"{name}:", *(f"  {fault}" for fault in faults))
    return bool(faults)


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    broken_courses = simulate(arguments.first, arguments.seeds)
    if arguments.seeds != ONE_COURSE:
        broken_courses += strike_at_every_step()
    sys.exit(1 if broken_courses else 0)
