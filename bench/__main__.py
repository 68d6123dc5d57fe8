"""What workers cost, side by side in one run on one real broker.

    python -m bench                       events per second and added latency
    python -m bench --table concurrency   one of the other tables; may be given repeatedly
    python -m bench --all                 every table that a goal is about

Goals that a table is about are told after it, met or not.

The worker has one core to itself; broker, stub and this program share the other, where there are two. A call takes
5 ms. Times depend on the machine and on what else runs there: only figures of one run compare.
"""

from __future__ import annotations

import argparse
import os
import time
from typing import Final

import uvloop

from bench import goals
from bench.contestants import GO, Contestant
from bench.go_worker import program
from bench.options import Options
from bench.processes import CORES
from bench.report import console
from bench.stage import Stage, broker, stage
from bench.tables import calls, concurrency, events, failing, hop, start, transports
from service.kafka.connection import quieten

TABLES: Final = ("hop", "events", "concurrency", "failing", "start", "bursty", "queueing", "transports")
WITH_GOALS: Final = TABLES[:5]


async def main(arguments: argparse.Namespace) -> None:
    quieten()
    tables = WITH_GOALS if arguments.all else arguments.table or ("events",)
    options = Options(arguments.rounds, arguments.seconds, arguments.keys)
    began = time.monotonic()
    verdicts = list[goals.Verdict]()
    async with broker() as kafka:
        async with stage(kafka) as plain:
            for table in tables:
                verdicts += await _measure(table, plain, options, arguments.failing_seconds)
        if "queueing" in tables:
            async with stage(kafka, milliseconds=calls.QUEUEING_MILLISECONDS, slots=calls.QUEUEING_SLOTS) as slow:
                calls.print_measures("A system that lets calls wait", await calls.measure_queueing(slow, options))
    if verdicts:
        goals.print_verdicts(verdicts)
    load = " ".join(f"{average:.1f}" for average in os.getloadavg())
    console.print(f"{CORES} cores, load averages {load}, {time.monotonic() - began:.0f} s")


async def _measure(table: str, stage: Stage, options: Options, failing_seconds: float) -> list[goals.Verdict]:
    """Print one table. Returns what it says of goals."""
    match table:
        case "hop":
            hop.print_measures(await hop.measure(stage, options))
        case "events":
            found = await events.measure(stage, options, left_out=cannot_be_had())
            events.print_measures(found, options)
            return goals.of_events(found)
        case "concurrency":
            shares = await concurrency.measure(stage, options)
            concurrency.print_measures(shares)
            return goals.of_concurrency(shares)
        case "failing":
            pairs = await failing.measure(stage, options, failing_seconds)
            failing.print_measures(pairs, options, failing_seconds)
            return goals.of_failing(pairs)
        case "start":
            starts = await start.measure(stage, options)
            start.print_measures(starts)
            return goals.of_start(starts)
        case "bursty":
            calls.print_measures("Updates that come ten at a time", await calls.measure_bursts(stage, options))
        case "transports":
            transports.print_measures(await transports.measure(stage, options), options)
        case _:
            pass
    return []


def cannot_be_had() -> list[Contestant]:
    """Contestants that this machine cannot build. Prints why."""
    try:
        program.built()
    except program.NotBuilt as error:
        console.print(f"{GO.name} is left out: {error}\n", markup=False)
        return [GO]
    return []


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--table", action="append", choices=TABLES)
    parser.add_argument(
        "--all", action="store_true", help="every table that a goal is about, and what the machine itself adds"
    )
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement, about")
    parser.add_argument("--keys", type=int, default=1000)
    parser.add_argument("--failing-seconds", type=float, default=failing.SECONDS)
    return parser.parse_args()


if __name__ == "__main__":
    uvloop.run(main(_arguments()))
