"""Publishes events for the command line and the demonstration: in order, acknowledged by every in-sync replica."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from service.engine.ports import Outgoing, SourceUnavailable
from service.kafka.connection import MAX_REQUEST_BYTES, connection_arguments
from service.kafka.diagnosis import unavailable
from service.settings import KafkaSettings


@dataclass(frozen=True, slots=True)
class Published:
    """Where a record went. `index` is its place among those given."""

    index: int
    topic: str
    partition: int
    offset: int


async def publish_all(settings: KafkaSettings, prefix: str, records: Sequence[Outgoing]) -> list[Published]:
    """Publish every record and wait until all are stored. Raises `SourceUnavailable`, which says how many were."""
    producer = AIOKafkaProducer(
        enable_idempotence=True, max_request_size=MAX_REQUEST_BYTES, **connection_arguments(settings)
    )
    try:
        await producer.start()
        sending = [
            await producer.send(prefix + record.topic, record.value, record.key, headers=list(record.headers))
            for record in records
        ]
        stored = await asyncio.gather(*sending, return_exceptions=True)
    except KafkaError as error:
        raise await unavailable(settings, error) from error
    finally:
        await producer.stop()
    published: list[Published] = []
    failures: list[BaseException] = []
    for index, outcome in enumerate(stored):
        if isinstance(outcome, BaseException):
            failures.append(outcome)
        else:
            published.append(Published(index, outcome.topic, outcome.partition, outcome.offset))
    if failures:
        raise SourceUnavailable(f"{len(failures)} of {len(records)} records were not stored: {failures[0]}")
    return published
