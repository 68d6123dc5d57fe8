"""The way out: where results, dead letters and positions are stored together, in either delivery mode.

`exactly_once`: a transactional producer for each input partition, its id made of group, topic and partition. To
initialise it is to fence the last owner and to end what that one left open. The generation of the group is of no help
here:
aiokafka commits offsets in a transaction by a request that brokers do not check it for.

`at_least_once`: one idempotent producer, then a commit of the consumer's, which the broker checks for the generation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
    RebalanceInProgressError,
    RecordListTooLargeError,
    UnknownMemberIdError,
)
from aiokafka.structs import OffsetAndMetadata

from service.domain.record import Partition
from service.engine.ports import (
    CommitFailure,
    Outgoing,
    OwnershipLost,
    RecordsRefused,
    SourceUnavailable,
    Store,
    StoreUnavailable,
)
from service.kafka import background
from service.kafka.admission import Admission, stored_bytes
from service.kafka.connection import MAX_REQUEST_BYTES, connection_arguments, member_id_of, words
from service.kafka.sending import MAX_BATCH_BYTES, send_all
from service.settings import KafkaSettings

COMMIT_SECONDS = 60.0
"""For one commit, restarts of brokers included. Past it, whether it was stored cannot be told."""
SEND_SECONDS = 30.0
"""For the records of a commit that needs no transaction. Past it the producer is taken for stuck."""
CLOSE_SECONDS = 5.0
_SIZE_REFUSALS = (MessageSizeTooLargeError, RecordListTooLargeError)


PROBE_SECONDS = 20.0


async def ensure_transactions(settings: KafkaSettings) -> None:
    """Returns when the brokers offer transactions. Raises `SourceUnavailable`, naming the mode that needs none."""
    producer = AIOKafkaProducer(transactional_id=f"{settings.group_id}.probe", **connection_arguments(settings))
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await producer.start()
    except (KafkaError, TimeoutError) as error:
        raise SourceUnavailable(
            f"{settings.bootstrap_servers} offers no transactions ({words(error)}); "
            "exactly once needs them, RELAY_DELIVERY=at_least_once does not"
        ) from error
    finally:
        await _close(producer)


class _Spoilt(Exception):
    """A broker has refused a record for good: it takes nothing more of this producer."""


async def _ensure_admitted(
    admission: Admission, producer: AIOKafkaProducer, prefix: str, records: Sequence[Outgoing]
) -> None:
    """Returns when every record may be sent. Raises `RecordsRefused`, or `StoreUnavailable` when that cannot be found
    out."""
    try:
        refusals = await admission.refusals(producer, prefix, records)
    except (KafkaError, TimeoutError) as error:
        raise StoreUnavailable(f"what the topics take cannot be found out: {words(error)}") from error
    if refusals:
        raise RecordsRefused(refusals, "; ".join(sorted(set(refusals.values()))))


async def _send_all(admission: Admission, producer: AIOKafkaProducer, prefix: str, records: Sequence[Outgoing]) -> None:
    """Send, and wait until every record is acknowledged; who is cancelled waits for none. Raises `_Spoilt`, and
    `KafkaError` when nothing was refused."""
    for refused in await send_all(producer, prefix, records, admission.batch_bytes):
        error = refused.error
        if isinstance(error, ProducerFenced):
            raise error
        if not isinstance(error, Exception):
            raise KafkaError("the producer has given a batch up")
        if isinstance(error, _SIZE_REFUSALS):
            _learn(admission, prefix + refused.records[0].topic, refused.records)
        raise _Spoilt(f"{prefix}{refused.records[0].topic}: {words(error)}") from error


def _learn(admission: Admission, topic: str, refused: Sequence[Outgoing]) -> None:
    """From a batch that was too large."""
    if len(refused) == 1:
        admission.learn(topic, stored_bytes(refused[0]))
    else:
        admission.learn_of_several(topic)


async def _close(producer: AIOKafkaProducer) -> None:
    """A producer whose broker is gone, or who was fenced, may not come to its end by itself."""
    closing = asyncio.ensure_future(producer.stop())
    closing.add_done_callback(lambda task: task.cancelled() or task.exception())
    await asyncio.wait((closing,), timeout=CLOSE_SECONDS)


class TransactionalStore:
    """Stores for one input partition through its own transactional producer."""

    def __init__(
        self, partition: Partition, group_id: str, prefix: str, producer: AIOKafkaProducer, admission: Admission
    ) -> None:
        self._where = TopicPartition(*partition)
        self._admission = admission
        self._group_id = group_id
        self._prefix = prefix
        self._producer = producer

    async def commit(self, records: Sequence[Outgoing], offset: int, metadata: str) -> None:
        await _ensure_admitted(self._admission, self._producer, self._prefix, records)
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await self._producer.begin_transaction()
                try:
                    await _send_all(self._admission, self._producer, self._prefix, records)
                    await self._producer.send_offsets_to_transaction(
                        {self._where: OffsetAndMetadata(offset, metadata)}, self._group_id
                    )
                except ProducerFenced:
                    raise
                except KafkaError as error:
                    await self._producer.abort_transaction()
                    raise StoreUnavailable(words(error)) from error
                await self._producer.commit_transaction()
        except ProducerFenced as error:
            raise OwnershipLost(f"another worker has taken {self._where.topic}/{self._where.partition}") from error
        except _Spoilt as error:
            raise OwnershipLost(f"a new producer is needed: {error}", CommitFailure.SPOILT) from error
        except (KafkaError, TimeoutError, AssertionError) as error:
            message = f"whether a commit was stored is unknown: {words(error)}"
            raise OwnershipLost(message, CommitFailure.UNKNOWN) from error

    async def close(self) -> None:
        await _close(self._producer)


class TransactionalStores:
    """Opens `TransactionalStore`s."""

    def __init__(self, settings: KafkaSettings, prefix: str) -> None:
        self._settings = settings
        self._prefix = prefix
        self._admission = Admission(settings)

    async def open(self, partition: Partition, consumer: AIOKafkaConsumer) -> Store:
        """Fences the last owner. Raises `KafkaError`."""
        group_id = self._settings.group_id
        producer = AIOKafkaProducer(
            transactional_id=f"{group_id}.{partition.topic}.{partition.number}",
            transaction_timeout_ms=round(COMMIT_SECONDS * 1000),
            max_request_size=MAX_REQUEST_BYTES,
            max_batch_size=MAX_BATCH_BYTES,
            **connection_arguments(self._settings),
        )
        try:
            await producer.start()
        except BaseException:
            await _close(producer)
            raise
        return TransactionalStore(partition, group_id, self._prefix, producer, self._admission)

    async def close(self) -> None:
        """Nothing is shared between stores."""


class SharedStore:
    """Stores for one input partition: publish, then commit as the consumer."""

    def __init__(self, partition: Partition, stores: SharedStores, consumer: AIOKafkaConsumer) -> None:
        self._where = TopicPartition(*partition)
        self._stores = stores
        self._consumer = consumer
        self._member_id = member_id_of(consumer)

    async def commit(self, records: Sequence[Outgoing], offset: int, metadata: str) -> None:
        """A member that was expelled and knows it publishes nothing more: what it says may differ by now from what the
        next owner has said."""
        if member_id_of(self._consumer) != self._member_id:
            raise OwnershipLost(f"{self._where.topic}/{self._where.partition} was taken away with the membership")
        if records:
            await self._send(records)
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                committing = self._consumer.commit({self._where: OffsetAndMetadata(offset, metadata)})
                await background.while_it_lives(self._consumer, committing)
        except RebalanceInProgressError as error:
            raise StoreUnavailable("a rebalance is under way") from error
        except (CommitFailedError, IllegalGenerationError, UnknownMemberIdError, IllegalStateError) as error:
            raise OwnershipLost(f"{self._where.topic}/{self._where.partition} is ours no more: {error}") from error
        except (KafkaError, TimeoutError) as error:
            raise StoreUnavailable(words(error)) from error

    async def _send(self, records: Sequence[Outgoing]) -> None:
        """A producer through which nothing has gone in good time is replaced: it may be one that has come to its end
        and does not say so, and would hold up everything for ever."""
        stores = self._stores
        try:
            producer = await stores.producer()
        except (KafkaError, TimeoutError) as error:
            raise StoreUnavailable(words(error)) from error
        await _ensure_admitted(stores.admission, producer, stores.prefix, records)
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await _send_all(stores.admission, producer, stores.prefix, records)
        except _Spoilt as error:
            await stores.replace(producer)
            raise OwnershipLost(f"a new producer is needed: {error}", CommitFailure.SPOILT) from error
        except (KafkaError, TimeoutError) as error:
            await stores.replace(producer)
            raise StoreUnavailable(words(error)) from error

    async def close(self) -> None:
        """The producer is shared."""


class SharedStores:
    """Opens `SharedStore`s over one idempotent producer, which `close` closes."""

    def __init__(self, settings: KafkaSettings, prefix: str) -> None:
        self.prefix = prefix
        self.admission = Admission(settings)
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def open(self, partition: Partition, consumer: AIOKafkaConsumer) -> Store:
        """Raises `KafkaError`, `TimeoutError`."""
        await self.producer()
        return SharedStore(partition, self, consumer)

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
            await _close(spoilt)

    async def close(self) -> None:
        if self._producer is not None:
            await _close(self._producer)

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
            await _close(producer)
            raise
        return producer
