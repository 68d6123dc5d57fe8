"""What grows with what: keys, partitions of a topic, one hot key, and events that wait for a system that is away.

    python -m bench.scale
    python -m bench.scale --table partitions

On a real broker with one worker, except for `entities` (lanes and offsets alone) and `day` (a whole worker on fakes, 24
hours of virtual time).
"""

from __future__ import annotations

import argparse
from typing import Final

import uvloop

from bench.options import Options
from bench.report import show
from bench.scale import growth
from bench.scale.day import day_of
from bench.scale.entities import cost_of
from bench.stage import broker, stage
from service.domain.answers import Denial
from service.kafka.connection import quieten

ON_A_BROKER: Final = {
    "keys": growth.print_keys,
    "partitions": growth.print_partitions,
    "hot-key": growth.print_hot_key,
    "parked": growth.print_parked,
}
ALONE: Final = ("entities", "day")
EVENTS_OF_A_DAY: Final = 10_000
"""As many as a worker keeps in memory by default."""


async def main(tables: list[str], options: Options) -> None:
    async with broker() as kafka, stage(kafka) as built:
        for table in tables:
            await ON_A_BROKER[table](built, options)


def print_entities() -> None:
    rows = []
    for keys in growth.KEYS:
        cost = cost_of(keys)
        rows.append([f"{keys}", f"{cost.processor_seconds:.2f}", f"{cost.kept_mib:.1f}", f"{cost.lanes}"])
    show("A million events through lanes and offsets alone", ("keys", "CPU s", "MiB kept", "lanes left"), rows)


def print_day() -> None:
    rows = []
    for name, denial in (("does not answer", None), ("quota is spent", Denial.QUOTA)):
        day = day_of(EVENTS_OF_A_DAY, denial)
        caught_up = f"{day.caught_up_seconds:.0f}"
        rows.append(
            [name, f"{day.events}", f"{day.probes}", f"{day.processor_seconds:.0f}", f"{day.failed}", caught_up]
        )
    show(
        "A system that is away for 24 hours of virtual time",
        ("the system", "events waiting", "calls meanwhile", "CPU s meanwhile", "events failed", "seconds to catch up"),
        rows,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench.scale", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--table", action="append", choices=(*ON_A_BROKER, *ALONE))
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement, about")
    parser.add_argument("--keys", type=int, default=1000)
    return parser.parse_args()


if __name__ == "__main__":
    arguments = _arguments()
    quieten()
    chosen = arguments.table or [*ON_A_BROKER, *ALONE]
    if measured := [name for name in chosen if name in ON_A_BROKER]:
        uvloop.run(main(measured, Options(1, arguments.seconds, arguments.keys)))
    if "entities" in chosen:
        print_entities()
    if "day" in chosen:
        print_day()
