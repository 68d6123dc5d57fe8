"""Tables of what grows with what on a real broker: keys, partitions, a hot key, and events that wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bench.contestants import AT_LEAST_ONCE, EXACTLY_ONCE
from bench.keys import uniform
from bench.load import SEED, Running
from bench.mixes import FAILING, ONE_CALL, resource
from bench.options import Options
from bench.report import percent, show
from bench.stage import Stage
from bench.starting import running

KEYS: Final = (1000, 100_000, 1_000_000)
KEY_EVENTS: Final = 20_000
PARTITIONS: Final = (6, 30, 100)
RATE: Final = 500.0
HOT: Final = 0
HOT_RATES: Final = (0, 100, 180, 400)
"""Of the hot key, events a second. A call takes 5 ms, so somewhat less than 200 can be done one after the other."""
PARKED: Final = (1000, 10_000, 50_000)
QUIET_SHARE: Final = 0.05
LOOK_SECONDS: Final = 1.0
PARKED_SECONDS: Final = 10.0


async def print_keys(stage: Stage, options: Options) -> None:
    """Whatever `options` say of them."""
    rows = list[Sequence[str]]()
    for keys in KEYS:
        async with running(stage, EXACTLY_ONCE, ONE_CALL, keys=keys) as worker:
            await worker.warm_up(1000)
            closed = await worker.closed(worker.events(KEY_EVENTS))
            cost = f"{closed.cpu_seconds / closed.events * 1e6:.0f}"
            rows.append([f"{keys}", f"{closed.events_per_second:.0f}", cost, f"{worker.peak_mib:.0f}"])
    show(
        f"Keys: exactly once, 1 call, a backlog of {KEY_EVENTS} worked off",
        ("keys", "events/s", "CPU µs/event", "peak MiB"),
        rows,
    )


async def print_partitions(stage: Stage, options: Options) -> None:
    """At a rate that every row can do, and as fast as may be."""
    rows = list[Sequence[str]]()
    for contestant in (AT_LEAST_ONCE, EXACTLY_ONCE):
        for partitions in PARTITIONS:
            async with running(stage, contestant, ONE_CALL, keys=options.keys, partitions=partitions) as worker:
                began = await worker.start()
                await worker.closed(worker.events(options.keys))
                rate = (await worker.closed(worker.events(options.keys))).events_per_second
                closed = await worker.closed(worker.events(options.events(rate)))
                steady = await worker.open(RATE, worker.events(options.events(RATE)))
                rows.append(
                    [
                        contestant.name,
                        f"{partitions}",
                        f"{began:.1f}",
                        f"{closed.events_per_second:.0f}",
                        f"{steady.latencies.p50 * 1000:.0f}",
                        f"{steady.latencies.p99 * 1000:.0f}",
                        percent(steady.core),
                        percent(steady.others_core),
                        f"{worker.peak_mib:.0f}",
                    ]
                )
    show(
        f"Partitions of one topic, all owned by one worker; p50, p99 and cores at {RATE:.0f} events/s",
        ("worker", "partitions", "start s", "events/s", "p50 ms", "p99 ms", "core", "other core", "peak MiB"),
        rows,
    )


async def print_hot_key(stage: Stage, options: Options) -> None:
    """The others come at a fixed rate; the hot key at one of its own."""
    rows = list[Sequence[str]]()
    for hot in HOT_RATES:
        async with running(stage, EXACTLY_ONCE, ONE_CALL, keys=options.keys) as worker:
            await worker.warm_up(1000)
            rate = RATE + hot
            others = iter(uniform(options.events(rate), options.keys - 1, SEED))
            share = hot / rate
            hottest = [int(index * share) != int((index + 1) * share) for index in range(options.events(rate))]
            ids = [resource(HOT if is_hot else next(others) + 1) for is_hot in hottest]
            places = {place for place, is_hot in enumerate(hottest) if is_hot}
            found = await worker.open(rate, worker.events_of(ids), places)
            rows.append([f"{hot}", f"{found.latencies.p50 * 1000:.0f}", f"{found.latencies.p99 * 1000:.0f}"])
    show(
        f"A hot key beside {RATE:.0f} events/s of {options.keys - 1} others, for {options.seconds:.0f} s: the others",
        ("hot key, events/s", "p50 ms", "p99 ms"),
        rows,
    )


async def _at_rest(worker: Running) -> None:
    """Until the worker does next to nothing."""
    while await worker.core_over(LOOK_SECONDS) > QUIET_SHARE:
        pass


async def print_parked(stage: Stage, options: Options) -> None:
    """Events of a system that is away, each of an entity of its own, until the worker has come to rest with them."""
    rows = list[Sequence[str]]()
    for parked in PARKED:
        async with running(stage, EXACTLY_ONCE, ONE_CALL, keys=options.keys) as worker:
            await worker.warm_up(1000)
            before = worker.resident_mib
            await worker.publish(worker.events_of([f"{FAILING}{key}" for key in range(parked)]))
            await _at_rest(worker)
            grown = worker.resident_mib - before
            resting = await worker.core_over(PARKED_SECONDS)
            buffered = await worker.buffered_records()
            rows.append(
                [f"{parked}", f"{buffered}", f"{grown:.1f}", f"{grown * 1024 / buffered:.1f}", f"{resting:.1%}"]
            )
    show(
        "Events that wait for a system that is away: memory of the worker",
        ("published", "in memory", "MiB more", "KiB for each in memory", "core while they wait"),
        rows,
    )
