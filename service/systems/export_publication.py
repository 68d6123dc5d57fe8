"""Rows on their way into the journal: in chunks, each once, and only of the file whose first rows are there already.

Must not know where rows come from.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from service.domain.exports import ExportRow
from service.engine.ports import Journal
from service.systems.export_note import ExportNote, RowCheck
from service.systems.export_rows import ReadRow

MAX_COMMIT_BYTES: Final = 1_000_000
"""Of rows in one commit, about."""


class FileChanged(Exception):
    """The file is not the one of which rows were published before. The message is for people."""


class Publication:
    """Publishes rows in chunks, in order. One chunk at most is being published while the next is gathered.

    With each chunk it keeps a checksum of all rows so far, by which whoever goes on tells that the rows which it passes
    over are those that were published.
    """

    def __init__(self, journal: Journal, rows_per_commit: int) -> None:
        self._journal = journal
        self._rows_per_commit = rows_per_commit
        self._before = self._to_skip = journal.rows
        self._note = ExportNote.read(journal.note)
        self._check = RowCheck()
        self._rows: list[ExportRow] = []
        self._bytes = 0
        self._under_way: asyncio.Task[None] | None = None

    async def add(self, rows: Sequence[ReadRow]) -> None:
        """Rows in the order of the file; those that were published earlier are passed over. Raises `FileChanged`, and
        `OwnershipLost`."""
        passed = min(self._to_skip, len(rows))
        for read in rows[:passed]:
            self._check.add(read.cells)
        self._to_skip -= passed
        if passed and not self._to_skip and self._note.check not in ("", self._check.text):
            raise FileChanged(f"the file has changed: its first {self._before} rows are not those that were published")
        for read in rows[passed:]:
            if self._rows and self._bytes + read.event_bytes > MAX_COMMIT_BYTES:
                await self._send()
            self._check.add(read.cells)
            self._rows.append(read.row)
            self._bytes += read.event_bytes
            if len(self._rows) >= self._rows_per_commit:
                await self._send()

    async def finish(self) -> None:
        """Returns once everything that was added is published. Raises `OwnershipLost`."""
        if self._rows:
            await self._send()
        await self._published()

    def check_whole(self) -> None:
        """The file has ended. Raises `FileChanged` when more rows were published earlier than it has."""
        if self._to_skip:
            raise FileChanged("the file has changed: it has fewer rows than were published of it before")

    async def abandon(self) -> None:
        """Nobody waits for the chunk under way any more."""
        if self._under_way is not None:
            self._under_way.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._under_way

    async def _send(self) -> None:
        rows, self._rows, self._bytes = self._rows, [], 0
        note = replace(self._note, check=self._check.text).text
        await self._published()
        self._under_way = asyncio.create_task(self._journal.publish(rows, note))

    async def _published(self) -> None:
        task, self._under_way = self._under_way, None
        if task is not None:
            await task
