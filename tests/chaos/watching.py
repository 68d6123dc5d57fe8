"""Follows what the workers publish while they do."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from service.kafka.topics import DEAD_LETTERS, EXPORT_ROWS, RESULTS
from tests.chaos.evidence import Letter, Place, Result, Row
from tests.chaos.gathering import letter_of, result_of, row_of
from tests.support.topic_reading import TopicReader

PAUSE_SECONDS = 0.1


class Watch:
    """Results, dead letters and rows so far, and at the end all of them."""

    def __init__(self, prefix: str, results: TopicReader, letters: TopicReader, rows: TopicReader) -> None:
        self._prefix = prefix
        self._results = results
        self._letters = letters
        self._rows = rows
        self.results: list[Result] = []
        self.rows: list[Row] = []
        self._done: set[Place] = set()

    @classmethod
    async def begin(cls, servers: str, prefix: str, stack: AsyncExitStack) -> Watch:
        topics = (RESULTS, DEAD_LETTERS, EXPORT_ROWS)
        readers = [await stack.enter_async_context(TopicReader(servers, prefix + topic)) for topic in topics]
        return cls(prefix, *readers)

    @property
    def done(self) -> int:
        """How many events have a result."""
        return len(self._done)

    @property
    def letters(self) -> list[Letter]:
        return [letter_of(record, self._prefix) for record in self._letters.records]

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._results.read_on()
            await self._letters.read_on()
            await self._rows.read_on()
            self._take_up()
            await asyncio.sleep(PAUSE_SECONDS)

    async def finish(self) -> None:
        """Read to the end of what is stored."""
        await self._results.read_to_end()
        await self._letters.read_to_end()
        await self._rows.read_to_end()
        self._take_up()

    def _take_up(self) -> None:
        for record in self._results.records[len(self.results) :]:
            self.results.append(result_of(record, self._prefix))
            self._done.add(self.results[-1].place)
        self.rows += (row_of(record, self._prefix) for record in self._rows.records)
        self._rows.records.clear()  # they are many, and large
