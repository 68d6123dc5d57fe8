"""Whether the topics will take what is to be published, asked before it is sent. Sends nothing itself.

Why before: a record that a broker refuses leaves a gap in the numbers of an idempotent producer, after which the broker
takes nothing more of that producer for the partition. What can be known to be refused must never leave.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from service.engine.ports import Outgoing
from service.kafka.connection import connection_arguments
from service.settings import KafkaSettings

SIZE_CONFIG: Final = "max.message.bytes"
ASK_SECONDS: Final = 10.0
READING_SERVES_SECONDS: Final = 4.0
"""How long a limit that was read is believed when a record is over it."""
REFUSAL_SERVES_SECONDS: Final = 600.0
"""How long it is believed that a topic takes nothing of a size that its broker has refused."""
UNKNOWN_BATCH_BYTES: Final = 16 * 1024
"""How large a batch of several records may be where the topic's limit may not be read."""

_BATCH_BYTES, _RECORD_BYTES, _HEADER_BYTES = 61, 40, 10
"""At most, of what Kafka's format adds to a batch, a record, and a header."""


@dataclass(frozen=True, slots=True)
class _Limit:
    size_bytes: float
    until: float
    """Believed so long, by the monotonic clock."""


class Admission:
    """What the topics of a cluster take. Shared by all stores of a worker."""

    def __init__(self, settings: KafkaSettings, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._read: dict[str, _Limit] = {}
        self._refused: dict[str, _Limit] = {}
        self._alone_until: dict[str, float] = {}
        """Until when records of a topic are sent one by one, by the monotonic clock."""
        self._reading = asyncio.Lock()

    async def refusals(self, producer: AIOKafkaProducer, prefix: str, records: Sequence[Outgoing]) -> dict[int, str]:
        """Why which of `records`, by their places, cannot be stored where they are to go. Raises `KafkaError` and
        `TimeoutError`."""
        closed = {topic: await self._closed(producer, prefix + topic) for topic in {r.topic for r in records}}
        refusals: dict[int, str] = {}
        for place, record in enumerate(records):
            why = closed[record.topic] or await self._oversized(prefix + record.topic, stored_bytes(record))
            if why is not None:
                refusals[place] = why
        return refusals

    def learn(self, topic: str, size_bytes: int) -> None:
        """Its broker has refused a record of this size, for a reason that could not be known before. `topic` is the
        full name."""
        self._refused[topic] = _Limit(size_bytes - 1, self._monotonic() + REFUSAL_SERVES_SECONDS)

    def learn_of_several(self, topic: str) -> None:
        """Its broker has refused a batch of several records. Whether one of them is too large shows when each is sent
        alone. `topic` is the full name."""
        self._read.pop(topic, None)
        self._alone_until[topic] = self._monotonic() + REFUSAL_SERVES_SECONDS

    def batch_bytes(self, topic: str) -> float:
        """How large a batch of several records may be. `topic` is the full name, of which `refusals` has been asked."""
        if topic in self._alone_until and self._monotonic() < self._alone_until[topic]:
            return 0
        limit = self._read.get(topic)
        return limit.size_bytes if limit is not None and limit.size_bytes < math.inf else UNKNOWN_BATCH_BYTES

    async def _closed(self, producer: AIOKafkaProducer, topic: str) -> str | None:
        """Why nothing at all can be published to `topic`; None when something can."""
        client = producer.client
        if client.cluster.partitions_for_topic(topic) is None:
            async with asyncio.timeout(ASK_SECONDS):
                await client.add_topic(topic)
                await client.force_metadata_update()
        if topic in client.cluster.unauthorized_topics:
            return f"the topic {topic} is closed to us"
        return f"there is no topic {topic}" if client.cluster.partitions_for_topic(topic) is None else None

    async def _oversized(self, topic: str, size_bytes: int) -> str | None:
        now = self._monotonic()
        refused = self._refused.get(topic)
        if refused is not None and now < refused.until and size_bytes > refused.size_bytes:
            return f"the topic {topic} has refused {refused.size_bytes + 1:.0f} bytes, and these are {size_bytes}"
        limit = self._read.get(topic)
        if limit is None or (size_bytes > limit.size_bytes and now > limit.until):
            limit = await self._read_limit(topic, limit)
        if size_bytes <= limit.size_bytes:
            return None
        return f"{size_bytes} bytes are more than the topic {topic} takes ({SIZE_CONFIG} is {limit.size_bytes:.0f})"

    async def _read_limit(self, topic: str, known: _Limit | None) -> _Limit:
        """From the topic's configuration, in place of what is known. Infinite where we may not read it."""
        async with self._reading:
            limit = self._read.get(topic)
            if limit is not None and limit is not known:
                return limit
            limit = _Limit(await self._ask(topic), self._monotonic() + READING_SERVES_SECONDS)
            self._read[topic] = limit
            return limit

    async def _ask(self, topic: str) -> float:
        admin = AIOKafkaAdminClient(**connection_arguments(self._settings))
        try:
            async with asyncio.timeout(ASK_SECONDS):
                await admin.start()
                answers = await admin.describe_configs(
                    [ConfigResource(ConfigResourceType.TOPIC, topic, {SIZE_CONFIG: None})]
                )
        finally:  # brokers that go away just now must not hold up whoever waits for the limit
            await asyncio.wait((asyncio.ensure_future(admin.close()),), timeout=ASK_SECONDS)
        entries = [entry for answer in answers for resource in answer.resources for entry in resource[4]]
        return next((float(value) for name, value, *_ in entries if name == SIZE_CONFIG), math.inf)


def stored_bytes(record: Outgoing) -> int:
    """What a record alone in its batch takes, at most: what `max.message.bytes` bounds."""
    headers = sum(len(name.encode()) + len(value or b"") + _HEADER_BYTES for name, value in record.headers)
    return _BATCH_BYTES + _RECORD_BYTES + len(record.key or b"") + len(record.value or b"") + headers
