"""What one commit stores. Owns which of its records are published already; stores nothing itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service.engine.holding import Ended, Holding
from service.engine.offsets import Remembered
from service.engine.ports import Outgoing


class Told(NamedTuple):
    """An outcome that was taken up, with the records that tell of it."""

    ended: Ended
    records: Sequence[Outgoing]
    remembered: Remembered
    """What was remembered of its record until it was taken up."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What an export that is under way wants stored: rows, or a note."""

    offset: int
    rows: Sequence[Outgoing]
    note: str | None
    stored: asyncio.Future[None]


@dataclass(slots=True)
class Batch:
    """It is kept, and may grow, until it is stored."""

    told: list[Told] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    marks: list[asyncio.Future[None]] = field(default_factory=list)
    told_published: int = 0
    """So many of `told`, from the first, are published, and wait for the position alone."""
    entries_published: int = 0

    def __bool__(self) -> bool:
        return bool(self.told or self.entries or self.marks)

    @property
    def rows(self) -> int:
        return sum(len(entry.rows) for entry in self.entries)

    @property
    def all_marks(self) -> int:
        return len(self.marks) + sum(entry.note is not None for entry in self.entries)

    @property
    def all_records(self) -> int:
        """How many records, published or not."""
        return self.rows + sum(len(told.records) for told in self.told)

    @property
    def is_published(self) -> bool:
        """Whether no record of it is to be published yet."""
        return self.told_published == len(self.told) and not any(
            entry.rows for entry in self.entries[self.entries_published :]
        )

    def records(self) -> list[Outgoing]:
        """What is to be published yet. Rows first: the result of their export may be in the same commit."""
        rows = [row for entry in self.entries[self.entries_published :] for row in entry.rows]
        return rows + [record for told in self.told[self.told_published :] for record in told.records]

    def mark_published(self) -> None:
        """All of it."""
        self.told_published, self.entries_published = len(self.told), len(self.entries)

    def hold(self, indexes: frozenset[int], holding: Holding) -> tuple[list[Told], list[Told]]:
        """Move the outcomes to which any of these places in `records()` belongs to what is held, and those behind them
        that it holds back. Returns both kinds."""
        start = sum(len(entry.rows) for entry in self.entries[self.entries_published :])
        kept: list[Told] = self.told[: self.told_published]
        refused: list[Told] = []
        behind: list[Told] = []
        for told in self.told[self.told_published :]:
            end = start + len(told.records)
            if not indexes.isdisjoint(range(start, end)):
                refused.append(told)
                holding.hold(told.ended)
            elif holding.holds_back(told.ended.plan):
                behind.append(told)
                holding.hold(told.ended)
            else:
                kept.append(told)
            start = end
        self.told = kept
        return refused, behind
