"""The way out in `exactly_once`: results, dead letters and the position are stored together, or not at all.

A transactional producer for each input partition, its id made of group, topic and partition. To initialise it is to
fence the last owner and to end what that one left open. The generation of the group is of no help here: aiokafka
commits offsets in a transaction by a request that brokers do not check it for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced
from aiokafka.structs import OffsetAndMetadata

from service.domain.record import Partition
from service.engine.pacing import Pace, Turns
from service.engine.ports import CommitFailure, Outgoing, OwnershipLost, SourceUnavailable, Store, StoreUnavailable
from service.kafka.admission import Admission
from service.kafka.connection import MAX_REQUEST_BYTES, connection_arguments, words
from service.kafka.producers import Spoilt, close, ensure_admitted, judged
from service.kafka.sending import MAX_BATCH_BYTES, send_all
from service.settings import KafkaSettings

COMMIT_SECONDS = 60.0
"""For one commit, restarts of brokers included. Past it, whether it was stored cannot be told."""
PROBE_SECONDS = 20.0
TURNS = 6
"""Transactions of a worker that are under way at a time: a broker does no more of them by being given more, and those
that wait grow."""
LONGEST_TURN_SECONDS = 0.25
LONGEST_REST_SECONDS = 0.05
RETRY_MS = 25
"""Until a producer asks again when it is told that its last transaction is not quite ended yet. With aiokafka's own 100
a mark that is stored right behind a commit takes three times as long; shorter ones cost processor time in an outage."""


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
        await close(producer)


class TransactionalStore:
    """Stores for one input partition through its own transactional producer."""

    def __init__(
        self,
        partition: Partition,
        group_id: str,
        prefix: str,
        producer: AIOKafkaProducer,
        admission: Admission,
        pace: Pace,
    ) -> None:
        self._where = TopicPartition(*partition)
        self._admission = admission
        self._group_id = group_id
        self._prefix = prefix
        self._producer = producer
        self.pace = pace
        self.ahead = None

    async def commit(self, records: Sequence[Outgoing], offset: int, metadata: str) -> None:
        await ensure_admitted(self._admission, self._producer, self._prefix, records)
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await self._producer.begin_transaction()
                try:
                    await self._send(records)
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
        except Spoilt as error:
            raise OwnershipLost(f"a new producer is needed: {error}", CommitFailure.SPOILT) from error
        except (KafkaError, TimeoutError, AssertionError) as error:
            message = f"whether a commit was stored is unknown: {words(error)}"
            raise OwnershipLost(message, CommitFailure.UNKNOWN) from error

    async def _send(self, records: Sequence[Outgoing]) -> None:
        """Raises `Spoilt`, and `KafkaError` when nothing was refused."""
        for refused in await send_all(self._producer, self._prefix, records, self._admission.batch_bytes):
            raise judged(self._admission, self._prefix, refused)

    async def close(self) -> None:
        await close(self._producer)


class TransactionalStores:
    """Opens `TransactionalStore`s."""

    def __init__(self, settings: KafkaSettings, prefix: str) -> None:
        self._settings = settings
        self._prefix = prefix
        self._admission = Admission(settings)
        self._pace = Pace(
            settings.transaction_interval_seconds, Turns(TURNS, LONGEST_TURN_SECONDS, LONGEST_REST_SECONDS)
        )

    async def open(self, partition: Partition, consumer: AIOKafkaConsumer) -> Store:
        """Fences the last owner. Raises `KafkaError`."""
        group_id = self._settings.group_id
        producer = AIOKafkaProducer(
            transactional_id=f"{group_id}.{partition.topic}.{partition.number}",
            transaction_timeout_ms=round(COMMIT_SECONDS * 1000),
            retry_backoff_ms=RETRY_MS,
            max_request_size=MAX_REQUEST_BYTES,
            max_batch_size=MAX_BATCH_BYTES,
            **connection_arguments(self._settings),
        )
        try:
            await producer.start()
        except BaseException:
            await close(producer)
            raise
        return TransactionalStore(partition, group_id, self._prefix, producer, self._admission, self._pace)

    async def close(self) -> None:
        """Nothing is shared between stores."""
