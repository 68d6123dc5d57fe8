"""Sends dead letters to where they came from, once each.

What remembers that a letter was replayed is the replay itself: it carries the letter's place in a header, so that the
record and the note of it are one write, which no crash can part. Who replays reads the partitions to which replays go,
from the lowest offset at which one can lie to the end, and leaves out whatever is there already.

A replay lies behind the record that failed, and bears no earlier time than its letter. The first says where to begin to
read, the second where the topic was made anew in between.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from service.domain.record import Partition
from service.domain.replays import replay_of, with_replay
from service.kafka.reader import Stored
from service.kafka.resending import Resent
from service.kafka.spans import Span, SpanReader, Spans, TopicMissing
from service.letters.letter import Letter
from service.letters.spool import Spool, Spooled

Told: TypeAlias = Callable[[int, int], None]
"""How much of how much is done."""

CHUNK_RECORDS: Final = 200
CHUNK_BYTES: Final = 4_000_000
CHUNK_SECONDS: Final = 0.2
"""At a given rate, no more is sent at once than this time allows for, but one at least."""
UNKNOWN_SECONDS: Final = 86_400.0
"""How long before an export failed its event may have come in, where its record is gone and nothing tells."""


def _untold(done: int, of: int) -> None: ...


class Preparation:
    """Fills a spool, and finds out what of it has been replayed."""

    def __init__(self, spool: Spool, inputs: Collection[str], exports: str) -> None:
        """`inputs` are the input topics, `exports` the one of requests for exports, all under their full names."""
        self._spool = spool
        self._inputs = inputs
        self._exports = exports
        self._partitions: dict[str, Collection[Partition]] = {}
        self._reached: dict[Partition, int] = {}
        """How far the input partitions have been looked through."""

    async def begin(self, reader: SpanReader) -> None:
        """To be called first, and again when there is another reader."""
        self._reader = reader
        for topic in self._inputs:
            try:
                self._partitions[topic] = await self._reader.partitions(topic)
            except TopicMissing:
                self._partitions[topic] = ()

    def add(self, letter: Letter) -> None:
        self._spool.add(letter, self._problem(letter))

    async def complete(self, told: Told = _untold) -> None:
        """When all letters have been added: find out which of them have been replayed."""
        self._spool.set_copies_aside()
        await self._look_through(await self._reader.spans(self._origins()), told)

    async def make_sure(self, told: Told = _untold, *, force: bool = False) -> None:
        """To be called when nobody else can send any more: look through what came in since, to the very end, and find
        out what else must be known of those that are to be sent.

        Raises `SourceUnavailable` when a transaction of somebody else's hides what came in.
        """
        await self._look_through(await self._reader.stable_spans(self._origins()), told)
        for place in self._spool.places_to_send(self._exports, force=force):
            self._spool.set_since(place, await self._first_seen(self._spool.at(place).letter))

    def _origins(self) -> list[Partition]:
        return [origin.partition for origin in self._spool.origins()]

    async def _look_through(self, there: Spans, told: Told) -> None:
        spans = await self._unseen(there)
        total = sum(span.length for span in spans.values())
        seen = 0
        async for batch in self._reader.read(spans):
            for stored in batch:
                self._take_note(stored)
            seen += len(batch)
            told(min(seen, total), total)
        self._reached.update({partition: span.end for partition, span in spans.items()})

    async def _unseen(self, there: Spans) -> dict[Partition, Span]:
        unseen: dict[Partition, Span] = {}
        for origin in self._spool.origins():
            partition, span = origin.partition, there[origin.partition]
            start = self._reached.get(partition)
            if start is None:
                times = await self._reader.since([partition], int(origin.earliest_letter * 1000))
                start = min(origin.lowest_offset + 1, times.get(partition, span.end))
            unseen[partition] = Span(max(start, span.start), span.end)
        return unseen

    def _take_note(self, stored: Stored) -> None:
        partition = Partition(stored.topic, stored.partition)
        replay = replay_of(stored.headers)
        if replay is None:
            self._spool.note_record(partition, stored.offset, stored.key)
        elif replay.place is not None:
            self._spool.note_replay(replay.place, stored.key, stored.value, f"{partition}@{stored.offset}")

    def _problem(self, letter: Letter) -> str | None:
        topic = letter.origin.topic
        if topic not in self._inputs:
            return f"it came from {topic}, which is no input topic of this relay"
        if not self._partitions[topic]:
            return f"there is no topic {topic} any more"
        if letter.origin not in self._partitions[topic]:
            return f"{topic} has no partition {letter.origin.number} any more"
        return None

    async def _first_seen(self, letter: Letter) -> float:
        """A moment before which no attempt at the event can have been made: when its record came into Kafka, the first
        time."""
        earlier = replay_of(letter.headers)
        if earlier is not None:
            return min(earlier.since, letter.failed_at)
        stored = await self._reader.at(letter.origin, letter.origin_offset)
        if stored is not None and (stored.key, stored.value) == (letter.key, letter.value):
            return min(stored.timestamp_ms / 1000, letter.failed_at)
        return max(0.0, letter.failed_at - UNKNOWN_SECONDS)


class Sender(Protocol):
    """Sends records, all or none. `kafka.resending.Resender` is one."""

    async def refusals(self, records: list[Resent]) -> dict[int, str]: ...

    async def send(self, records: list[Resent]) -> None: ...


@dataclass(slots=True)
class Progress:
    """What has been sent. Holds after an interruption, too."""

    sent: int = 0
    refused: list[str] = field(default_factory=list)
    """Why some were not sent, the first `REASONS_KEPT`."""
    refused_count: int = 0


REASONS_KEPT: Final = 20


async def send_all(
    sender: Sender,
    letters: Iterable[Spooled],
    progress: Progress,
    rate: float | None = None,
    told: Callable[[int], None] = lambda sent: None,
) -> None:
    """Send the letters in the order given, `rate` a second at most. Raises what `sender` raises."""
    now = asyncio.get_running_loop().time
    due = now()
    for chunk in _chunks(letters, CHUNK_RECORDS if rate is None else max(1, int(rate * CHUNK_SECONDS))):
        await asyncio.sleep(due - now())
        records = [resent(one) for one in chunk]
        refusals = await sender.refusals(records)
        for place, why in refusals.items():
            progress.refused_count += 1
            if len(progress.refused) < REASONS_KEPT:
                at = chunk[place].letter.place
                progress.refused.append(f"{at.partition}:{at.offset}: {why}")
        taken = [record for place, record in enumerate(records) if place not in refusals]
        if taken:
            await sender.send(taken)
            progress.sent += len(taken)
        told(len(chunk))
        if rate is not None:
            due = max(due, now() - CHUNK_SECONDS) + len(chunk) / rate


def resent(spooled: Spooled) -> Resent:
    """The record as it came in first, with a header that says of which letter it is a replay."""
    letter = spooled.letter
    return Resent(
        letter.origin,
        letter.key,
        letter.value,
        with_replay(letter.headers, letter.place, spooled.since),
        max(int(time.time() * 1000), int(letter.stored_at * 1000) + 1),
    )


def _chunks(letters: Iterable[Spooled], most: int) -> Iterator[list[Spooled]]:
    chunk: list[Spooled] = []
    size = 0
    for one in letters:
        if chunk and (len(chunk) >= most or size + one.letter.record.size_bytes > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(one)
        size += one.letter.record.size_bytes
    if chunk:
        yield chunk
