"""The file of an export as bytes: rows made while they are sent, at any position, in any number.

Owns how rows are written. A block of a hundred titles is rendered once; every further one is the same bytes with
another number in them, which is what makes a million rows quick and needs no memory. It must not know HTTP.
"""

from __future__ import annotations

import csv
import io
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from service.sandbox.content import Content, LiteralContent
from service.sandbox.holdingsiq.columns import COLUMNS, CORRECT, MISSPELT
from service.sandbox.holdingsiq.csv_file import CsvFile
from service.sandbox.holdingsiq.titles import HUNDRED, facts_of

_TITLES: Final = 100
_MARK: Final = HUNDRED.encode()
_PIECE_BYTES: Final = 256 * 1024


def content_of(export_type: str, file: CsvFile) -> Content:
    """The bytes of an export's file: those that were given, or generated ones."""
    return GeneratedRows(export_type, file) if file.content is None else LiteralContent(file.content)


class GeneratedRows:
    """A generated file. Row `n` is coverage `n % coverages` of title `n // coverages`."""

    def __init__(self, export_type: str, file: CsvFile) -> None:
        self._file = file
        self._columns = COLUMNS[export_type]
        padded = export_type == "STANDARD" if file.padded_header is None else file.padded_header
        self._header = self._header_line(padded)
        self._cells = [
            self._cells_of(place, coverage) for place in range(_TITLES) for coverage in range(file.coverages)
        ]
        self._block = [self._line(cells) for cells in self._cells]
        self._whole_block = b"".join(self._block)
        self._ends = [0, *accumulate(map(len, self._block))]
        last = {file.rows - 1} if file.ends_without_line_end else set()
        self._odd = sorted(number for number in {*file.broken, *last} if 0 <= number < file.rows)
        changes = (len(self._row_line(number)) - len(self._block[number % len(self._block)]) for number in self._odd)
        self._change_before = [0, *accumulate(changes)]

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the columns, without padding."""
        corrected = self._file.correct_spelling
        return tuple(CORRECT if corrected and name == MISSPELT else name for name, _ in self._columns)

    def row(self, number: int) -> tuple[str, ...]:
        """The cells of a row as a reader should find them, were it not broken. Raises IndexError beyond the last."""
        if not 0 <= number < self._file.rows:
            raise IndexError(number)
        block, place = divmod(number, len(self._block))
        return tuple(cell.replace(HUNDRED, f"{block:07d}") for cell in self._cells[place])

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self._position(self._file.rows)

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        """The bytes from `start` on."""
        if start < len(self._header):
            yield self._header[start:]
            start = len(self._header)
        rows_per_block = len(self._block)
        blocks = range(-(-self._file.rows // rows_per_block))
        first = max(0, bisect_right(blocks, start, key=lambda block: self._position(block * rows_per_block)) - 1)
        skipped = start - self._position(first * rows_per_block)
        gathered = bytearray()
        for block in blocks[first:]:
            gathered += self._rendered(block)
            if skipped:
                gathered = gathered[skipped:]
                skipped = 0
            if len(gathered) >= _PIECE_BYTES:
                yield bytes(gathered)
                gathered.clear()
        if gathered:
            yield bytes(gathered)

    def _position(self, number: int) -> int:
        """Where a row begins; with the number of rows, where the file ends."""
        blocks, place = divmod(number, len(self._block))
        before = self._change_before[bisect_left(self._odd, number)]
        return len(self._header) + blocks * len(self._whole_block) + self._ends[place] + before

    def _rendered(self, block: int) -> bytes:
        first = block * len(self._block)
        after = first + len(self._block)
        is_plain = bisect_left(self._odd, first) == bisect_left(self._odd, after)
        if is_plain and after <= self._file.rows:
            return self._whole_block.replace(_MARK, b"%07d" % block)
        return b"".join(self._row_line(number) for number in range(first, min(after, self._file.rows)))

    def _row_line(self, number: int) -> bytes:
        block, place = divmod(number, len(self._block))
        line = self._block[place]
        line_end = self._file.line_end.encode()
        match self._file.broken.get(number):
            case None:
                pass
            case "few":
                line = self._line(self._cells[place][:-3])
            case "many":
                line = self._line((*self._cells[place], "one cell", "too many"))
            case "unclosed":
                shortened = self._line(self._cells[place][:-1]).removesuffix(line_end)
                line = shortened + self._file.delimiter.encode() + b'"never closed' + line_end
            case "undecodable":
                line = b"\xff\xfe" + line
        if self._file.ends_without_line_end and number == self._file.rows - 1:
            line = line.removesuffix(line_end)
        return line.replace(_MARK, b"%07d" % block)

    def _header_line(self, padded: bool) -> bytes:
        # Every third name has a blank before it, every other one behind: what trims one side alone is found out.
        names = [
            f"{' ' * (place % 3 == 1)}{name}{' ' * (place % 2)}" if padded else name
            for place, name in enumerate(self.header)
        ]
        return (b"\xef\xbb\xbf" if self._file.bom else b"") + self._line(tuple(names))

    def _cells_of(self, place: int, coverage: int) -> tuple[str, ...]:
        facts = facts_of(place, coverage, self._file.seed, place < self._file.awkward)
        return tuple(facts.get(fact, "") for _, fact in self._columns)

    def _line(self, cells: tuple[str, ...]) -> bytes:
        written = io.StringIO(newline="")
        csv.writer(written, delimiter=self._file.delimiter, lineterminator=self._file.line_end).writerow(cells)
        return written.getvalue().encode()
