"""What may be committed for one partition: the frontier, and what is finished beyond it. Pure.

Only offsets that were received are tracked. Holes, which compaction and transaction markers leave, lie between received
offsets and count as finished: nothing will ever come for them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import pairwise
from typing import NamedTuple

from service.engine.runs import Run, Runs


@dataclass(frozen=True, slots=True)
class Position:
    """Everything about a partition that a restart needs. It is what a commit stores."""

    frontier: int
    """The lowest unfinished offset: where the next owner begins to read."""
    completed: tuple[Run, ...] = ()
    """Finished offsets beyond the frontier, ascending, not touching each other."""
    attempted: frozenset[int] = frozenset()
    """Unfinished offsets for which a call that must not happen twice may have left."""
    progress: Mapping[int, int] = field(default_factory=dict)
    """Rows already published of an unfinished export, by offset."""
    notes: Mapping[int, str] = field(default_factory=dict)
    """What an unfinished export keeps for its next attempt, by offset."""


class Remembered(NamedTuple):
    """What is known of one unfinished record. Beyond the first, all of it is empty for most."""

    known_since: float
    attempted: bool = False
    rows: int | None = None
    note: str | None = None


class Receipt(Enum):
    """What to do with a record that came in."""

    NEW = auto()
    FINISHED = auto()
    """Finished by an earlier owner: skip it."""
    REPEATED = auto()
    """Received before under this assignment: skip it."""


class Offsets:
    """The offsets of one partition under one assignment."""

    def __init__(self, start: Position) -> None:
        self._next = start.frontier
        self._finished = Runs()
        """Of what was received, holes among it."""
        self._inherited = list(start.completed)
        self._pending: OrderedDict[int, float] = OrderedDict()
        """Since when each is known, in seconds since 1970."""
        self._attempted = set(start.attempted)
        self._progress = dict(start.progress)
        self._notes = dict(start.notes)

    @property
    def next_offset(self) -> int:
        """The offset to read next: one past the last received."""
        return self._next

    @property
    def unfinished(self) -> int:
        """Records received and not finished."""
        return len(self._pending)

    @property
    def oldest_since(self) -> float | None:
        """Since when the lowest unfinished record is known; None when nothing is unfinished."""
        return next(iter(self._pending.values()), None)

    def receive(self, offset: int, known_since: float = 0.0) -> Receipt:
        """Note an offset that has come in. Offsets come in ascending order; one that is not ascending was seen
        before."""
        if offset < self._next:
            return Receipt.REPEATED
        if offset > self._next:
            self._finished.add(self._next, offset)
        self._next = offset + 1
        while self._inherited and self._inherited[0][1] <= offset:
            del self._inherited[0]
        if self._inherited and self._inherited[0][0] <= offset:
            self._finished.add(offset, offset + 1)
            return Receipt.FINISHED
        self._pending[offset] = known_since
        return Receipt.NEW

    def attempt(self, offset: int) -> None:
        """A call that must not happen twice is about to leave for this record."""
        if offset in self._pending:
            self._attempted.add(offset)

    def was_attempted(self, offset: int) -> bool:
        """Whether a call that must not happen twice may have left for the record."""
        return offset in self._attempted

    def keep(self, offset: int, note: str) -> None:
        """Remember this for the record until it is finished."""
        if offset in self._pending:
            self._notes[offset] = note

    def note(self, offset: int) -> str:
        """What is remembered for the record; empty when nothing is."""
        return self._notes.get(offset, "")

    def publish_rows(self, offset: int, rows: int) -> None:
        """So many more rows of the record's export go out with the commit that the next position belongs to."""
        if offset in self._pending:
            self._progress[offset] = self._progress.get(offset, 0) + rows

    def rows(self, offset: int) -> int:
        """Rows published of the record's export."""
        return self._progress.get(offset, 0)

    def finish(self, offset: int) -> Remembered:
        """The record's outcome goes out with the commit that the next position belongs to. What was remembered of it is
        forgotten, and handed out in case that it must be opened again."""
        remembered = Remembered(
            self._pending.pop(offset),
            offset in self._attempted,
            self._progress.pop(offset, None),
            self._notes.pop(offset, None),
        )
        self._attempted.discard(offset)
        self._finished.add(offset, offset + 1)
        return remembered

    def reopen(self, records: Mapping[int, Remembered]) -> None:
        """Take back that these records were finished: their outcomes cannot be stored for now."""
        for offset, remembered in records.items():
            self._pending[offset] = remembered.known_since
            if remembered.attempted:
                self._attempted.add(offset)
            if remembered.rows is not None:
                self._progress[offset] = remembered.rows
            if remembered.note is not None:
                self._notes[offset] = remembered.note
        self._pending = OrderedDict(sorted(self._pending.items()))
        self._finished = Runs()
        for before, offset in pairwise((*self._pending, self._next)):
            if offset > before + 1:
                self._finished.add(before + 1, offset)

    def position(self) -> Position:
        """What to commit now."""
        runs = self._runs()
        frontier = self._next
        if self._pending:
            frontier = next(iter(self._pending))
        elif runs and runs[0][0] <= self._next:
            frontier = runs.pop(0)[1]
        return Position(
            frontier,
            tuple(runs),
            frozenset(offset for offset in self._attempted if offset >= frontier),
            {offset: rows for offset, rows in self._progress.items() if offset >= frontier},
            {offset: note for offset, note in self._notes.items() if offset >= frontier},
        )

    def _runs(self) -> list[Run]:
        """Finished stretches beyond the lowest pending offset: of what was received, then what was inherited."""
        runs = self._finished.beyond(next(iter(self._pending))) if self._pending else []
        for first, end in self._inherited:
            start = max(first, self._next)
            if start >= end:
                continue
            if runs and runs[-1][1] >= start:
                runs[-1] = (runs[-1][0], end)
            else:
                runs.append((start, end))
        return runs
