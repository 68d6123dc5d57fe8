"""What the machine adds by itself: events at a fixed rate, seen by a reader of their own topic. No worker runs.

A worker's result has this way to go twice, as an event and as a result, so no worker can add less than that here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.keys import uniform
from bench.latencies import Latencies, added
from bench.load import RESULT_SECONDS, SEED, undisturbed
from bench.mixes import ONE_CALL
from bench.options import Options
from bench.pace import paced
from bench.processes import Used
from bench.report import percent, show
from bench.results import KafkaReader, Results, own_number_of
from bench.spread import Spread
from bench.stage import Stage
from bench.starting import fresh_topics, publisher, reader_of
from service.engine.ports import Outgoing
from service.kafka.topics import CHANGES

RATES: Final = (500.0, 1500.0, 4500.0)
"""About those at which workers are measured."""
WARM_UP_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Measure:
    rate: float
    latencies: Latencies
    late_p99_seconds: float
    others_core: float


async def measure(stage: Stage, options: Options) -> list[Measure]:
    return [await _measure(stage, options, rate) for _ in range(options.rounds) for rate in RATES]


async def _measure(stage: Stage, options: Options, rate: float) -> Measure:
    _, prefix = await fresh_topics(stage.servers)
    async with reader_of(stage.servers, prefix + CHANGES) as consumer, publisher(stage.servers) as producer:
        seen = Results(KafkaReader(consumer), _no_worker, own_number_of)

        async def send(event: Outgoing) -> None:
            await producer.send(prefix + event.topic, event.value, event.key)

        async def course(seconds: float, first: int) -> Measure:
            count = round(rate * seconds)
            events = ONE_CALL.events(first, uniform(count, options.keys, SEED + first))
            seen.begin()
            others, began = Used(stage.process_ids), time.monotonic()
            publishing = asyncio.ensure_future(paced(send, events, rate))
            async with asyncio.timeout(RESULT_SECONDS):
                await seen.until(count)
            others_core = others.seconds() / (time.monotonic() - began)
            pace = await publishing
            intended = {first + place: moment for place, moment in enumerate(pace.intended)}
            return Measure(rate, added(intended, seen.seen, 0.0), pace.late_p99_seconds, others_core)

        with undisturbed():
            await course(WARM_UP_SECONDS, 0)
            return await course(options.seconds, round(rate * WARM_UP_SECONDS))


def _no_worker() -> None:
    """That could have ended."""


def print_measures(measures: Sequence[Measure]) -> None:
    by_rate = {rate: [m for m in measures if m.rate == rate] for rate in RATES}
    rows = [
        [
            f"{rate:.0f}",
            Spread.of(m.latencies.p50 for m in found).told(1, scale=1000),
            Spread.of(m.latencies.p99 for m in found).told(1, scale=1000),
            Spread.of(m.late_p99_seconds for m in found).told(1, scale=1000),
            percent(Spread.of(m.others_core for m in found).median),
        ]
        for rate, found in by_rate.items()
    ]
    show(
        "One hop: from the moment at which an event was meant to be published until a reader of it has it, in ms",
        ("events/s", "p50", "p99", "published late, p99", "other core"),
        rows,
    )
