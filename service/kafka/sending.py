"""How records reach the brokers: put into batches by us, for `send` costs several times as much for each of them.

A partition takes one batch at a time, so a batch holds as much as its topic lets it.

Owns which record goes to which partition (as every Kafka client has it, by the hash of its key), and that every
acknowledgement is waited for. It must not begin or end a transaction, or ask whether a record will be taken.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from service.engine.ports import Outgoing
from service.kafka.admission import stored_bytes

MAX_BATCH_BYTES: Final = 256 * 1024
"""With which producers are to be made: what their batches hold at most, where the topics take as much."""


@dataclass(frozen=True, slots=True)
class Refused:
    """What became of a batch that was not stored, and the records in it."""

    error: BaseException
    records: Sequence[Outgoing]


@dataclass(slots=True)
class _Batch:
    """`builder` is aiokafka's, and knows the limit of its producer. `takes_bytes` is that of the topic."""

    topic: str
    partition: int
    builder: Any
    takes_bytes: float
    records: list[Outgoing]


async def send_all(
    producer: AIOKafkaProducer, prefix: str, records: Sequence[Outgoing], batch_bytes: Callable[[str], float]
) -> list[Refused]:
    """Send, and wait until every batch is acknowledged or refused. Records of one key keep their order; `batch_bytes`
    of a topic is how large a batch of several may be there. Raises `KafkaError` when a batch could not be sent at all;
    those that were sent before it have come to their end by then. Who is cancelled waits for none.
    """
    sent: list[tuple[_Batch, asyncio.Future[object]]] = []
    try:
        for batch in await _batches(producer, prefix, records, batch_bytes):
            acknowledged = await producer.send_batch(batch.builder, batch.topic, partition=batch.partition)
            # aiokafka's own must not be cancelled: its sender, which others may share, fails at repeating such a batch.
            sent.append((batch, asyncio.shield(acknowledged)))
    except asyncio.CancelledError:
        for _, future in sent:  # they may never come to an end: a producer waits for its brokers for ever
            future.cancel()
        raise
    finally:
        outcomes = await asyncio.gather(*(future for _, future in sent), return_exceptions=True)
    return [
        Refused(outcome, batch.records)
        for (batch, _), outcome in zip(sent, outcomes, strict=True)
        if isinstance(outcome, BaseException)
    ]


async def _batches(
    producer: AIOKafkaProducer, prefix: str, records: Sequence[Outgoing], batch_bytes: Callable[[str], float]
) -> Iterator[_Batch]:
    """Full ones. The first of every partition, then the second of every partition, for a partition takes one at a
    time."""
    partitions = {topic: sorted(await producer.partitions_for(prefix + topic)) for topic in {r.topic for r in records}}
    rows: dict[tuple[str, int], list[_Batch]] = {}
    for record in records:
        partition = _partition_of(record.key, partitions[record.topic])
        row = rows.setdefault((record.topic, partition), [])
        if not (row and _append(row[-1], record)):
            topic = prefix + record.topic
            batch = _Batch(topic, partition, producer.create_batch(), batch_bytes(topic), [])
            if not _append(batch, record):
                raise ValueError("an empty batch takes no record")
            row.append(batch)
    for row in rows.values():
        for batch in row:
            batch.builder.close()
    return (batch for turn in zip_longest(*rows.values()) for batch in turn if batch is not None)


def _append(batch: _Batch, record: Outgoing) -> bool:
    """Whether there was room. One that is larger than a batch may be is put into a batch of its own."""
    tight = batch.takes_bytes < MAX_BATCH_BYTES
    if tight and batch.records and batch.builder.size() + stored_bytes(record) > batch.takes_bytes:
        return False
    taken = batch.builder.append(timestamp=None, key=record.key, value=record.value, headers=list(record.headers))
    if taken is None:
        return False
    batch.records.append(record)
    return True


def _partition_of(key: bytes | None, partitions: Sequence[int]) -> int:
    if key is None:
        return random.choice(partitions)  # noqa: S311 - it only spreads
    return partitions[_hash_of(key) % len(partitions)]


@lru_cache(maxsize=8192)
def _hash_of(key: bytes) -> int:
    """aiokafka computes it in Python, byte by byte, and the keys are those of entities, which come again."""
    return int(murmur2(key)) & 0x7FFFFFFF
