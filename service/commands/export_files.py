"""Rows of an export into a file on disk, all or nothing: what `holdings-relay export` has in place of Kafka."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import orjson

from service.domain.exports import ExportRow
from service.domain.jsonvalue import JsonObject, JsonValue

APART = ("columns", "unreadable")
"""Members of a row that hold others."""


class Form(StrEnum):
    """How rows are written."""

    CSV = "csv"
    JSONL = "jsonl"


class RowFile:
    """Implements `engine.ports.Journal`: rows go into a file beside `path`, which takes its place when all is done.

    Nothing of it outlives the process. `told` hears of the rows written so far.
    """

    def __init__(self, path: Path, form: Form, told: Callable[[int], None] = lambda rows: None) -> None:
        self._path = path
        self._form = form
        self._told = told
        self._has_header = False
        self.note = ""
        self.rows = 0

    def __enter__(self) -> RowFile:
        """Raises `OSError`."""
        number, name = tempfile.mkstemp(prefix=f".{self._path.name}.", suffix=".part", dir=self._path.parent)
        self._part = Path(name)
        self._file: IO[str] = os.fdopen(number, "w", encoding="utf-8", newline="")
        self._csv = csv.writer(self._file, lineterminator="\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._part.unlink(missing_ok=True)

    def keep_file(self) -> None:
        """Put the file in its place. Raises `OSError`."""
        self._file.flush()
        os.fsync(self._file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        self._part.chmod(0o666 & ~umask)  # as any other new file: mkstemp's own is for its owner alone
        self._part.replace(self._path)

    async def keep(self, note: str) -> None:
        self.note = note

    async def publish(self, rows: Sequence[ExportRow], note: str | None = None) -> None:
        if self._form is Form.JSONL:
            self._file.writelines(orjson.dumps(row.data).decode() + "\n" for row in rows)
        else:
            self._csv.writerows(self._lines(rows))
        self.rows += len(rows)
        self.note = self.note if note is None else note
        self._told(self.rows)

    def _lines(self, rows: Sequence[ExportRow]) -> list[list[str]]:
        lines = [list(flat(row.data).values()) for row in rows]
        if rows and not self._has_header:
            self._has_header = True
            lines.insert(0, [name for _, name in flat(rows[0].data)])
        return lines


def flat(data: JsonObject) -> Mapping[tuple[str, str], str]:
    """A row as one line: its fields, then the other columns, then as JSON what could not be read. Every row of a file
    has the same. Keys say whether a name is a field or a column: a file may call a column as a field is called."""
    fields = {("", name): _text(value) for name, value in data.items() if name not in APART}
    columns, unreadable = (_members(data.get(name)) for name in APART)
    others = {("columns", name): _text(value) for name, value in columns.items()}
    return {**fields, **others, ("", "unreadable"): orjson.dumps(unreadable).decode() if unreadable else ""}


def _members(value: JsonValue) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: JsonValue) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)
