"""One worker under load: from its start to its end, with a backlog (closed loop) or at a fixed rate (open loop).

Owns the course of a measurement. What comes of it is told in `tables`.
"""

from __future__ import annotations

import asyncio
import gc
import socket
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench.contestants import Contestant
from bench.keys import Draw, uniform
from bench.latencies import Latencies, added
from bench.mixes import Mix
from bench.processes import OTHERS_CORE, WORKER_CORE, CoreUse, cpu_seconds, peak_mib, process, resident_mib
from bench.report import print_progress
from bench.results import Results
from bench.stage import Stage
from service.engine.ports import Outgoing
from service.kafka.reader import TopicReader
from service.kafka.topic_admin import ensure_topics
from service.kafka.topics import CHANGES, RESULTS, TOPICS
from service.settings import KafkaSettings

RESULT_SECONDS = 300.0
"""After so long a measurement has failed."""
LOG_CHARACTERS = 2000
SEED = 1


@dataclass(frozen=True, slots=True)
class Closed:
    """A backlog, worked off as fast as the worker goes."""

    events: int
    seconds: float
    calls: int
    call_seconds: float
    """Of one call, as the stub sees it."""
    peak_calls: int
    cpu_seconds: float
    """Of the worker."""
    others_core: float
    """How busy the core of broker, stub and benchmark was: near 1, that is what was measured."""

    @property
    def events_per_second(self) -> float:
        return self.events / self.seconds

    @property
    def core(self) -> float:
        """How busy the worker was."""
        return self.cpu_seconds / self.seconds


@dataclass(frozen=True, slots=True)
class Open:
    """Events at a fixed rate, whether the worker keeps up or not."""

    rate: float
    latencies: Latencies
    """Added to the calls themselves."""
    late_p99_seconds: float
    """By how much the benchmark itself published too late; it counts as the worker's."""
    core: float
    others_core: float


class Running:
    """A worker that runs, and its topics. Events are numbered as they go out."""

    def __init__(
        self,
        stage: Stage,
        mix: Mix,
        worker: asyncio.subprocess.Process,
        producer: AIOKafkaProducer,
        prefix: str,
        results: Results,
        draw: Draw,
        keys: int,
        began: float,
    ) -> None:
        self._stage = stage
        self._mix = mix
        self._worker = worker
        self._producer = producer
        self._prefix = prefix
        self._results = results
        self._draw = draw
        self._keys = keys
        self._numbered = 0
        self._began = began

    @property
    def peak_mib(self) -> float:
        return peak_mib(self._worker.pid)

    @property
    def resident_mib(self) -> float:
        return resident_mib(self._worker.pid)

    def events(self, count: int) -> list[Outgoing]:
        """The next so many, each of an entity that is drawn."""
        drawn = self._draw(count, self._keys, SEED + self._numbered)
        made = self._mix.events(self._numbered, drawn)
        self._numbered += count
        return made

    def events_of(self, resource_ids: Sequence[str]) -> list[Outgoing]:
        """One for each of these."""
        made = [self._mix.event(self._numbered + index, given) for index, given in enumerate(resource_ids)]
        self._numbered += len(made)
        return made

    async def start(self) -> float:
        """One event, which waits for the worker. Returns the seconds from the worker's start to its result."""
        self._results.begin()
        await self.publish(self.events(1))
        async with asyncio.timeout(RESULT_SECONDS):
            await self._results.until(1)
        return max(self._results.seen.values()) - self._began

    async def warm_up(self, count: int) -> float:
        """So many events, and so many again, by which it is told about how many per second the worker can do."""
        await self.start()
        await self.closed(self.events(count))
        return (await self.closed(self.events(count))).events_per_second

    async def closed(self, events: Sequence[Outgoing]) -> Closed:
        """From the first publication to the last result."""
        self._results.begin()
        before = await self._stage.told()
        core, used = CoreUse(OTHERS_CORE), cpu_seconds(self._worker.pid)
        with undisturbed():
            began = time.monotonic()
            publishing = asyncio.ensure_future(self.publish(events))
            async with asyncio.timeout(RESULT_SECONDS):
                await self._results.until(len(events))
            elapsed = max(self._results.seen.values()) - began
            used = cpu_seconds(self._worker.pid) - used
            others_core = core.share()
            await publishing
        self._results.check()
        after = await self._stage.told()
        calls = after.calls - before.calls
        return Closed(
            len(events), elapsed, calls, (after.seconds - before.seconds) / calls, after.peak, used, others_core
        )

    async def open(self, rate: float, events: Sequence[Outgoing], left_out: Collection[int] = ()) -> Open:
        """So many a second, those `left_out` neither waited for nor counted. `left_out` are places in `events`."""
        first = self._numbered - len(events)
        others = {first + place for place in left_out}
        self._results.begin()
        before = await self._stage.told()
        core, used = CoreUse(OTHERS_CORE), cpu_seconds(self._worker.pid)
        with undisturbed():
            began = time.monotonic()
            publishing = asyncio.ensure_future(paced(self._send, events, rate))
            async with asyncio.timeout(RESULT_SECONDS + len(events) / rate):
                await self._results.until(len(events) - len(others), others)
            elapsed = time.monotonic() - began
            used = cpu_seconds(self._worker.pid) - used
            others_core = core.share()
            pace = await publishing
        self._results.check(others)
        after = await self._stage.told()
        call_seconds = (after.seconds - before.seconds) / (after.calls - before.calls)
        intended = {first + place: moment for place, moment in enumerate(pace.intended)}
        latencies = added(intended, self._results.seen, self._mix.calls * call_seconds, others)
        return Open(rate, latencies, pace.late_p99_seconds, used / elapsed, others_core)

    async def core_over(self, seconds: float) -> float:
        """How busy the worker is while nothing is asked of it here."""
        used, began = cpu_seconds(self._worker.pid), time.monotonic()
        await asyncio.sleep(seconds)
        return (cpu_seconds(self._worker.pid) - used) / (time.monotonic() - began)

    async def publish(self, events: Sequence[Outgoing]) -> None:
        """Without waiting for results."""
        for event in events:
            await self._send(event)

    async def _send(self, event: Outgoing) -> None:
        await self._producer.send(self._prefix + event.topic, event.value, event.key)


@dataclass(frozen=True, slots=True)
class Pace:
    """When each event was meant to leave, and by how much the 99th of a hundred left later."""

    intended: Sequence[float]
    late_p99_seconds: float


async def paced(send: Callable[[Outgoing], Awaitable[None]], events: Sequence[Outgoing], rate: float) -> Pace:
    """Sends them at even distances. One that is late is sent at once, and its moment stays what it was meant to be."""
    began = time.monotonic()
    intended = [began + index / rate for index in range(len(events))]
    late: list[float] = []
    for moment, event in zip(intended, events, strict=True):
        if (ahead := moment - time.monotonic()) > 0:
            await asyncio.sleep(ahead)
        late.append(time.monotonic() - moment)
        await send(event)
    late.sort()
    return Pace(intended, late[int(len(late) * 0.99)])


@contextmanager
def undisturbed() -> Iterator[None]:
    """By the benchmark's own garbage collector."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@asynccontextmanager
async def running(
    stage: Stage, contestant: Contestant, mix: Mix, *, draw: Draw = uniform, keys: int = 1000, partitions: int = 0
) -> AsyncIterator[Running]:
    """The contestant on topics of its own, from its start; nothing is published before `warm_up`. `partitions` are
    those of the topic of its events, where they are not the contract's."""
    prefix = f"bench-{uuid.uuid4().hex[:8]}."
    kafka = KafkaSettings(bootstrap_servers=stage.servers, group_id=prefix + "group")
    if partitions:
        await _create(kafka, prefix + CHANGES, partitions)
    await ensure_topics(kafka, prefix)
    await _await_leaders(kafka, prefix)
    producer = AIOKafkaProducer(bootstrap_servers=stage.servers, enable_idempotence=True)
    settings = _settings(stage, kafka, prefix, contestant)
    with tempfile.TemporaryFile() as log:
        async with TopicReader(kafka, prefix, [RESULTS]) as reader, producer:
            began = time.monotonic()
            async with process(*contestant.command, settings=settings, core=WORKER_CORE, log=log) as worker:

                def alive() -> None:
                    if worker.returncode is not None:
                        log.seek(0)
                        told = log.read().decode(errors="replace")[-LOG_CHARACTERS:]
                        raise RuntimeError(f"{contestant.name} ended with {worker.returncode}:\n{told}")

                print_progress(f"{contestant.name}: {mix.name}")
                yield Running(stage, mix, worker, producer, prefix, Results(reader, alive), draw, keys, began)


async def _create(kafka: KafkaSettings, topic: str, partitions: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, partitions, 1)])
    finally:
        await admin.close()


async def _await_leaders(kafka: KafkaSettings, prefix: str) -> None:
    """Until every partition can be used; a broker takes a moment for those of a new topic."""
    async with AIOKafkaConsumer(
        *(prefix + spec.name for spec in TOPICS), bootstrap_servers=kafka.bootstrap_servers
    ) as consumer:
        await consumer.end_offsets(consumer.assignment())


def _settings(stage: Stage, kafka: KafkaSettings, prefix: str, contestant: Contestant) -> dict[str, str]:
    """All that a worker does by default it does here."""
    return {
        "RELAY_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "RELAY_KAFKA__GROUP_ID": kafka.group_id,
        "RELAY_TOPICS__PREFIX": prefix,
        "RELAY_FOLIO__URL": f"http://127.0.0.1:{stage.stub_port}",
        "RELAY_FOLIO__TENANT": "bench",
        "RELAY_FOLIO__TOKEN": "bench",
        "RELAY_HTTP__HOST": "127.0.0.1",
        "RELAY_HTTP__PORT": str(_free_port()),
        **contestant.settings,
    }


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
