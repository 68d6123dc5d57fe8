"""Input topics that replays are sent to and read back from, in memory: implements `letters.replaying.Sender`, and of
`kafka.spans.SpanReader` what a preparation asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from service.domain.record import Partition
from service.kafka.reader import Stored
from service.kafka.resending import Resent
from service.kafka.spans import Span, Spans, TopicMissing


class Crash(Exception):
    """Of the command, at some point."""


@dataclass
class FakeInputs:
    """`crash_in` sends, the command dies; `stores_before_crash` says whether its last records are stored all the
    same."""

    partitions_of: dict[str, int]
    logs: dict[Partition, list[Stored]] = field(default_factory=dict)
    crash_in: int | None = None
    stores_before_crash: bool = False
    refused: dict[bytes | None, str] = field(default_factory=dict)
    """Why records with these values are not taken."""
    sends: list[list[Resent]] = field(default_factory=list)
    read_spans: list[dict[Partition, Span]] = field(default_factory=list)

    def append(self, partition: Partition, record: Resent) -> None:
        log = self.logs.setdefault(partition, [])
        log.append(
            Stored(*partition, len(log), record.key, record.value, record.headers, record.timestamp_ms),
        )

    # ── sender ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def refusals(self, records: list[Resent]) -> dict[int, str]:
        return {i: self.refused[one.value] for i, one in enumerate(records) if one.value in self.refused}

    async def send(self, records: list[Resent]) -> None:
        if self.crash_in == 0 and not self.stores_before_crash:
            raise Crash
        self.sends.append(records)
        for one in records:
            self.append(one.partition, one)
        if self.crash_in is not None:
            if self.crash_in == 0:
                raise Crash
            self.crash_in -= 1

    # ── reader ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def partitions(self, topic: str) -> list[Partition]:
        if topic not in self.partitions_of:
            raise TopicMissing(topic)
        return [Partition(topic, number) for number in range(self.partitions_of[topic])]

    async def spans(self, partitions: Iterable[Partition]) -> dict[Partition, Span]:
        return {partition: Span(0, len(self.logs.get(partition, ()))) for partition in partitions}

    stable_spans = spans

    async def since(self, partitions: Iterable[Partition], timestamp_ms: int) -> dict[Partition, int]:
        found = {
            partition: next(
                (one.offset for one in self.logs.get(partition, ()) if one.timestamp_ms >= timestamp_ms), None
            )
            for partition in partitions
        }
        return {partition: offset for partition, offset in found.items() if offset is not None}

    async def read(self, spans: Spans) -> AsyncIterator[list[Stored]]:
        self.read_spans.append(dict(spans))
        for partition, span in spans.items():
            for one in self.logs.get(partition, ())[span.start : span.end]:
                yield [one]

    async def at(self, partition: Partition, offset: int) -> Stored | None:
        log = self.logs.get(partition, ())
        return log[offset] if offset < len(log) else None
