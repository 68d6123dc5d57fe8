"""Goes through the topic of dead letters and yields those that are meant. Holds one batch at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Final

from service.domain.record import Partition
from service.kafka.spans import Span, SpanReader
from service.letters.letter import NOT_A_LETTER, Letter, Reading, read_letter
from service.letters.selection import Selection

CLOCKS_SECONDS: Final = 600.0
"""What the clocks of workers and brokers may differ by: so much earlier than asked for does reading begin."""


class Browser:
    """Over the letters that are there when it is asked first."""

    def __init__(self, reader: SpanReader, topic: str, reading: Reading) -> None:
        """`topic` is the full name."""
        self._reader = reader
        self._topic = topic
        self.reading = reading
        self.others = 0
        """Records met that are no dead letters of the relay's."""

    async def spans(self, since: float | None) -> dict[Partition, Span]:
        """Where letters may lie that failed at `since` or later. Raises `TopicMissing`."""
        spans = await self._reader.spans(await self._reader.partitions(self._topic))
        if since is None:
            return spans
        starts = await self._reader.since(spans, round((since - CLOCKS_SECONDS) * 1000))
        return {
            partition: Span(max(span.start, starts.get(partition, span.end)), span.end)
            for partition, span in spans.items()
        }

    async def letters(
        self,
        selection: Selection,
        told: Callable[[int, int], None] = lambda done, of: None,
    ) -> AsyncIterator[Letter]:
        """Those that are meant, in the order of each partition, as they are read. `told` hears how many offsets of how
        many are behind us. Raises `TopicMissing` and `SourceUnavailable`."""
        spans = await self.spans(selection.since)
        total = sum(span.length for span in spans.values())
        reached = {partition: span.start for partition, span in spans.items()}
        async for batch in self._reader.read(spans):
            for stored in batch:
                letter = read_letter(stored)
                if letter is None:
                    self.others += 1
                elif selection.has(letter, self.reading):
                    yield letter
                reached[Partition(stored.topic, stored.partition)] = stored.offset + 1
            told(sum(at - spans[partition].start for partition, at in reached.items()), total)

    async def letter_at(self, partition: int, offset: int) -> Letter | str:
        """The letter, or a sentence that says why there is none. Raises `TopicMissing` and `SourceUnavailable`."""
        where = Partition(self._topic, partition)
        partitions = await self._reader.partitions(self._topic)
        if where not in partitions:
            return f"{self._topic} has no partition {partition}; it has {len(partitions)}, from 0"
        stored = await self._reader.at(where, offset)
        if stored is None:
            span = (await self._reader.spans([where]))[where]
            there = f"offsets {span.start} to {span.end - 1}" if span.length else "nothing"
            return f"there is no dead letter at {partition}:{offset}; partition {partition} holds {there}"
        letter = read_letter(stored)
        return letter or f"what lies at {partition}:{offset} is no dead letter of the relay: {NOT_A_LETTER}"
