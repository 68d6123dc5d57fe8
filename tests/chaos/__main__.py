"""Two and three workers, one broker and every system in trouble, by a plan that a seed fixes: does every promise hold?

    python -m tests.chaos                  the long form: at least 300 kills and 20 suspensions, about half an hour
    python -m tests.chaos --short          at least 14 kills and 2 suspensions, about three minutes
    python -m tests.chaos --seed 42        the plan of that seed again

Workers are killed, terminated, suspended, join and leave; the broker is stopped and killed; the systems answer with
errors, slowly, not at all, or lose the answer to what they have carried out. Events are published all the while.

Prints how it stands every few seconds, what it counted, and each fault in words; ends with 0 only when everything held.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

from service.sandbox.broker import LocalBroker
from tests.chaos.course import Load, run
from tests.chaos.plan import LONG, SHORT, kills_in, plan
from tests.chaos.report import Report
from tests.chaos.workload import Workload

ENTITIES = 60
LOAD = Load(rate=20, backlog=300)
BROKER_PROPERTIES = {"group.min.session.timeout.ms": "1000"}


async def chaos(seed: int, *, short: bool, delivery: str, logs: Path) -> Report:
    """A run by the plan of a seed, on a broker of its own."""
    steps = plan(seed, SHORT if short else LONG)
    _say(f"seed {seed}, {len(steps)} blows, among them {kills_in(steps)} kills; the workers' logs are in {logs}")
    broker = LocalBroker(properties=BROKER_PROPERTIES)
    await broker.start()
    try:
        return await run(Workload(ENTITIES, seed), steps, LOAD, broker, logs, delivery)
    finally:
        await broker.stop()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: argparse.Namespace) -> int:
    seed = random.randrange(1_000_000) if arguments.seed is None else arguments.seed
    logs = Path(tempfile.mkdtemp(prefix="relay-chaos-"))
    report = asyncio.run(chaos(seed, short=arguments.short, delivery=arguments.delivery, logs=logs))
    _say("\n".join((f"seed {seed}", *report.lines())))
    return 1 if report.faults else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="about three minutes in place of half an hour")
    parser.add_argument("--seed", type=int, help="of the plan and the events; a random one unless it is given")
    parser.add_argument("--delivery", choices=("exactly_once", "at_least_once"), default="exactly_once")
    sys.exit(main(parser.parse_args()))
