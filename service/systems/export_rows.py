"""The file of one export, from pieces of bytes to rows that can be published, and the account of them. Pure.

Owns what becomes of a cell. Where a row begins and ends is `export_csv`'s, what a column means `export_columns`'.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

import orjson

from service.domain.exports import BrokenRow, ExportRow
from service.domain.jsonvalue import JsonValue
from service.systems.distinct import DistinctTexts
from service.systems.export_columns import COLUMNS, IDS, TO_PRESENT, Column, Kind, folded
from service.systems.export_csv import CsvReader, CsvRow, Row, UnreadableFile

MAX_EVENT_BYTES: Final = 900_000
"""Of a row as an event. Brokers take a little over 1,000,000 unless told otherwise; the envelope is told apart."""
BROKEN_ROWS_TOLD: Final = 100
_MOST_BYTES_A_CHARACTER: Final = 6
"""In JSON: a control character is six, `\\u0000`."""
_MOST_TIMES: Final = 3
"""That a cell comes in an event: itself, in the resource's id, and in the key."""
_NAMES_BYTES: Final = 10_000
"""More than the names of the fields take up."""
_ENVELOPE_BYTES: Final = 500
"""About."""

_DATE: Final = re.compile(r"[0-9]{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01]))?)?")
_FLAGS: Final = {
    **dict.fromkeys(("yes", "y", "true", "t", "1"), True),
    **dict.fromkeys(("no", "n", "false", "f", "0"), False),
}


class ReadRow(NamedTuple):
    """A row, about how large it is as an event, and its cells as they came, as one."""

    row: ExportRow
    event_bytes: int
    cells: bytes


class ExportFile:
    """Reads one file of one export."""

    def __init__(self, cust_id: str, export_id: str, export_type: str) -> None:
        self._csv = CsvReader()
        self._fixed: dict[str, JsonValue] = {"exportId": export_id, "custId": cust_id, "type": export_type}
        self._fallback_key = f"{cust_id}/{export_type}"
        self._type = export_type
        self._layout: _Layout | None = None
        self.rows = 0
        """That could be read so far."""
        self.broken = 0
        self.broken_rows: list[BrokenRow] = []
        """The first of them."""
        self.resources = DistinctTexts()
        """Titles in packages."""
        self.titles = DistinctTexts()

    @property
    def is_empty(self) -> bool:
        """Whether there is not even a header."""
        return self._csv.header is None

    @property
    def within_a_line(self) -> bool:
        """Whether what has come so far ends elsewhere than at the end of a line."""
        return self._csv.within_a_line

    def feed(self, data: bytes) -> list[ReadRow]:
        """The rows that have ended with this piece. Raises `UnreadableFile`."""
        return self._take(self._csv.feed(data))

    def end(self) -> list[ReadRow]:
        """The rows that are left when the file has ended. Raises `UnreadableFile`."""
        return self._take(self._csv.end())

    def _take(self, rows: Sequence[Row]) -> list[ReadRow]:
        layout = self._layout
        if layout is None:
            if self._csv.header is None:
                return []
            layout = self._layout = _Layout(self._csv.header, self._type)
        taken: list[ReadRow] = []
        for row in rows:
            made = row if isinstance(row, BrokenRow) else self._made(row, layout)
            if isinstance(made, BrokenRow):
                self._break(made)
            else:
                taken.append(made)
        return taken

    def _made(self, row: CsvRow, layout: _Layout) -> ReadRow | BrokenRow:
        cells: list[str | None] = [cell.strip() or None for cell in row.cells]
        ids = layout.ids_of(cells)
        present = [part for part in ids if part is not None]
        resource_id = "-".join(present) if len(present) == len(ids) else None
        data = {
            **self._fixed,
            "row": self.rows + 1,
            "line": row.line,
            "resourceId": resource_id,
            **layout.fields_of(cells),
        }
        key = "-".join(present) or self._fallback_key
        if row.characters * _MOST_TIMES * _MOST_BYTES_A_CHARACTER + layout.most_names_bytes > MAX_EVENT_BYTES:
            size = len(orjson.dumps(data)) + len(key.encode())
            if size > MAX_EVENT_BYTES:
                return BrokenRow(row.line, f"{size} bytes as an event; at most {MAX_EVENT_BYTES} can be published")
        self.rows += 1
        if resource_id is not None:
            self.resources.add(resource_id)
        if ids[-1] is not None:
            self.titles.add(ids[-1])
        cells_as_one = "\0".join(row.cells).encode()
        return ReadRow(ExportRow(key, row.line, data), row.characters + layout.names_bytes, cells_as_one)

    def _break(self, row: BrokenRow) -> None:
        self.broken += 1
        if len(self.broken_rows) < BROKEN_ROWS_TOLD:
            self.broken_rows.append(row)


class _Layout:
    """Which cell of a row goes where: made once from the header, so that a row takes few steps."""

    def __init__(self, header: Sequence[str], export_type: str) -> None:
        columns = COLUMNS.get(export_type, ())
        places: dict[str, int] = {}
        for number, name in enumerate(header):
            places.setdefault(folded(name), number)
        found = {
            column: place for column in columns if (place := _place(places, map(folded, column.names))) is not None
        }
        if columns and not found:
            raise UnreadableFile(f"none of the columns of {export_type} is in the header")
        absent = len(header)  # a cell behind the last, which is always empty
        others = [place for place in range(len(header)) if place not in found.values()]
        self._other_names = _unlike(header, others)
        self.names_bytes = _ENVELOPE_BYTES + sum(
            len(name) + 8 for name in (*self._other_names, *(column.field for column in columns))
        )
        """About what a row takes as an event beside its cells."""
        self.most_names_bytes = _NAMES_BYTES + 2 * _MOST_BYTES_A_CHARACTER * sum(map(len, header))
        """At most; a name may come twice, for what could not be read is told by it too."""
        self._ids = [_place(places, names) for names in IDS.values()]
        self._names = tuple(column.field for column in columns)
        self._pick = _picker([found.get(column, absent) for column in columns])
        self._typed = [(column, header[place]) for column, place in found.items() if column.kind is not Kind.TEXT]
        self._absent_ends = [column for column in columns if column.kind is Kind.END and column not in found]
        self._pick_others = _picker(others)

    def ids_of(self, cells: Sequence[str | None]) -> list[str | None]:
        """Vendor, package and title, None where the row does not tell."""
        return [None if place is None else cells[place] for place in self._ids]

    def fields_of(self, cells: list[str | None]) -> dict[str, JsonValue]:
        """The typed fields, all other columns, and what could not be read as its type."""
        cells.append(None)
        fields: dict[str, JsonValue] = dict(zip(self._names, self._pick(cells), strict=True))
        unreadable: dict[str, JsonValue] = {}
        for column, name in self._typed:
            text = fields[column.field]
            if isinstance(text, str) and not _read_as(column, text, fields):
                fields[column.field] = None
                unreadable[name] = text
            if column.kind is Kind.END:
                fields.setdefault(column.present_field, False)
        for column in self._absent_ends:
            fields[column.present_field] = False
        fields["columns"] = dict(zip(self._other_names, self._pick_others(cells), strict=True))
        fields["unreadable"] = unreadable
        return fields


def _read_as(column: Column, text: str, fields: dict[str, JsonValue]) -> bool:
    """Put the value of a cell that is not empty into the fields. Whether it could be read."""
    if column.kind is Kind.FLAG:
        fields[column.field] = flag = _FLAGS.get(text.lower())
        return flag is not None
    if column.kind is Kind.END and text == TO_PRESENT:
        fields[column.field] = None
        fields[column.present_field] = True
        return True
    return _DATE.fullmatch(text) is not None


def _place(places: dict[str, int], names: Iterable[str]) -> int | None:
    return min((places[name] for name in names if name in places), default=None)


def _picker(places: Sequence[int]) -> Callable[[Sequence[str | None]], Sequence[str | None]]:
    """Picks the cells at these places, in this order."""
    match places:
        case []:
            return lambda cells: ()
        case [only]:
            return lambda cells: (cells[only],)
        case _:
            return itemgetter(*places)


def _unlike(header: Sequence[str], places: Sequence[int]) -> tuple[str, ...]:
    """Names for the columns at these places, no two of them alike: `Note`, `Note (2)`; `column 7` for one without."""
    names: dict[str, None] = {}
    times: dict[str, int] = {}
    for place in places:
        name = base = header[place] or f"column {place + 1}"
        number = times.get(base, 1)
        while name in names:
            number += 1
            name = f"{base} ({number})"
        names[name] = None
        times[base] = number
    return tuple(names)
