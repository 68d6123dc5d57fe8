"""A consumer group on the simulated broker and on a real one, with the same verbs. A seat is one member of the group,
with its source in a process of its own: one that can be suspended without the others."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol, TypeVar

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import OffsetAndMetadata

from service.domain.record import Partition, Record
from service.engine.ports import Claim, Outgoing, Source
from service.kafka.log_identity import STAMP_BYTES
from service.kafka.source import KafkaSource
from service.kafka.stores import SharedStores, TransactionalStores
from service.settings import KafkaSettings
from tests.fakes.broker import FakeBroker
from tests.fakes.process import FakeProcess
from tests.fakes.source import Delivery, FakeSource
from tests.fakes.transactions import METADATA_LIMIT_BYTES
from tests.plugins.brokers import GIVEN_BROKER
from tests.support.topic_reading import TopicReader

Result = TypeVar("Result")

RESULTS = "results"
REAL_SESSION_SECONDS = 6.0 if GIVEN_BROKER else 2.0
"""A broker of our own allows shorter ones than others do."""
PATIENCE_SECONDS = 25.0
FETCH_SECONDS = 0.3


class Process(Protocol):
    """Where a seat's code runs."""

    async def run(self, work: Coroutine[Any, Any, Result]) -> Result: ...

    def suspend(self) -> None: ...

    def wake(self) -> None: ...


class Seat:
    """One member of the group. Implements `engine.ports.AssignmentListener`."""

    def __init__(self, source: Source, process: Process) -> None:
        self.source = source
        self.process = process
        self.epochs: Mapping[Partition, int] = {}
        self.assignments = 0
        self.revocations = 0
        self.expulsions = 0
        self.holds_up = False
        """Whether it takes its time to give up its partitions."""
        self._claims: list[Claim] = []

    async def revoking(self) -> None:
        self.revocations += 1
        while self.holds_up:  # noqa: ASYNC110 - another thread decides
            await asyncio.sleep(0.01)

    def expelled(self) -> None:
        self.expulsions += 1

    async def assigned(self, epochs: Mapping[Partition, int]) -> None:
        self.epochs = dict(epochs)
        self.assignments += 1

    async def claim(self, partition: Partition) -> Claim:
        claim = await self.process.run(self.source.claim(partition))
        self._claims.append(claim)
        return claim

    async def commit(self, claim: Claim, *values: bytes, offset: int, metadata: str = "") -> None:
        records = [Outgoing(RESULTS, b"key", value) for value in values]
        await self.process.run(claim.store.commit(records, offset, metadata))

    async def fetch(self) -> list[Record]:
        return list(await self.process.run(self.source.fetch(FETCH_SECONDS)))

    async def fetched(self, count: int) -> list[bytes | None]:
        """The values of the next records, `count` at least."""
        records: list[Record] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(records) < count:
                records += await self.fetch()
        return [record.value for record in records]

    async def seek(self, partition: Partition, offset: int) -> None:
        await self.process.run(_at_once(lambda: self.source.seek(partition, offset)))

    async def pause(self, *partitions: Partition) -> None:
        await self.process.run(_at_once(lambda: self.source.pause(partitions)))

    async def resume(self, *partitions: Partition) -> None:
        await self.process.run(_at_once(lambda: self.source.resume(partitions)))

    async def leave(self) -> None:
        await self.process.run(self.source.stop())

    async def close(self) -> None:
        """Whatever has become of it."""
        self.holds_up = False
        self.process.wake()
        await self.leave()
        for claim in self._claims:
            await self.process.run(claim.store.close())


class World(Protocol):
    """A broker with a topic to read, of two partitions, and one to publish to."""

    delivery: Delivery
    session_seconds: float
    metadata_bytes: int
    """The most that a commit may carry."""
    partitions: tuple[Partition, Partition]

    async def join(self) -> Seat:
        """A new member of the group, which may not have heard of any partition yet."""
        ...

    async def append(self, partition: Partition, *values: bytes) -> None: ...

    async def readable(self, at_least: int = 0) -> list[bytes | None]:
        """What a reader sees under `read_committed`, once it sees so many records: the broker writes the end of a
        transaction into the topics after it has told the producer of it."""
        ...

    async def leave_open(self, seat: Seat, claim: Claim, value: bytes, partition: Partition, offset: int) -> None:
        """Only in transactions: write a record and an offset of the claimed partition into one, and never end it."""
        ...


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - asked, not told
            await asyncio.sleep(0.02)


async def settled(*seats: Seat) -> None:
    """Until the seats hold both partitions between them."""
    await until(lambda: sum(len(seat.epochs) for seat in seats) == 2 and all(seat.epochs for seat in seats))


async def _at_once(act: Callable[[], None]) -> None:
    act()


# ── simulated ───────────────────────────────────────────────────────────────────────────────────────────────────────


class _SimulatedProcess(FakeProcess):
    async def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return await self.spawn(work)


class SimulatedWorld:
    """Implements `World`."""

    session_seconds = 10.0
    metadata_bytes = METADATA_LIMIT_BYTES

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.partitions = Partition("changes", 0), Partition("changes", 1)
        self.seats: list[Seat] = []
        self._broker = FakeBroker(*self.partitions, session_seconds=self.session_seconds)

    async def join(self) -> Seat:
        process = _SimulatedProcess(f"seat {len(self.seats) + 1}")
        seat = Seat(FakeSource(self._broker, process, delivery=self.delivery), process)
        self.seats.append(seat)
        await process.run(seat.source.start(seat))
        return seat

    async def append(self, partition: Partition, *values: bytes) -> None:
        for value in values:
            self._broker.append(partition, value)

    async def readable(self, at_least: int = 0) -> list[bytes | None]:
        return [record.value for record in self._broker.output.readable(RESULTS)]

    async def leave_open(self, seat: Seat, claim: Claim, value: bytes, partition: Partition, offset: int) -> None:
        self._broker.delay = lambda verb: 1.0
        assert isinstance(seat.process, FakeProcess)
        committing = seat.process.spawn(claim.store.commit([Outgoing(RESULTS, b"key", value)], offset, ""))
        await asyncio.sleep(0.9)  # the offset has been written, and its answer is on the way
        committing.cancel()
        self._broker.delay = lambda verb: 0.001


@asynccontextmanager
async def simulated(delivery: Delivery) -> AsyncIterator[World]:
    world = SimulatedWorld(delivery)
    yield world
    for seat in world.seats:
        await seat.close()


# ── real ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Thread:
    """Implements `Process`: a loop in a thread. While the thread is held up, nothing of it runs, no heartbeat either;
    its connections stay, as they do under SIGSTOP."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._awake = threading.Event()
        self._loop.set_exception_handler(lambda loop, context: None)  # aiokafka leaves futures of its own unheard
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    async def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def suspend(self) -> None:
        self._awake.clear()
        self._loop.call_soon_threadsafe(self._awake.wait)

    def wake(self) -> None:
        self._awake.set()

    async def end(self) -> None:
        await self.run(_cancel_the_rest())
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)
        self._loop.close()


class RealWorld:
    """Implements `World`."""

    session_seconds = REAL_SESSION_SECONDS
    metadata_bytes = METADATA_LIMIT_BYTES - STAMP_BYTES

    def __init__(self, bootstrap_servers: str, prefix: str, delivery: Delivery, reader: TopicReader) -> None:
        self.delivery = delivery
        topic = prefix + "changes"
        self.partitions = Partition(topic, 0), Partition(topic, 1)
        self.seats: list[tuple[Seat, TransactionalStores | SharedStores, _Thread]] = []
        self._prefix = prefix
        self._reader = reader
        self._settings = KafkaSettings(
            bootstrap_servers=bootstrap_servers,
            group_id=prefix + "group",
            session_timeout_seconds=self.session_seconds,
        )

    async def join(self) -> Seat:
        thread = _Thread()
        made = TransactionalStores if self.delivery == "exactly_once" else SharedStores
        stores = made(self._settings, self._prefix)
        topics = [self.partitions[0].topic]
        source = KafkaSource(self._settings, topics, stores, lambda partition, message: None)
        seat = Seat(source, thread)
        self.seats.append((seat, stores, thread))
        await thread.run(source.start(seat))
        return seat

    async def append(self, partition: Partition, *values: bytes) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self._settings.bootstrap_servers) as producer:
            for value in values:
                await producer.send_and_wait(partition.topic, value, partition=partition.number)

    async def readable(self, at_least: int = 0) -> list[bytes | None]:
        await self._reader.read_until(lambda reader: len(reader.records) >= at_least, PATIENCE_SECONDS)
        await self._reader.read_to_end()
        return [record.value for record in self._reader.records]

    async def leave_open(self, seat: Seat, claim: Claim, value: bytes, partition: Partition, offset: int) -> None:
        producer: AIOKafkaProducer = claim.store._store._producer  # type: ignore[attr-defined]

        async def write() -> None:
            await producer.begin_transaction()
            await producer.send_and_wait(self._prefix + RESULTS, value)
            offsets = {TopicPartition(*partition): OffsetAndMetadata(offset, "")}
            await producer.send_offsets_to_transaction(offsets, self._settings.group_id)

        await seat.process.run(write())


@asynccontextmanager
async def real(bootstrap_servers: str, prefix: str, delivery: Delivery) -> AsyncIterator[World]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic(prefix + "changes", 2, 1), NewTopic(prefix + RESULTS, 1, 1)])
    await admin.close()
    async with TopicReader(bootstrap_servers, prefix + RESULTS) as reader:
        world = RealWorld(bootstrap_servers, prefix, delivery, reader)
        try:
            yield world
        finally:
            for seat, stores, thread in world.seats:
                await seat.close()
                await thread.run(stores.close())
                await thread.end()


async def _cancel_the_rest() -> None:
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*rest, return_exceptions=True)
