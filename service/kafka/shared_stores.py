"""The way out in `at_least_once`: one idempotent producer for all partitions, and commits of the consumer's, which the
broker checks for the generation of the group.

Results of all partitions are published together as they come, and positions follow together, at a slower pace: they
bound what a crash repeats, and nobody reads them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from aiokafka.structs import OffsetAndMetadata

from service.domain.record import Partition
from service.engine.pacing import Pace
from service.engine.ports import Ahead, CommitFailure, Outgoing, OwnershipLost, Store, StoreUnavailable
from service.kafka import background
from service.kafka.admission import Admission
from service.kafka.connection import MAX_REQUEST_BYTES, connection_arguments, member_id_of, words
from service.kafka.producers import Spoilt, close, ensure_admitted, judged
from service.kafka.sending import MAX_BATCH_BYTES, send_all
from service.kafka.together import Together
from service.settings import KafkaSettings

COMMIT_SECONDS = 40.0
"""For the positions of one request. Past it they are committed again, whether they were stored or not."""
SEND_SECONDS = 30.0
"""For what is published together. Past it the producer is taken for stuck."""
SEND_SPACING_SECONDS = 0.004
"""From one publication to the next."""
POSITION_LINGER_SECONDS = 0.001
"""For which a position waits for those of other partitions, which come at the same time."""
_PACE = Pace()
"""None of its own: what goes together keeps that of all (`Together`)."""


class SharedStore:
    """Stores for one input partition: publish, then commit as the consumer. Both go together with those of the other
    partitions."""

    def __init__(self, partition: Partition, stores: SharedStores, consumer: AIOKafkaConsumer) -> None:
        self.where = TopicPartition(*partition)
        self.consumer = consumer
        self.pace = _PACE
        self.ahead = Ahead(self.publish, stores.position_interval_seconds)
        self._stores = stores
        self._member_id = member_id_of(consumer)

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """A member that was expelled and knows it publishes nothing more: what it says may differ by now from what the
        next owner has said."""
        self.check_membership()
        await self._stores.publish(_Publication(self, records))

    async def commit(self, records: Sequence[Outgoing], offset: int, metadata: str) -> None:
        self.check_membership()
        if records:
            await self._stores.publish(_Publication(self, records))
        await self._stores.commit(_Position(self, OffsetAndMetadata(offset, metadata)))

    def check_membership(self) -> None:
        """Raises `OwnershipLost` when the consumer is another member than at the claim."""
        if member_id_of(self.consumer) != self._member_id:
            raise OwnershipLost(f"{self.where.topic}/{self.where.partition} was taken away with the membership")

    async def close(self) -> None:
        """The producer is shared."""


class _Publication(NamedTuple):
    """What is to be published for one partition."""

    store: SharedStore
    records: Sequence[Outgoing]


class _Position(NamedTuple):
    """What is to be committed for one partition."""

    store: SharedStore
    offset: OffsetAndMetadata


class SharedStores:
    """Opens `SharedStore`s over one idempotent producer, which `close` closes."""

    def __init__(self, settings: KafkaSettings, prefix: str) -> None:
        self.position_interval_seconds = settings.position_interval_seconds
        self._prefix = prefix
        self._admission = Admission(settings)
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._sending: Together[_Publication, None] = Together(self._send, spacing_seconds=SEND_SPACING_SECONDS)
        self.commit: Together[_Position, None] = Together(self._commit, linger_seconds=POSITION_LINGER_SECONDS)
        """One position. Raises as `Store.commit` does."""

    async def open(self, partition: Partition, consumer: AIOKafkaConsumer) -> Store:
        """Raises `KafkaError`, `TimeoutError`."""
        await self.producer()
        return SharedStore(partition, self, consumer)

    async def publish(self, publication: _Publication) -> None:
        """Raises as `Store.publish` does."""
        try:
            producer = await self.producer()
        except (KafkaError, TimeoutError) as error:
            raise StoreUnavailable(words(error)) from error
        await ensure_admitted(self._admission, producer, self._prefix, publication.records)
        await self._sending(publication)

    async def _send(self, wanted: Sequence[_Publication]) -> Sequence[Exception | None]:
        """What several partitions want published, but for those whose membership has gone meanwhile."""
        lost = [_loss(publication.store) for publication in wanted]
        every = [record for one, why in zip(wanted, lost, strict=True) if why is None for record in one.records]
        fates = {id(record): fate for fate, records in await self._send_at_once(every) for record in records}
        return [
            why or next((fates[id(record)] for record in one.records if id(record) in fates), None)
            for one, why in zip(wanted, lost, strict=True)
        ]

    async def _send_at_once(self, records: Sequence[Outgoing]) -> Sequence[tuple[Exception, Sequence[Outgoing]]]:
        """Which of them were refused, and why. A producer through which nothing has gone in good time is replaced: it
        may be one that has come to its end and does not say so, and would hold up everything for ever."""
        try:
            producer = await self.producer()
        except (KafkaError, TimeoutError) as error:
            raise StoreUnavailable(words(error)) from error
        try:
            async with asyncio.timeout(SEND_SECONDS):
                refused = await send_all(producer, self._prefix, records, self._admission.batch_bytes)
        except (KafkaError, TimeoutError) as error:
            await self.replace(producer)
            raise StoreUnavailable(words(error)) from error
        if refused:
            await self.replace(producer)
        return [(_told(judged(self._admission, self._prefix, one)), one.records) for one in refused]

    async def _commit(self, wanted: Sequence[_Position]) -> Sequence[Exception | None]:
        """Each by itself where they do not go together: each partition has its own answer."""
        answers: list[Exception | None] = [StoreUnavailable("no answer has come in time")] * len(wanted)
        with suppress(TimeoutError):  # told to those who have no answer
            async with asyncio.timeout(COMMIT_SECONDS):
                error = await self._failure(wanted)
                if error is None or len(wanted) == 1 or isinstance(error, RebalanceInProgressError):
                    return [error and _told(error)] * len(wanted)
                for place, position in enumerate(wanted):
                    error = await self._failure([position])
                    answers[place] = error and _told(error)
        return answers

    async def _failure(self, wanted: Sequence[_Position]) -> Exception | None:
        """What has kept them from being committed in one request."""
        try:
            for position in wanted:
                position.store.check_membership()
            await self._commit_at_once(wanted)
        except (KafkaError, OwnershipLost) as error:
            failure: Exception = error
            return failure
        return None

    async def _commit_at_once(self, wanted: Sequence[_Position]) -> None:
        """The stores that are open are those of one consumer, or the membership of some is gone."""
        consumer = wanted[0].store.consumer
        committing = consumer.commit({store.where: offset for store, offset in wanted})
        await background.while_it_lives(consumer, committing)

    async def producer(self) -> AIOKafkaProducer:
        """The one that is in use, started where there is none. Raises `KafkaError`, `TimeoutError`."""
        async with self._starting:
            if self._producer is None:
                self._producer = await self._start()
            return self._producer

    async def replace(self, spoilt: AIOKafkaProducer) -> None:
        """Have a new producer started when one is needed next, and let go of this one."""
        if self._producer is spoilt:
            self._producer = None
            await close(spoilt)

    async def close(self) -> None:
        await self._sending.close()
        await self.commit.close()
        if self._producer is not None:
            await close(self._producer)

    async def _start(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            enable_idempotence=True,
            max_request_size=MAX_REQUEST_BYTES,
            max_batch_size=MAX_BATCH_BYTES,
            **connection_arguments(self._settings),
        )
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await producer.start()
        except BaseException:
            await close(producer)
            raise
        return producer


def _loss(store: SharedStore) -> OwnershipLost | None:
    try:
        store.check_membership()
    except OwnershipLost as lost:
        return lost
    return None


def _told(error: Exception) -> Exception:
    """What the engine is told of it."""
    told: Exception
    match error:
        case OwnershipLost():
            return error
        case Spoilt():
            told = OwnershipLost(f"a new producer is needed: {error}", CommitFailure.SPOILT)
        case RebalanceInProgressError():
            told = StoreUnavailable("a rebalance is under way")
        case CommitFailedError() | IllegalGenerationError() | UnknownMemberIdError() | IllegalStateError():
            told = OwnershipLost(f"it is ours no more: {error}")
        case _:
            told = StoreUnavailable(words(error))
    told.__cause__ = error
    return told
