"""Reads topics beside the worker: for the demonstration and the command line. Belongs to no group, commits nothing.

Sees what a reader of results must see: committed records only, each once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaError

from service.domain.record import Headers
from service.engine.ports import SourceUnavailable
from service.kafka import background
from service.kafka.connection import connection_arguments, words
from service.kafka.diagnosis import unavailable
from service.settings import KafkaSettings

FETCH_RECORDS = 500
STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it lies in a topic. `topic` is without the prefix that its reader was given."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int = 0
    """Since 1970, as its producer or its broker says."""


class TopicReader:
    """Reads every partition of some topics from the beginning: `async with TopicReader(...) as reader`.

    The topics must exist. Every method raises `SourceUnavailable` when Kafka cannot be had.
    """

    def __init__(self, settings: KafkaSettings, prefix: str, topics: Sequence[str]) -> None:
        self._settings = settings
        self._prefix = prefix
        # Without a group, a consumer has all partitions of its topics.
        self._consumer = AIOKafkaConsumer(
            *(prefix + topic for topic in topics),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            **connection_arguments(settings),
        )

    async def __aenter__(self) -> Self:
        try:
            await self._consumer.start()
        except KafkaError as error:
            await background.end(self._consumer, STOP_SECONDS)
            raise await unavailable(self._settings, error) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await background.end(self._consumer, STOP_SECONDS)

    async def fetch(self, timeout_seconds: float) -> list[Stored]:
        """Records that have come in since the last call, in the order of each partition; empty after
        `timeout_seconds`."""
        try:
            batches = await self._consumer.getmany(timeout_ms=round(timeout_seconds * 1000), max_records=FETCH_RECORDS)
        except KafkaError as error:
            raise self._unavailable(error) from error
        return [stored(found, self._prefix) for batch in batches.values() for found in batch]

    async def fetch_rest(self) -> list[Stored]:
        """Everything that was committed before this call and has not been fetched yet."""
        try:
            ends = await self._consumer.end_offsets(self._consumer.assignment())
            found: list[Stored] = []
            while [where for where, end in ends.items() if await self._consumer.position(where) < end]:
                found += await self.fetch(0.2)
        except KafkaError as error:
            raise self._unavailable(error) from error
        return found

    def _unavailable(self, error: KafkaError) -> SourceUnavailable:
        return SourceUnavailable(f"{self._settings.bootstrap_servers}: {words(error)}")


def stored(found: ConsumerRecord, prefix: str = "") -> Stored:
    """What aiokafka has read."""
    return Stored(
        found.topic.removeprefix(prefix),
        found.partition,
        found.offset,
        found.key,
        found.value,
        tuple(found.headers),
        found.timestamp,
    )


async def read_all(settings: KafkaSettings, prefix: str, topics: Sequence[str]) -> list[Stored]:
    """Everything that is committed in these topics now. Raises `SourceUnavailable`."""
    async with TopicReader(settings, prefix, topics) as reader:
        return await reader.fetch_rest()
