"""Installs a release without containers, and replaces its three workers one after the other under load.

    python -m tests.deployment.rehearsal --events 2000

Helm renders the chart; each pod becomes a process with the variables and the mounted files that it would have, is
probed as the kubelet would, and ends by SIGTERM within its grace period. The topics are made by the release's job, and
its test is run at the end. Brokers, sandbox, load and judge are those of `make chaos`.

Prints what it counted; ends with 0 only when nothing was lost or repeated, every pod ended with 0, and none was killed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from service.kafka.connection import quieten
from service.sandbox.broker import LocalBroker
from service.sandbox.server import Sandbox, SandboxSettings
from service.sandbox.systems import default_systems
from tests.chaos.judging import judge
from tests.chaos.publishing import Publisher
from tests.chaos.report import Report
from tests.chaos.stage import LATENCY_SECONDS, LEDGER_ENTRIES, Stage, Stuck, aside
from tests.chaos.watching import Watch
from tests.chaos.workers import open_doors
from tests.chaos.workload import Workload
from tests.deployment.rehearsal.kubelet import Kubelet, PodFault
from tests.deployment.rehearsal.release import Release, address_of, values
from tests.deployment.tools import free_port, provide

REPLICAS = 3
RATE = 60
BACKLOG = 600
ENTITIES = 60
RESULTS_SECONDS = 240.0


class Rehearsal:
    """Three workers that are replaced while events come."""

    def __init__(self, stage: Stage, pods: Sequence[Kubelet], events: int) -> None:
        self._stage = stage
        self._old, self._new = pods[:REPLICAS], pods[REPLICAS:]
        self._events = events
        self._rolled = False

    async def run(self) -> None:
        """Raises `Stuck` or `PodFault`."""
        await asyncio.gather(*(pod.start() for pod in self._old))
        say(f"{REPLICAS} workers are ready after {max(pod.ready_seconds for pod in self._old):.1f} s at most")
        stage = self._stage
        publisher = Publisher(
            stage.servers, stage.prefix, stage.workload, lambda: stage.watch.done, rate=RATE, backlog=BACKLOG
        )
        async with aside(publisher.run(self._is_enough)) as publishing:
            await stage.until(lambda: stage.watch.done >= self._events // 10, RESULTS_SECONDS, "the first results")
            await self._roll()
            await publishing
        due = len(stage.workload.events)
        await stage.until(lambda: stage.watch.done >= due, RESULTS_SECONDS, f"a result for each of {due} events")
        for pod in self._new:
            await pod.stop()
        slowest = max(pod.stop_seconds for pod in (*self._old, *self._new))
        say(f"{2 * REPLICAS} workers have ended with 0, after {slowest:.1f} s at most")

    async def _roll(self) -> None:
        """As the Deployment does: one more, and when it is ready, one less."""
        for old, new in zip(self._old, self._new, strict=True):
            await new.start()
            before = self._stage.watch.done
            await old.stop()
            ended = f"its elder ended in {old.stop_seconds:.1f} s"
            say(f"a worker is replaced: ready after {new.ready_seconds:.1f} s, {ended}")
            await self._stage.until(partial(self._has_more_than, before), RESULTS_SECONDS, "another result")
        self._rolled = True

    def _is_enough(self, events: int) -> bool:
        """Never before the last worker is replaced, so that it is under load."""
        return self._rolled and events >= self._events

    def _has_more_than(self, results: int) -> bool:
        return self._stage.watch.done > results


async def rehearse(tools: Path, broker: LocalBroker, folder: Path, events: int, seed: int) -> Report:
    """A report without faults says that all went well."""
    servers, prefix = broker.bootstrap_servers, f"rehearsal-{uuid.uuid4().hex[:8]}."
    workload = Workload(ENTITIES, seed)
    report = Report("exactly_once")
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        limits = SandboxSettings(latency_seconds=LATENCY_SECONDS, max_ledger_entries=LEDGER_ENTRIES)
        sandbox = await stack.enter_async_context(Sandbox(default_systems(), limits))
        sandbox.load(workload.seeds())
        # By its door the ledger tells who called; so each pod has a release of its own, of which only the URLs differ.
        port = free_port(address_of(0))
        doors = await open_doors(sandbox, 2 * REPLICAS, stack)
        releases = [Release(tools, values(servers, prefix, door, port), folder) for door in doors]
        pods = [release.worker(number, doors[number]) for number, release in enumerate(releases)]
        for pod in pods:
            stack.push_async_callback(pod.worker.process.close)
        await releases[0].make_topics()
        say("the job has made the topics")
        watch = await Watch.begin(servers, prefix, stack)
        await stack.enter_async_context(aside(watch.run()))
        stage = Stage(servers, prefix, None, sandbox, workload, [pod.worker for pod in pods], watch)
        try:
            await Rehearsal(stage, pods, events).run()
        except (Stuck, PodFault) as fault:
            stage.faults.append(str(fault))
        report.seconds = time.monotonic() - began
        report.blows = {"workers replaced": REPLICAS}
        evidence = await stage.evidence()
        report.take(evidence)
        report.faults = [*stage.faults, *judge(evidence, once=True)]
        # Last, for its calls are none of the workers'.
        say("helm test: " + (await releases[0].check()).strip().splitlines()[-1])
    return report


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def main(arguments: argparse.Namespace) -> int:
    tools = provide("chart")
    quieten()
    broker = LocalBroker()
    try:
        await broker.start()
        with tempfile.TemporaryDirectory(prefix="relay-rehearsal-") as folder:
            report = await rehearse(tools, broker, Path(folder), arguments.events, arguments.seed)
    finally:
        await broker.stop()
    say("\n".join(report.lines()))
    return 1 if report.faults else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    sys.exit(asyncio.run(main(parser.parse_args())))
