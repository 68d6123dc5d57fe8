"""A journal that remembers what is durable, and can lose its partition in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from service.domain.exports import ExportRow
from service.engine.ports import MAX_NOTE_BYTES, OwnershipLost


class FakeJournal:
    """Implements `engine.ports.Journal`. The rows and the note outlive a worker: hand the same journal to the next
    life. It loses its partition once `lose_after` more chunks were stored; `unheard` says whether the last of them was
    stored before."""

    def __init__(self) -> None:
        self.note = ""
        self.notes: list[str] = []
        self.chunks: list[list[ExportRow]] = []
        self.lose_after: int | None = None
        self.unheard = False
        self.at_once = 0
        self.most_at_once = 0

    @property
    def rows(self) -> int:
        return sum(map(len, self.chunks))

    @property
    def published(self) -> list[ExportRow]:
        return [row for chunk in self.chunks for row in chunk]

    async def keep(self, note: str) -> None:
        await self._turn()
        assert len(note.encode()) <= MAX_NOTE_BYTES
        self.note = note
        self.notes.append(note)

    async def publish(self, rows: Sequence[ExportRow], note: str | None = None) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            await self._turn(rows, note)
            self._store(rows, note)
        finally:
            self.at_once -= 1

    def _store(self, rows: Sequence[ExportRow], note: str | None) -> None:
        self.chunks.append(list(rows))
        self.note = self.note if note is None else note

    async def _turn(self, rows: Sequence[ExportRow] = (), note: str | None = None) -> None:
        await asyncio.sleep(0)
        if self.lose_after is None:
            return
        if self.lose_after == 0:
            if self.unheard and rows:
                self._store(rows, note)
            raise OwnershipLost("the partition is another's")
        self.lose_after -= 1
