"""Two workers on a real broker, one of them killed again and again: is every event's result there once, in order?

    python -m tests.chaos.crash --events 1000 --entities 50 --kills 2 --suspensions 1

A killed worker is started again at once; a suspended one sleeps beyond its session, while the other takes over.

Prints what it counted; ends with 0 only when everything held.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from service.kafka.publisher import publish_all
from service.kafka.topics import DEAD_LETTERS, RESULTS, ensure_topics
from service.sandbox.broker import LocalBroker
from service.sandbox.server import Sandbox, SandboxSettings
from service.sandbox.systems import default_systems
from service.settings import KafkaSettings
from tests.chaos.workload import Workload, applied_numbers
from tests.support.relay import SESSION_SECONDS, worker_settings
from tests.support.relay_process import RelayProcess
from tests.support.topic_reading import TopicReader, event_ids

RESULT_SECONDS = 120.0
SUSPENDED_BEYOND_SECONDS = 4.0
LATENCY_SECONDS = {"eholdings": 0.01, "inventory": 0.01, "scsb": 0.02}


@dataclass(slots=True)
class Report:
    """What was found. `faults` is empty when all guarantees held."""

    events: int
    kills: int
    suspensions: int
    results: Counter[str | None] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    dead_letters: int = 0
    calls: int = 0
    repeated_calls: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        return [
            f"{self.events} events, {self.kills} kills, {self.suspensions} suspensions, {self.seconds:.1f} s",
            f"{len(self.results)} events with a result, {sum(self.results.values())} results, "
            f"{self.dead_letters} dead letters",
            "outcomes: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items())),
            f"{self.calls} writing calls, of which {self.repeated_calls} repeated after that",
            *(f"BROKEN: {fault}" for fault in self.faults),
            "every guarantee held" if not self.faults else f"{len(self.faults)} faults",
        ]


async def crash(
    bootstrap_servers: str,
    events: int,
    entities: int,
    kills: int,
    suspensions: int = 0,
    delivery: str = "exactly_once",
) -> Report:
    """Publish in as many shares as there are blows, and one; strike one of two workers in the middle of each share that
    it works on; then judge."""
    prefix = f"crash-{uuid.uuid4().hex[:8]}."
    workload = Workload(events, entities)
    report = Report(events, kills, suspensions)
    kafka = KafkaSettings(bootstrap_servers=bootstrap_servers, group_id=prefix + "relay")
    await ensure_topics(kafka, prefix)
    async with (
        Sandbox(default_systems(), settings=SandboxSettings(latency_seconds=LATENCY_SECONDS)) as sandbox,
        TopicReader(bootstrap_servers, prefix + RESULTS) as results,
        TopicReader(bootstrap_servers, prefix + DEAD_LETTERS) as dead_letters,
    ):
        sandbox.load(workload.seeds())
        settings = worker_settings(bootstrap_servers, prefix, sandbox) | {"RELAY_DELIVERY": delivery}
        workers = [RelayProcess(settings), RelayProcess(settings)]
        started = time.monotonic()
        try:
            for worker in workers:
                await worker.start()
            blows = [kill_and_start] * kills + [suspend] * suspensions
            share = events // (len(blows) + 1)
            for number, blow in enumerate(blows):
                await workers[0].says("partition.taken")
                await publish_all(kafka, prefix, workload.outgoing(number * share, (number + 1) * share))
                await results.read_until(partial(_has_records, number * share + share // 3), RESULT_SECONDS)
                await blow(workers[0])
            await publish_all(kafka, prefix, workload.outgoing(len(blows) * share, events))
            await results.read_until(lambda reader: len(set(event_ids(reader))) >= events, RESULT_SECONDS)
            for worker in workers:
                await worker.says("partition.taken")
                worker.terminate()
            for worker in workers:
                if code := await worker.ended():
                    report.faults.append(f"a worker ended with {code} after SIGTERM:\n{worker.log[-3000:]}")
        except TimeoutError:
            report.faults.append(f"only {len(set(event_ids(results)))} events had a result in time")
        finally:
            for worker in workers:
                await worker.close()
        await results.read_to_end()
        await dead_letters.read_to_end()
        report.seconds = time.monotonic() - started
        judge(report, workload, sandbox, results, dead_letters, once=delivery == "exactly_once")
    return report


async def kill_and_start(worker: RelayProcess) -> None:
    worker.kill()
    await worker.ended()
    await worker.start()


async def suspend(worker: RelayProcess) -> None:
    """Longer than its session, so that the group goes on without it; then let it wake up, none the wiser."""
    worker.suspend()
    await asyncio.sleep(SESSION_SECONDS + SUSPENDED_BEYOND_SECONDS)
    worker.wake()


def _has_records(count: int, reader: TopicReader) -> bool:
    return len(reader.records) >= count


def judge(
    report: Report,
    workload: Workload,
    sandbox: Sandbox,
    results: TopicReader,
    dead_letters: TopicReader,
    *,
    once: bool,
) -> None:
    """Fill the report in. Where results may be repeated (`once` is false), only lost ones are faults."""
    report.results.update(event_ids(results))
    report.outcomes.update(event["data"]["outcome"] for event in results.events)
    report.dead_letters = len(dead_letters.records)
    for event in workload.events:
        count = report.results[event.id]
        if count == 0 or (once and count > 1):
            report.faults.append(f"{event.id} has {count} results")
    report.faults += [
        f"{event['data']['event']['id']} {event['data']['outcome']}: {event['data']['message']}"
        for event in results.events
        if event["data"]["outcome"] in ("failed", "partial")
    ]
    applied = applied_numbers(sandbox.ledger)
    last = {event.entity: event.number for event in workload.events}
    for entity, expected in last.items():
        calls = applied[entity]
        judge_order(report, entity, calls)
        ended_with = calls[-1][0] if calls else None
        if ended_with != expected:
            report.faults.append(f"{entity} ended with {ended_with} in place of {expected}")


def judge_order(report: Report, entity: str, calls: list[tuple[int, float, float]]) -> None:
    """Numbers rise one by one; a kill may set them back to what was not yet stored, from where they rise again. No two
    calls for one entity at a time."""
    highest = 0
    for number, _, _ in calls:
        if number > highest + 1:
            report.faults.append(f"{entity}: {number} was carried out before {highest + 1}")
        highest = max(highest, number)
    report.calls += len(calls)
    report.repeated_calls += len(calls) - len({number for number, _, _ in calls})
    for (number, _, ended), (following, began, _) in pairwise(calls):
        if following <= number and not (report.kills or report.suspensions):
            report.faults.append(f"{entity}: {following} came again after {number}, and nothing had happened")
        if began < ended:
            report.faults.append(f"{entity}: {following} began before {number} had ended")


async def main(arguments: argparse.Namespace) -> int:
    given = os.environ.get("RELAY_KAFKA__BOOTSTRAP_SERVERS")
    broker = None if given else LocalBroker()
    try:
        servers = given or (await broker.start() if broker else "")
        report = await crash(
            servers, arguments.events, arguments.entities, arguments.kills, arguments.suspensions, arguments.delivery
        )
    finally:
        if broker:
            await broker.stop()
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
