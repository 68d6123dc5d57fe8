"""Two workers on a real broker, one of them killed again and again: is every event's result there once, in order?

    python -m tests.chaos.crash --events 1000 --entities 50 --kills 2 --suspensions 1

A killed worker is started again at once; a suspended one sleeps beyond its session, while the other takes over.
`RELAY_KAFKA__BOOTSTRAP_SERVERS` names a broker in place of one that is started for it.

Prints what it counted; ends with 0 only when everything held. The long way, with trouble of every kind, is
`python -m tests.chaos`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

from service.sandbox.broker import LocalBroker
from tests.chaos.course import Load, run
from tests.chaos.plan import Kill, Step, Suspend
from tests.chaos.report import Report
from tests.chaos.workload import Workload
from tests.support.relay import SESSION_SECONDS

STRUCK = 0
"""The worker that is killed and suspended."""
SUSPENDED_BEYOND_SECONDS = 4.0
RATE = 400
SEED = 1


async def crash(
    broker: LocalBroker | str,
    events: int,
    entities: int,
    kills: int,
    suspensions: int = 0,
    delivery: str = "exactly_once",
) -> Report:
    """As many blows, spread over the events, with more of them published ahead than are done between two blows."""
    blows = [Kill((STRUCK,))] * kills + [Suspend(STRUCK, SESSION_SECONDS + SUSPENDED_BEYOND_SECONDS)] * suspensions
    share = events // (len(blows) + 1)
    steps = [Step(blow, results=number * share + share // 3) for number, blow in enumerate(blows)]
    workload = Workload(entities, SEED, calm=True)
    load = Load(RATE, backlog=share + 1, limit=events)
    with tempfile.TemporaryDirectory(prefix="relay-crash-") as logs:
        return await run(workload, steps, load, broker, Path(logs), delivery, SESSION_SECONDS)


async def main(arguments: argparse.Namespace) -> int:
    given = os.environ.get("RELAY_KAFKA__BOOTSTRAP_SERVERS")
    own = LocalBroker()
    try:
        if not given:
            await own.start()
        report = await crash(
            given or own,
            arguments.events,
            arguments.entities,
            arguments.kills,
            arguments.suspensions,
            arguments.delivery,
        )
    finally:
        await own.stop()
    sys.stdout.write("\n".join(report.lines()) + "\n")
    return 1 if report.faults else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--entities", type=int, default=50)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--suspensions", type=int, default=0)
    parser.add_argument("--delivery", choices=("exactly_once", "at_least_once"), default="exactly_once")
    sys.exit(asyncio.run(main(parser.parse_args())))
