"""Reads topics as anybody outside would: a plain consumer with `read_committed`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from service.kafka import background

STOP_SECONDS = 10.0


class TopicReader:
    """Collects the records of one topic, or of several, from the beginning."""

    def __init__(self, bootstrap_servers: str, *topics: str) -> None:
        self._consumer = AIOKafkaConsumer(
            *topics,
            bootstrap_servers=bootstrap_servers,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        self.records: list[ConsumerRecord] = []

    async def __aenter__(self) -> TopicReader:
        await self._consumer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await background.end(self._consumer, STOP_SECONDS)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The values, as JSON."""
        return [orjson.loads(record.value) for record in self.records]

    async def read_until(self, enough: Callable[[TopicReader], bool], seconds: float) -> None:
        """Blocks until `enough`, asked after every batch. Raises `TimeoutError` past `seconds`."""
        async with asyncio.timeout(seconds):
            while not enough(self):
                await self.read_on()

    async def read_on(self) -> None:
        """What has come by now, or comes within a moment."""
        for batch in (await self._consumer.getmany(timeout_ms=100)).values():
            self.records += batch

    async def read_to_end(self) -> None:
        """Everything that is stored by now."""
        ends = await self._consumer.end_offsets(self._consumer.assignment())
        positions = {where: await self._consumer.position(where) for where in ends}
        while any(positions[where] < end for where, end in ends.items()):
            await self.read_on()
            positions = {where: await self._consumer.position(where) for where in ends}


def event_ids(reader: TopicReader) -> list[str | None]:
    """Of results: the ids of the events that they tell of."""
    return [event["data"]["event"]["id"] for event in reader.events]
