"""A record as it came from Kafka. Owns no meaning: bytes in, bytes kept."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

Headers: TypeAlias = tuple[tuple[str, bytes | None], ...]


class Partition(NamedTuple):
    """One partition of one topic: the unit of ownership, of order and of commits."""

    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.number}"


class Record(NamedTuple):
    """One consumed record. `epoch` is the assignment under which it was received; a reply for another epoch is
    stale."""

    partition: Partition
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    epoch: int
    received_at: float
    """Seconds since 1970, by the worker's clock."""
    sent_at: float | None = None
    """The record's own timestamp, in seconds since 1970: the sender's or the broker's clock, as the topic says."""

    @property
    def known_since(self) -> float:
        """Since when there is something to do: the record's own timestamp, or its receipt where it has none."""
        return self.received_at if self.sent_at is None else self.sent_at

    @property
    def size_bytes(self) -> int:
        """What the record weighs in memory, near enough for a bound."""
        content = len(self.key or b"") + len(self.value or b"")
        return content + sum(len(n) + len(v or b"") for n, v in self.headers) if self.headers else content
