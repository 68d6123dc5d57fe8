"""The course of a run: publish, strike, recover, strike again; then calm, an orderly end, and the judge."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aiokafka.errors import KafkaError

from service.kafka.connection import quieten
from service.sandbox.broker import LocalBroker
from tests.chaos.blows import Blows
from tests.chaos.judging import judge
from tests.chaos.plan import FIRST_WORKERS, SESSION_SECONDS, Step
from tests.chaos.publishing import Publisher
from tests.chaos.report import Report
from tests.chaos.stage import Stage, Stuck, aside, set_stage
from tests.chaos.workload import Workload

CALM_SECONDS = 180.0
"""In which, without any more blows, everything must have come to its end."""
SAY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Load:
    """How much is published: so many events a second, never more than `backlog` ahead of the results; `limit` in all,
    or on and on until the plan is through."""

    rate: float
    backlog: int
    limit: int | None = None


async def run(
    workload: Workload,
    steps: Sequence[Step],
    load: Load,
    broker: LocalBroker | str,
    logs: Path,
    delivery: str,
    session_seconds: float = SESSION_SECONDS,
) -> Report:
    """One run over a broker of our own, or that of given bootstrap servers. Says every few seconds how it stands."""
    quieten()
    settings = {"RELAY_DELIVERY": delivery, "RELAY_KAFKA__SESSION_TIMEOUT_SECONDS": str(session_seconds)}
    report = Report(delivery)
    began = time.monotonic()
    async with set_stage(workload, broker, logs, settings) as stage:
        course = _Course(stage, steps, load)
        try:
            async with aside(course.tell(began)):
                await course.live()
        except Stuck as stuck:
            stage.faults.append(str(stuck))
        report.seconds = time.monotonic() - began
        report.blows = course.blows.fell
        report.troubled_calls = sum(entry.fault is not None for entry in stage.sandbox.ledger)
        evidence = await stage.evidence()
        report.take(evidence)
        report.faults = [*stage.faults, *judge(evidence, once=delivery == "exactly_once")]
    return report


class _Course:
    """One run on its stage."""

    def __init__(self, stage: Stage, steps: Sequence[Step], load: Load) -> None:
        self._stage = stage
        self._steps = steps
        self._load = load
        self._struck = 0
        self.blows = Blows(stage)

    async def live(self) -> None:
        """Raises `Stuck`."""
        stage = self._stage
        workers = [stage.workers[number] for number in FIRST_WORKERS]
        await asyncio.gather(*(worker.start() for worker in workers))
        publisher = Publisher(
            stage.servers,
            stage.prefix,
            stage.workload,
            lambda: stage.watch.done,
            rate=self._load.rate,
            backlog=self._load.backlog,
        )
        publishing = asyncio.create_task(publisher.run(self._is_enough))
        try:
            await self._strike(publishing)
            await publishing
            await self._calm_down()
        except KafkaError as error:
            raise Stuck(f"events could not be published: {error!r}") from error
        finally:
            publishing.cancel()
            await asyncio.gather(publishing, return_exceptions=True)

    async def tell(self, began: float) -> None:
        """How it stands, every few seconds, until cancelled."""
        while True:
            await asyncio.sleep(SAY_SECONDS)
            watch, fell = self._stage.watch, self.blows.fell
            sys.stdout.write(
                f"{time.monotonic() - began:6.0f} s  blow {self._struck} of {len(self._steps)}"
                f"  events {len(self._stage.workload.events)}  with a result {watch.done}"
                f"  kills {fell['kills']}  suspensions {fell['suspensions']}"
                f"  workers {sum(worker.running for worker in self._stage.workers)}\n"
            )
            sys.stdout.flush()

    def _is_enough(self, events: int) -> bool:
        return self._struck == len(self._steps) if self._load.limit is None else events >= self._load.limit

    def _has_results(self, due: int) -> bool:
        return self._stage.watch.done >= due

    async def _strike(self, publishing: asyncio.Task[None]) -> None:
        stage = self._stage
        await stage.until(partial(self._has_results, 1), CALM_SECONDS, "the first result")
        for step in self._steps:
            await stage.until(partial(self._has_results, step.results), CALM_SECONDS, f"result {step.results}")
            await asyncio.sleep(step.pause_seconds)
            if publishing.done() and publishing.exception() is not None:
                await publishing
            await self.blows.restart_the_fallen()
            await self.blows.strike(step.blow)
            self._struck += 1

    async def _calm_down(self) -> None:
        stage = self._stage
        stage.sandbox.faults.clear()
        due = len(stage.workload.events)
        await stage.until(partial(self._has_results, due), CALM_SECONDS, f"a result for each of {due} events")
        await self.blows.restart_the_fallen()
        for worker in stage.workers:
            if worker.running:
                await worker.process.says('"partition.taken"')
                await self.blows.terminate(worker)
