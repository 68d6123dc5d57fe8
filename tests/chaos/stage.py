"""All that takes part in a run: broker, topics, sandbox, workers, publisher, watch. Owns their beginning and end."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from service.kafka.topic_admin import ensure_topics
from service.kafka.topics import CHANGES, EXPORT_REQUESTS, TRANSFER_REQUESTS
from service.sandbox.broker import LocalBroker
from service.sandbox.server import Sandbox, SandboxSettings
from service.sandbox.systems import default_systems
from service.settings import KafkaSettings
from tests.chaos.evidence import Evidence, Outage
from tests.chaos.gathering import calls_of, placed_of, places_of, state_of
from tests.chaos.plan import ALL_WORKERS
from tests.chaos.watching import Watch
from tests.chaos.workers import Lives, Worker, hire, open_doors
from tests.chaos.workload import Workload
from tests.support.topic_reading import TopicReader

LATENCY_SECONDS = {"eholdings": 0.12, "inventory": 0.15, "holdings-sources": 0.05, "scsb": 0.25, "holdingsiq": 0.1}
LEDGER_ENTRIES = 2_000_000
WORKER_SETTINGS = {
    # No burst of trouble may last long enough for an event to be given up: what is done in the end must be told.
    "RELAY_RETRY__MAX_ATTEMPTS": "1000",
    "RELAY_RETRY__INITIAL_SECONDS": "0.1",
    "RELAY_RETRY__MAX_SECONDS": "1",
    # The rows of an export go out in many commits, so that blows fall between them.
    "RELAY_EXPORTS__ROWS_PER_COMMIT": "25",
    "RELAY_EXPORTS__POLL_MAX_SECONDS": "1",
}
POLL_SECONDS = 0.1


class Stuck(Exception):
    """What should have come about did not, in a time in which it must."""


@dataclass(slots=True)
class Stage:
    """A run's participants. `faults` is what was found on the way, in words."""

    servers: str
    prefix: str
    broker: LocalBroker | None
    """None for one that is not ours to stop."""
    sandbox: Sandbox
    workload: Workload
    workers: list[Worker]
    watch: Watch
    outages: list[Outage] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    async def until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Blocks until the condition holds. Raises `Stuck`, which says what did not come about."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not condition():
            if asyncio.get_running_loop().time() > deadline:
                raise Stuck(f"{what} did not come about within {seconds:.0f} s")
            await asyncio.sleep(POLL_SECONDS)

    async def evidence(self) -> Evidence:
        """What is left of the run, once nothing moves any more."""
        async with TopicReader(
            self.servers, *(self.prefix + topic for topic in (CHANGES, TRANSFER_REQUESTS, EXPORT_REQUESTS))
        ) as records_in:
            await records_in.read_to_end()
        await self.watch.finish()
        lives = Lives(self.workers)
        events = self.workload.events
        moved_from = self.workload.first_places()
        return Evidence(
            placed_of(records_in.records, self.prefix, events),
            self.watch.results,
            self.watch.letters,
            calls_of(self.sandbox.ledger, events, lives.at),
            lives.all,
            self.outages,
            state_of(self.sandbox),
            moved_from,
            places_of(self.sandbox, moved_from),
            self.watch.rows,
        )


@asynccontextmanager
async def set_stage(
    workload: Workload, broker: LocalBroker | str, logs: Path, settings: Mapping[str, str]
) -> AsyncIterator[Stage]:
    """Everything but the workers is at work; those are ended with the stage, however they are. A `broker` of our own
    runs already; else its bootstrap servers are given."""
    servers = broker if isinstance(broker, str) else broker.bootstrap_servers
    prefix = f"chaos-{uuid.uuid4().hex[:8]}."
    await ensure_topics(KafkaSettings(bootstrap_servers=servers), prefix)
    async with AsyncExitStack() as stack:
        limits = SandboxSettings(latency_seconds=LATENCY_SECONDS, max_ledger_entries=LEDGER_ENTRIES)
        sandbox = await stack.enter_async_context(Sandbox(default_systems(), limits))
        sandbox.load(workload.seeds())
        doors = await open_doors(sandbox, len(ALL_WORKERS), stack)
        workers = hire(doors, servers, prefix, WORKER_SETTINGS | dict(settings), logs)
        for worker in workers:
            stack.push_async_callback(worker.process.close)
        watch = await Watch.begin(servers, prefix, stack)
        await stack.enter_async_context(aside(watch.run()))
        own = None if isinstance(broker, str) else broker
        yield Stage(servers, prefix, own, sandbox, workload, workers, watch)


@asynccontextmanager
async def aside(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Something that runs beside the block, and is cancelled at its end. Its error is raised there."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        (error,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(error, Exception):
            raise error
