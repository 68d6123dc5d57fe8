"""A whole worker on fakes, in a process that can be suspended and killed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from service.domain.outcomes import Overall
from service.domain.record import Partition
from service.engine.circuit import CircuitPolicy
from service.engine.gates import Gates
from service.engine.intake import IntakeLimits
from service.engine.ports import Systems
from service.engine.processing import Processing
from service.engine.progress import Progress
from service.engine.retry import RetryPolicy, Uniform
from service.engine.vigil import VigilLimits
from service.engine.worker import Worker, WorkerLimits
from tests.fakes.broker import FakeBroker
from tests.fakes.events import RESULTS, FakeEvent, Told, interpret, render, render_rows, told_by
from tests.fakes.process import FakeProcess
from tests.fakes.recording import RecordingObserver
from tests.fakes.source import Delivery, FakeSource

RETRY = RetryPolicy(max_attempts=4, initial_seconds=1, max_seconds=20, deadline_seconds=600)
CIRCUIT = CircuitPolicy()
INTAKE = IntakeLimits(records=10_000, bytes=10_000_000)
DRAIN_SECONDS = 30.0
GRACE_SECONDS = 20.0


def shortest(low: float, high: float) -> float:
    return low


class Member:
    """One worker, from `start` to `stop` or `kill`. It is never suspended unless its `clock` says so."""

    def __init__(
        self,
        broker: FakeBroker,
        systems: Systems | Callable[[FakeProcess], Systems],
        name: str = "worker",
        *,
        concurrency: int = 100,
        intake: IntakeLimits = INTAKE,
        drain_seconds: float = DRAIN_SECONDS,
        retry: RetryPolicy = RETRY,
        circuit: CircuitPolicy = CIRCUIT,
        uniform: Uniform = shortest,
        clock: Callable[[], float] = lambda: 0.0,
        suspension_seconds: float = 15.0,
        silence_seconds: float = 22.5,
        delivery: Delivery = "exactly_once",
        updates_together: int = 1,
    ) -> None:
        self.broker = broker
        self.process = FakeProcess(name)
        self.observer = RecordingObserver()
        self.source = FakeSource(broker, self.process, delivery=delivery)
        if callable(systems):
            systems = systems(self.process)
        gates = Gates(circuit, uniform, self.observer)
        processing = Processing(systems, gates, retry, concurrency, uniform, self.observer)
        limits = WorkerLimits(intake, drain_seconds, VigilLimits(suspension_seconds, silence_seconds), updates_together)
        progress = Progress(asyncio.get_running_loop().time)
        self.worker = Worker(
            self.source, interpret, processing, render, render_rows, limits, self.observer, clock, progress
        )
        self.run: asyncio.Task[None] | None = None

    def start(self, grace_seconds: Callable[[], float] = lambda: GRACE_SECONDS) -> Member:
        self.run = self.process.spawn(self.worker.run(grace_seconds))
        return self

    async def ready(self) -> None:
        """Blocks until the worker has joined its group and claimed what it was assigned."""
        while not (self.worker.ready and (self.run is None or not self.run.done())):  # noqa: ASYNC110 - asked, not told
            await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """SIGTERM, and what follows it to the end, which may be a violent one."""
        self.worker.stop()
        if self.run is not None:
            await asyncio.wait((self.run,))
            if not self.process.killed:
                await self.run

    async def kill(self) -> None:
        """SIGKILL, and after it the end of the session, when the group forgets the worker."""
        await self.process.kill()
        self.broker.leave(self.source)


def everything_to(member: Member, broker: FakeBroker) -> None:
    """From now on `member` is assigned all partitions, and whoever else there is none."""

    def assign(
        members: Sequence[FakeSource], partitions: Sequence[Partition]
    ) -> Mapping[FakeSource, Sequence[Partition]]:
        return {source: partitions if source is member.source else () for source in members}

    broker.assign = assign


def results(broker: FakeBroker) -> list[Told]:
    """The results published, in the order in which they were stored."""
    return [told_by(sent) for sent in broker.published if sent.topic == RESULTS]


async def settled(broker: FakeBroker, *event_ids: str, within_seconds: float = 3600.0) -> list[Told]:
    """The results, once there is one for each of `event_ids`."""
    async with asyncio.timeout(within_seconds):
        while not {told.event_id for told in results(broker)}.issuperset(event_ids):  # noqa: ASYNC110 - asked, not told
            await asyncio.sleep(0.05)
    return results(broker)


def publish(broker: FakeBroker, partition: Partition, *events: FakeEvent) -> None:
    for event in events:
        broker.append(partition, event.encode())


def succeeded_once(told: list[Told]) -> list[str]:
    """The events that have exactly one result, and that one a success, in their order."""
    ids = [one.event_id for one in told]
    return [one.event_id for one in told if ids.count(one.event_id) == 1 and one.overall is Overall.SUCCEEDED]
