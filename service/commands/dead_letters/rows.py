"""Dead letters as rows of a table that grows while it is read, or as JSON, one a line."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.commands.dead_letters.text import short, text_of
from service.letters.letter import Letter, Reading, rfc3339

_COLUMNS = {"letter": 10, "failed at": 24, "code": 21, "system": 16, "came from": 34, "key": 24, "event": 24}
"""With the width of each; the words of the system have the rest."""
_LEAST_WORDS, _WIDE = 20, 400


class LetterTable:
    """Its columns have fixed widths, so that rows can be shown before the last is known. What does not fit a terminal
    is cut; elsewhere nothing is but the words."""

    def __init__(self, console: Console, reading: Reading) -> None:
        self._console = console
        self._reading = reading
        self._has_header = False

    def add(self, letters: Sequence[Letter]) -> None:
        """Show them now."""
        if not letters:
            return
        cut = self._console.is_terminal
        table = Table(box=None, show_header=not self._has_header, pad_edge=False)
        for name, width in _COLUMNS.items():
            table.add_column(name, no_wrap=True, min_width=width, max_width=width if cut else None, overflow="ellipsis")
        table.add_column("words", no_wrap=True, min_width=_LEAST_WORDS, overflow="ellipsis")
        for letter in letters:
            table.add_row(*(Text(cell) for cell in self._cells(letter)))
        self._has_header = True
        console = self._console if cut else Console(file=self._console.file, width=_WIDE, highlight=False)
        console.print(table, crop=cut)

    def _cells(self, letter: Letter) -> tuple[str, ...]:
        return (
            f"{letter.place.partition}:{letter.place.offset}",
            rfc3339(letter.failed_at),
            short(letter.code),
            short(letter.system or "–"),
            short(f"{letter.origin}@{letter.origin_offset}"),
            "–" if letter.key is None else short(text_of(letter.key)),
            short(self._reading.event(letter).identity.id or "–"),
            short((letter.message or "").replace("\n", " ")),
        )


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
