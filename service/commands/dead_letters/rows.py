"""Dead letters as rows of a table that grows while it is read, or as JSON, one a line."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.commands.dead_letters.text import short, text_of
from service.letters.letter import Letter, Reading, rfc3339


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    width: int
    rank: int
    """Where a terminal has not room for all columns, those of the lowest ranks are shown."""


_COLUMNS = (
    _Column("letter", 10, 0),
    _Column("failed at", 24, 0),
    _Column("code", 21, 0),
    _Column("system", 16, 3),
    _Column("came from", 34, 4),
    _Column("key", 24, 1),
    _Column("event", 24, 2),
)
"""What is behind them, the words of the system, has the rest."""
_WORDS = "words"
_GAP, _LEAST_WORDS = 2, 14


class LetterTable:
    """Its columns have fixed widths, so that rows can be shown before the last is known. On a terminal what does not
    fit is cut, or its column is left out; elsewhere nothing is but what is longer than anything sensible."""

    def __init__(self, console: Console, reading: Reading) -> None:
        self._console = console
        self._reading = reading
        self._columns = _columns_within(console.width) if console.is_terminal else _COLUMNS
        self._has_header = False

    def add(self, letters: Sequence[Letter]) -> None:
        """Show them now."""
        if not letters:
            return
        if self._console.is_terminal:
            self._print_cut(letters)
        else:
            self._print_whole(letters)
        self._has_header = True

    def _print_cut(self, letters: Sequence[Letter]) -> None:
        """Every width is exact: rich makes room by taking it from any column."""
        table = Table(box=None, show_header=not self._has_header, pad_edge=False, padding=(0, _GAP, 0, 0))
        left = self._console.width
        for one in self._columns:
            table.add_column(one.name, no_wrap=True, width=one.width, overflow="ellipsis")
            left -= one.width + _GAP
        table.add_column(_WORDS, no_wrap=True, width=max(1, left), overflow="ellipsis")
        for letter in letters:
            cells = self._cells(letter)
            table.add_row(*(Text(cells[one.name]) for one in self._columns), Text(cells[_WORDS]))
        self._console.print(table)

    def _print_whole(self, letters: Sequence[Letter]) -> None:
        """Without rich, which takes a millisecond a row, and cuts to the width of a terminal that is not there."""
        rows = [self._cells(letter) for letter in letters]
        if not self._has_header:
            rows.insert(0, {name: name for name in rows[0]})
        gap = " " * _GAP
        lines = (gap.join([*(row[one.name].ljust(one.width) for one in self._columns), row[_WORDS]]) for row in rows)
        self._console.out("\n".join(lines), highlight=False)

    def _cells(self, letter: Letter) -> dict[str, str]:
        return {
            "letter": f"{letter.place.partition}:{letter.place.offset}",
            "failed at": rfc3339(letter.failed_at),
            "code": short(letter.code),
            "system": short(letter.system or "–"),
            "came from": short(f"{letter.origin}@{letter.origin_offset}"),
            "key": "–" if letter.key is None else short(text_of(letter.key)),
            "event": short(self._reading.event(letter).identity.id or "–"),
            _WORDS: short((letter.message or "").replace("\n", " ")),
        }


def _columns_within(width: int) -> Sequence[_Column]:
    """The columns for which there is room, the indispensable ones always."""
    left = width - _LEAST_WORDS
    chosen: set[str] = set()
    for one in sorted(_COLUMNS, key=lambda column: column.rank):
        left -= one.width + _GAP
        if one.rank and left < 0:
            break
        chosen.add(one.name)
    return [one for one in _COLUMNS if one.name in chosen]


def as_json(letter: Letter, reading: Reading) -> str:
    """One line. A key that is no text is there as `keyBase64`."""
    event = reading.event(letter)
    told: dict[str, Any] = {
        "letter": f"{letter.place.partition}:{letter.place.offset}",
        "partition": letter.place.partition,
        "offset": letter.place.offset,
        "failedAt": rfc3339(letter.failed_at),
        "code": letter.code,
        "system": letter.system,
        "status": _number(letter.status),
        "attempts": _number(letter.attempts),
        "message": letter.message,
        "source": {
            "topic": letter.origin.topic,
            "partition": letter.origin.number,
            "offset": letter.origin_offset,
        },
        "key": None,
        "event": {"id": event.identity.id, "source": event.identity.source, "type": event.identity.type},
        "tenant": event.tenant,
        "targets": reading.targets(letter),
        "bytes": len(letter.value or b""),
    }
    if letter.key is not None:
        try:
            told["key"] = letter.key.decode()
        except UnicodeDecodeError:
            told["keyBase64"] = base64.b64encode(letter.key).decode()
    line = orjson.dumps(told).decode()
    return line if line.isprintable() else "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in line)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
