"""A CSV file that comes in pieces, as rows of cells: encoding, delimiter, quotes, line numbers, and what is broken.

Pure. Owns what a row is, and must not know what a column means. Memory is bounded by `MAX_ROW_BYTES`, whatever the
file is like. Reading is strict, so that a quote which is never closed costs one row and not the rest of the file:
reading goes on with the line after the one where the broken row begins.
"""

from __future__ import annotations

import csv
import io
import re
from typing import Final, NamedTuple, TypeAlias

from service.domain.exports import BrokenRow

MAX_ROW_BYTES: Final = 1 << 20
DELIMITERS: Final = (",", "\t", ";", "|")
"""In the order of preference where a header has as many of one as of another."""

_SHORT: Final = MAX_ROW_BYTES // 4
"""So many characters are not too long, whatever their bytes."""

_BOM: Final = b"\xef\xbb\xbf"
_OTHER_ENCODINGS: Final = (b"\xff\xfe", b"\xfe\xff")
_QUOTED: Final = re.compile(r'"[^"]*"')
_STRAY_BYTE: Final = re.compile("[\udc80-\udcff]")

TOO_LONG: Final = f"the row is longer than {MAX_ROW_BYTES} bytes, or a quote in it is never closed"
UNDECODABLE: Final = "not UTF-8"
UNCLOSED: Final = "a quoted cell is never closed"
LONG_CELL: Final = f"a cell is longer than {csv.field_size_limit()} characters, or a quote in it is never closed"
MISQUOTED: Final = "quotes or line breaks are out of place"


class UnreadableFile(Exception):
    """Not a CSV file that can be read at all. The message is for people."""


class PageInstead(UnreadableFile):
    """Something else has answered in place of the file: another time it may be there."""


class CsvRow(NamedTuple):
    """A row with as many cells as the header has."""

    line: int
    """Where it begins, from 1."""
    cells: list[str]
    characters: int
    """Of the whole row, as it stands in the file, line end included."""


Row: TypeAlias = CsvRow | BrokenRow


class CsvReader:
    """Reads one file. After `feed` or `end` has raised `UnreadableFile`, nothing more can be read."""

    def __init__(self) -> None:
        self.header: tuple[str, ...] | None = None
        """Names of the columns, trimmed; None until the first line has come."""
        self._delimiter = ","
        self._line = 1
        """Number of the first line that is not read yet."""
        self._held: list[str] = []
        """Lines of a row that may not have ended."""
        self._tail = bytearray()
        """Of a line that has not ended."""
        self._in_long_line = False
        self._begun = False
        self._dirty = False
        """Whether anything of the lines at hand is not UTF-8."""

    @property
    def within_a_line(self) -> bool:
        """Whether what has come so far ends elsewhere than at the end of a line."""
        return bool(self._tail) or self._in_long_line

    def feed(self, data: bytes) -> list[Row]:
        """The rows that have ended with this piece."""
        rows: list[Row] = []
        if self._in_long_line:
            end = data.find(b"\n") + 1
            if not end:
                return rows
            rows.append(self._long_line())
            data = data[end:]
        end = data.rfind(b"\n") + 1
        if end:
            block = bytes(self._tail) + data[:end]
            self._tail = bytearray(data[end:])
            rows += self._read(block, final=False)
        else:
            self._tail += data
        if len(self._tail) > MAX_ROW_BYTES:
            rows += self._read(b"", final=True)
            self._tail.clear()
            self._in_long_line = True
        return rows

    def end(self) -> list[Row]:
        """The rows that are left when the file has ended."""
        rows: list[Row] = [self._long_line()] if self._in_long_line else []
        rows += self._read(bytes(self._tail), final=True)
        return rows

    def _long_line(self) -> BrokenRow:
        if self.header is None:
            raise UnreadableFile(f"no header within {MAX_ROW_BYTES} bytes")
        self._in_long_line = False
        self._line += 1
        return BrokenRow(self._line - 1, TOO_LONG)

    def _read(self, block: bytes, *, final: bool) -> list[Row]:
        self._dirty = self._dirty and bool(self._held)
        lines = self._held + self._lines_of(block)
        if self.header is not None:
            return self._parse(lines, final=final)
        self._delimiter = _delimiter_of(lines)
        return self._without_header(self._parse(lines, final=final))

    def _lines_of(self, block: bytes) -> list[str]:
        if block and not self._begun:
            self._begun = True
            if block.startswith(_OTHER_ENCODINGS):
                raise UnreadableFile("the file is UTF-16 or UTF-32; UTF-8 is taken")
            block = block.removeprefix(_BOM)
        try:
            text = block.decode()
        except UnicodeDecodeError:
            self._dirty = True
            text = block.decode("utf-8", "surrogateescape")
        return io.StringIO(text, newline="\n").readlines()

    def _without_header(self, rows: list[Row]) -> list[Row]:
        if not rows:
            return rows
        header = rows[0]
        if isinstance(header, BrokenRow):
            raise UnreadableFile(f"the header in line {header.line} cannot be read: {header.message}")
        self.header = tuple(cell.strip() for cell in header.cells)
        return [self._checked(row) for row in rows[1:]]

    def _parse(self, lines: list[str], *, final: bool) -> list[Row]:
        """Rows of these lines, which follow upon those read so far. What may go on in lines to come is held."""
        rows: list[Row] = []
        records = _Records(lines, self._delimiter)
        while records.end < len(lines):
            cells = records.read()
            begun, end = records.begun, records.end
            length = len(lines[begun]) if end == begun + 1 else sum(map(len, lines[begun:end]))
            if isinstance(cells, list) and (length <= _SHORT or not _too_long(lines[begun:end])):
                if len(cells) > 1 or (cells and cells[0].strip()):
                    rows.append(self._checked(CsvRow(self._line + begun, cells, length)))
                continue
            if isinstance(cells, csv.Error) and end == len(lines) and not (final or _too_long(lines[begun:])):
                self._hold(lines, begun)
                return rows
            rows.append(BrokenRow(self._line + begun, _words(cells, final=final)))
            records.resume_behind_first_line()
        self._hold(lines, len(lines))
        return rows

    def _hold(self, lines: list[str], start: int) -> None:
        self._held = lines[start:]
        self._line += start

    def _checked(self, row: Row) -> Row:
        if isinstance(row, BrokenRow):
            return row
        if self._dirty and _STRAY_BYTE.search("".join(row.cells)):
            return BrokenRow(row.line, UNDECODABLE)
        if self.header is not None and len(row.cells) != len(self.header):
            return BrokenRow(row.line, f"{len(row.cells)} cells in place of {len(self.header)}")
        return row


def _delimiter_of(lines: list[str]) -> str:
    """The one that the first line which is not blank has the most of, outside of quotes."""
    first = next((line for line in lines if line.strip()), "")
    if first.lstrip().startswith("<"):
        raise PageInstead("a page or XML came in place of the file")
    return max(DELIMITERS, key=_QUOTED.sub("", first).count)


def _too_long(lines: list[str]) -> bool:
    """By bytes, so that it does not depend on how the file was cut into pieces."""
    characters = sum(map(len, lines))
    if characters <= _SHORT or characters > MAX_ROW_BYTES:
        return characters > MAX_ROW_BYTES
    return sum(len(line.encode("utf-8", "surrogateescape")) for line in lines) > MAX_ROW_BYTES


def _words(cells: list[str] | csv.Error, *, final: bool) -> str:
    text = str(cells) if isinstance(cells, csv.Error) else ""
    if text.startswith("unexpected end") and final:
        return UNCLOSED
    if not text or text.startswith("unexpected end"):
        return TOO_LONG
    return LONG_CELL if text.startswith("field larger") else MISQUOTED


class _Records:
    """The records in some lines, read strictly, one after the other."""

    def __init__(self, lines: list[str], delimiter: str) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self.begun = 0
        """Index of the line in which the record read last begins."""
        self.end = 0
        """Index of the line behind it."""
        self._open()

    def read(self) -> list[str] | csv.Error:
        """The cells of the next record, or what is wrong with it."""
        self.begun = self.end
        result: list[str] | csv.Error
        try:
            result = next(self._reader)
        except csv.Error as error:
            result = error
        self.end = self._first + self._reader.line_num
        return result

    def resume_behind_first_line(self) -> None:
        """What was read last is no record: the next begins in the line after its first."""
        read_too_far = self._lines[self.begun + 1 : self.end]
        at_end = self.end == len(self._lines)
        self.end = self.begun + 1
        if at_end:
            self._open()
        else:
            self._stack += reversed(read_too_far)
            self._first -= len(read_too_far)

    def _open(self) -> None:
        # csv goes on after an error, and it reads lines as it needs them: from a stack they can be put back at no cost
        self._first = self.end
        self._stack: list[str | None] = [None, *reversed(self._lines[self.end :])]
        self._reader = csv.reader(iter(self._stack.pop, None), delimiter=self._delimiter, strict=True)
