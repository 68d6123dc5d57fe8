"""What one export under way makes durable: notes and rows, through its partition's commit loop. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from service.domain.exports import ExportRow
from service.domain.operations import Plan
from service.domain.record import Record
from service.engine.commits import Commits
from service.engine.lease import Lease
from service.engine.offsets import Offsets
from service.engine.ports import MAX_NOTE_BYTES, Outgoing

RenderRows: TypeAlias = Callable[[Record, Plan, Sequence[ExportRow], int], Sequence[Outgoing]]
"""The records that carry rows of an export; the number is that of the first row, from 1."""


class ExportJournal:
    """Implements `engine.ports.Journal` for one record."""

    def __init__(
        self, record: Record, plan: Plan, offsets: Offsets, commits: Commits, lease: Lease, render: RenderRows
    ) -> None:
        self._record = record
        self._plan = plan
        self._offsets = offsets
        self._commits = commits
        self._lease = lease
        self._render = render

    @property
    def note(self) -> str:
        return self._offsets.note(self._record.offset)

    @property
    def rows(self) -> int:
        return self._offsets.rows(self._record.offset)

    async def keep(self, note: str) -> None:
        _check_length(note)
        await self._lease.in_touch()
        await self._commits.keep(self._record.offset, note)

    async def publish(self, rows: Sequence[ExportRow], note: str | None = None) -> None:
        if note is not None:
            _check_length(note)
        await self._lease.opened()
        await self._commits.publish_rows(
            self._record.offset, self._render(self._record, self._plan, rows, self.rows + 1), note
        )


def _check_length(note: str) -> None:
    if len(note.encode()) > MAX_NOTE_BYTES:
        raise ValueError(f"a note of more than {MAX_NOTE_BYTES} bytes")
