"""Calls per event and calls at a time: updates that leave together, and a system that lets calls wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.contestants import Contestant, relay
from bench.load import Closed
from bench.mixes import BURST, ONE_CALL, UPDATES, resource
from bench.options import Options
from bench.report import show
from bench.spread import Spread
from bench.stage import Stage
from bench.starting import running

TOGETHER: Final = (
    relay("relay, each update by itself", RELAY_LIMITS__UPDATES_TOGETHER="1"),
    relay("relay, updates together"),
)
BULKHEADS: Final = (
    relay("relay, fixed bulkhead"),
    relay("relay, adaptive bulkhead", RELAY_LIMITS__ADAPTIVE="true"),
)
QUEUEING_MILLISECONDS: Final = 50.0
QUEUEING_SLOTS: Final = 8
BURSTY_EVENTS: Final = 3000
BURSTY_KEYS: Final = 200


@dataclass(frozen=True, slots=True)
class Measure:
    contestant: Contestant
    closed: Closed


async def measure_bursts(stage: Stage, options: Options) -> list[Measure]:
    """Updates of one resource come ten at a time."""
    ids = [resource(index // BURST % BURSTY_KEYS) for index in range(BURSTY_EVENTS)]
    found = list[Measure]()
    for _ in range(options.rounds):
        for contestant in TOGETHER:
            async with running(stage, contestant, UPDATES, keys=BURSTY_KEYS) as worker:
                await worker.warm_up(BURSTY_KEYS)
                found.append(Measure(contestant, await worker.closed(worker.events_of(ids))))
    return found


async def measure_queueing(stage: Stage, options: Options) -> list[Measure]:
    """The stage must have a stub of so few slots."""
    found = list[Measure]()
    for _ in range(options.rounds):
        for contestant in BULKHEADS:
            async with running(stage, contestant, ONE_CALL, keys=options.keys) as worker:
                await worker.warm_up(200)
                found.append(Measure(contestant, await worker.closed(worker.events(BURSTY_EVENTS))))
    return found


def print_measures(title: str, measures: Sequence[Measure]) -> None:
    contestants = list({m.contestant.name: m.contestant for m in measures}.values())
    found = {c.name: [m.closed for m in measures if m.contestant == c] for c in contestants}
    base = Spread.of(closed.events_per_second for closed in found[contestants[0].name]).median
    rows = [
        [
            name,
            str(rounds[0].events),
            Spread.of(c.events_per_second for c in rounds).told(),
            f"{Spread.of(c.events_per_second for c in rounds).median / base:.2f}",
            Spread.of(c.calls / c.events for c in rounds).told(2),
            Spread.of(c.call_seconds for c in rounds).told(1, scale=1000),
            Spread.of(c.peak_calls for c in rounds).told(),
        ]
        for name, rounds in found.items()
    ]
    show(title, ("worker", "events", "events/s", "ratio", "calls/event", "ms/call", "at once"), rows)
