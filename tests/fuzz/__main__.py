"""The long form: many inputs for every target, from a seed.

    python -m tests.fuzz                                      100,000 inputs
    python -m tests.fuzz --only scsb --seed 4000 --inputs 2000  one round of one target again

Prints what became of the inputs of each target, and of what broke the shrunk input and how to run it again. Ends with
0 only when nothing broke.
"""

from __future__ import annotations

import argparse
import resource
import sys

from rich.console import Console
from rich.table import Table

from tests.fuzz.running import ROUND_INPUTS, Ran, run
from tests.fuzz.targets import TARGETS, Target


def fuzz(inputs: int, seed: int, only: str) -> int:
    """How many targets broke."""
    chosen = [target for target in TARGETS if only in target.name]
    shares = sum(target.share for target in chosen)
    table = Table("target", "inputs", "what became of them", "seconds", "slowest", box=None)
    console = Console(width=150)
    broken: list[tuple[Target, Ran]] = []
    total = 0
    seconds = 0.0
    for target in chosen:
        ran = run(target, inputs * target.share // shares, seed)
        kinds = ", ".join(f"{kind} {count}" for kind, count in ran.kinds.most_common())
        table.add_row(target.name, str(ran.inputs), kinds, f"{ran.seconds:.0f}", f"{ran.slowest_seconds * 1000:.0f} ms")
        total += ran.inputs
        seconds += ran.seconds
        if ran.broken is not None:
            broken.append((target, ran))
    console.print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1 << 20 if sys.platform == "darwin" else 1 << 10)
    console.print(
        f"{total} inputs, {len(broken)} targets broke, {seconds:.0f} s, at most {peak} MB of memory, seed {seed}"
    )
    for target, ran in broken:
        console.print(f"\n{target.name}: {ran.broken}", markup=False, highlight=False, soft_wrap=True)
        again = f"python -m tests.fuzz --only {target.name!r} --seed {ran.broken_seed} --inputs {ROUND_INPUTS}"
        console.print(f"again: {again}", markup=False, highlight=False, soft_wrap=True)
    return len(broken)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="targets whose name has this in it")
    arguments = parser.parse_args()
    sys.exit(1 if fuzz(arguments.inputs, arguments.seed, arguments.only) else 0)
