"""Whole workers in a simulated world: crashes, rebalances, lost commits, stumbling systems, all in virtual time.

    python -m tests.chaos.simulate --seeds 2000          seeds 0 to 1999
    python -m tests.chaos.simulate --first 117 --seeds 1   that course again

Prints each seed whose course broke a guarantee, what was met on the way, and the counts; ends with 0 only when none
did.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from tests.fakes.chaos import Chaos
from tests.fakes.virtual_time import run_virtually


def simulate(first: int, count: int) -> int:
    """How many of the seeds broke a guarantee."""
    met: Counter[str] = Counter()
    events = broken = 0
    began = time.monotonic()
    for seed in range(first, first + count):
        chaos = Chaos(seed)
        run_virtually(chaos.live())
        events += len(chaos.events)
        met.update(chaos.met)
        if faults := chaos.faults():
            broken += 1
            _say(f"seed {seed}:", *(f"  {fault}" for fault in faults))
    _say(
        f"{count} seeds, {events} events, {broken} seeds broke a guarantee, {time.monotonic() - began:.0f} s",
        *(f"  in {seeds} of them {what}" for what, seeds in met.most_common()),
    )
    return broken


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    sys.exit(1 if simulate(arguments.first, arguments.seeds) else 0)
