"""Reads stretches of partitions, from an offset to one that was its end: for the command line. Belongs to no group,
commits nothing, holds no more than one batch.

Sees committed records only. `topic` is the full name everywhere here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final, NamedTuple, Self, TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from service.domain.record import Partition
from service.engine.ports import SourceUnavailable
from service.kafka import background
from service.kafka.connection import connection_arguments, words
from service.kafka.diagnosis import unavailable
from service.kafka.reader import FETCH_RECORDS, STOP_SECONDS, Stored, stored
from service.settings import KafkaSettings
from service.tls import TlsFault

ASK_SECONDS: Final = 30.0
"""For an answer about partitions and offsets."""
STALL_SECONDS: Final = 60.0
"""Without any record or progress, reading is given up."""
STABLE_SECONDS: Final = 75.0
"""For transactions that are open when somebody must know all that is stored; by default they end within 60."""
_LOOK_SECONDS: Final = 0.2


class Span(NamedTuple):
    """Offsets from the first (inclusive) to the last (exclusive)."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return max(0, self.end - self.start)


Spans: TypeAlias = Mapping[Partition, Span]


class TopicMissing(Exception):
    """The message names the topic."""


class SpanReader:
    """`async with SpanReader(settings) as reader`. Every method raises `SourceUnavailable` when Kafka cannot be had."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            arguments = connection_arguments(self._settings)
        except TlsFault as fault:
            raise SourceUnavailable(f"RELAY_KAFKA__SSL_{fault.which.upper()}: {fault}") from fault
        reading = {"enable_auto_commit": False, "auto_offset_reset": "earliest", **arguments}
        try:
            async with asyncio.timeout(ASK_SECONDS):
                self._admin = AIOKafkaAdminClient(**arguments)
                self._stack.push_async_callback(self._admin.close)
                await self._admin.start()
                self._consumer = AIOKafkaConsumer(isolation_level="read_committed", **reading)
                self._stack.push_async_callback(background.end, self._consumer, STOP_SECONDS)
                await self._consumer.start()
                self._asker = AIOKafkaConsumer(**reading)  # asked alone for what is not committed yet
                self._stack.push_async_callback(background.end, self._asker, STOP_SECONDS)
                await self._asker.start()
        except (KafkaError, TimeoutError) as error:
            await self._stack.aclose()
            raise await unavailable(self._settings, error) from error
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def partitions(self, topic: str) -> list[Partition]:
        """All of a topic. Raises `TopicMissing`."""
        try:
            async with asyncio.timeout(ASK_SECONDS):
                if topic not in await self._admin.list_topics():
                    raise TopicMissing(f"there is no topic {topic}; `holdings-relay topics` creates what is missing")
                [described] = await self._admin.describe_topics([topic])
        except (KafkaError, TimeoutError) as error:
            raise self._unavailable(error) from error
        return sorted(Partition(topic, found["partition"]) for found in described["partitions"])

    async def spans(self, partitions: Iterable[Partition]) -> dict[Partition, Span]:
        """All that is there and committed now."""
        where = [TopicPartition(*partition) for partition in partitions]
        if not where:
            return {}
        try:
            async with asyncio.timeout(ASK_SECONDS):
                begins = await self._consumer.beginning_offsets(where)
                ends = await self._consumer.end_offsets(where)
        except (KafkaError, TimeoutError) as error:
            raise self._unavailable(error) from error
        return {Partition(p.topic, p.partition): Span(begins[p], ends[p]) for p in where}

    async def stable_spans(self, partitions: Iterable[Partition]) -> dict[Partition, Span]:
        """All that is there now, once every transaction in it has ended: what was committed before this call is in it
        without fail.

        Raises `SourceUnavailable` when a transaction stays open for too long.
        """
        wanted = list(partitions)
        where = [TopicPartition(*partition) for partition in wanted]
        if not where:
            return {}
        try:
            async with asyncio.timeout(ASK_SECONDS):
                marks = await self._asker.end_offsets(where)
        except (KafkaError, TimeoutError) as error:
            raise self._unavailable(error) from error
        deadline = asyncio.get_running_loop().time() + STABLE_SECONDS
        while True:
            spans = await self.spans(wanted)
            behind = [partition for partition in wanted if spans[partition].end < marks[TopicPartition(*partition)]]
            if not behind:
                return spans
            if asyncio.get_running_loop().time() > deadline:
                raise SourceUnavailable(
                    f"{behind[0]}: a transaction has been open since offset {spans[behind[0]].end}, so that nobody can "
                    "tell what is stored behind it; try again when it has ended"
                )
            await asyncio.sleep(_LOOK_SECONDS)

    async def since(self, partitions: Iterable[Partition], timestamp_ms: int) -> dict[Partition, int]:
        """The lowest offset whose timestamp is not before this one; a partition without any is left out."""
        asked = {TopicPartition(*partition): max(0, timestamp_ms) for partition in partitions}
        if not asked:
            return {}
        try:
            async with asyncio.timeout(ASK_SECONDS):
                found = await self._consumer.offsets_for_times(asked)
        except (KafkaError, TimeoutError) as error:
            raise self._unavailable(error) from error
        return {Partition(p.topic, p.partition): at.offset for p, at in found.items() if at is not None}

    async def read(self, spans: Spans) -> AsyncIterator[list[Stored]]:
        """Every committed record in `spans`, in batches; in order within each partition, as they come across them."""
        ends = {TopicPartition(*partition): span.end for partition, span in spans.items() if span.length}
        if not ends:
            return
        now = asyncio.get_running_loop().time
        try:
            self._consumer.assign(list(ends))
            for where in ends:
                self._consumer.seek(where, spans[Partition(where.topic, where.partition)].start)
            places: dict[TopicPartition, int] = {}
            moved_at = now()
            while ends:
                batches = await self._consumer.getmany(timeout_ms=200, max_records=FETCH_RECORDS)
                found = [stored(one) for p, batch in batches.items() for one in batch if one.offset < ends.get(p, 0)]
                if found:
                    yield found
                async with asyncio.timeout(ASK_SECONDS):
                    reached = {where: await self._consumer.position(where) for where in ends}
                done = [where for where in ends if reached[where] >= ends[where]]
                self._consumer.pause(*done)
                for where in done:
                    del ends[where]
                if batches or reached != places:
                    places, moved_at = reached, now()
                elif now() - moved_at > STALL_SECONDS:
                    raise SourceUnavailable(
                        f"{self._settings.bootstrap_servers}: nothing has come of {min(ends).topic} for "
                        f"{STALL_SECONDS:g} s, although its end is not reached"
                    )
        except (KafkaError, TimeoutError) as error:
            raise self._unavailable(error) from error

    async def at(self, partition: Partition, offset: int) -> Stored | None:
        """The record at this offset; None when there is none, or none any more. The partition must exist."""
        there = (await self.spans([partition]))[partition]
        if not there.start <= offset < there.end:
            return None
        found: Stored | None = None
        async for batch in self.read({partition: Span(offset, offset + 1)}):
            found = batch[0]
        return found

    def _unavailable(self, error: Exception) -> SourceUnavailable:
        return SourceUnavailable(f"{self._settings.bootstrap_servers}: {words(error)}")
