"""A CSV file in pieces: every form that it may have, everything that can be broken about a row, and bounded memory."""

from __future__ import annotations

import csv
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.exports import BrokenRow
from service.systems.export_csv import (
    LONG_CELL,
    MAX_ROW_BYTES,
    MISQUOTED,
    TOO_LONG,
    UNCLOSED,
    UNDECODABLE,
    CsvReader,
    CsvRow,
    PageInstead,
    UnreadableFile,
)
from tests.builders.exports import broken_in, cells_of, read_csv

PIECES = st.integers(1, 40)


def test_a_row_has_its_line_and_its_cells() -> None:
    header, rows = read_csv(b"a,b\n1,2\n3,4\n")

    assert header == ("a", "b")
    assert rows == [CsvRow(2, ["1", "2"], 4), CsvRow(3, ["3", "4"], 4)]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_is_found_in_the_header(delimiter: str) -> None:
    assert cells_of(f'a{delimiter}"x,y;|\t{delimiter}"{delimiter}c\n1{delimiter}2{delimiter}3\n'.encode()) == [
        ["1", "2", "3"]
    ]


def test_a_file_of_one_column_needs_no_delimiter() -> None:
    assert cells_of(b"a\n1\n2\n") == [["1"], ["2"]]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_quoted_cells_may_hold_line_breaks_delimiters_and_doubled_quotes(end: str) -> None:
    content = f'a,b{end}"one{end}two, ""three""",2{end}x,y{end}'.encode()

    _, rows = read_csv(content)

    assert [(row.line, row.cells) for row in rows if isinstance(row, CsvRow)] == [
        (2, [f'one{end}two, "three"', "2"]),
        (4, ["x", "y"]),
    ]


def test_a_byte_order_mark_and_blanks_around_names_are_not_part_of_the_header() -> None:
    assert read_csv(b"\xef\xbb\xbf a , b c\t\n")[0] == ("a", "b c")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_that_is_marked_is_refused_in_clear_words(encoding: str) -> None:
    mark = {"utf-16-le": "\ufeff", "utf-16-be": "\ufeff"}.get(encoding, "")
    with pytest.raises(UnreadableFile, match="UTF-16 or UTF-32; UTF-8 is taken"):
        read_csv((mark + "a,b\n1,2\n").encode(encoding))


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html>", b"\n  <?xml version='1.0'?>\n<Error/>"])
def test_a_page_in_place_of_the_file_is_told_apart(page: bytes) -> None:
    with pytest.raises(PageInstead):
        read_csv(page)


def test_an_empty_file_has_no_header_and_no_rows() -> None:
    assert read_csv(b"") == (None, [])
    assert read_csv(b"\n \n\r\n") == (None, [])


@pytest.mark.parametrize("content", [b"a,b", b"a,b\n", b"a,b\r\n", b"\na,b\n\n"])
def test_a_file_of_a_header_alone_has_no_rows(content: bytes) -> None:
    assert read_csv(content) == (("a", "b"), [])


def test_the_last_row_may_lack_its_line_end() -> None:
    assert cells_of(b"a,b\n1,2\n3,4") == [["1", "2"], ["3", "4"]]


def test_blank_lines_are_no_rows_and_yet_count_as_lines() -> None:
    assert read_csv(b"a,b\n\n1,2\n   \n3\n")[1] == [CsvRow(3, ["1", "2"], 4), BrokenRow(5, "1 cells in place of 2")]


def test_too_few_and_too_many_cells_break_a_row() -> None:
    assert broken_in(b"a,b\n1\n1,2\n1,2,3\n") == [(2, "1 cells in place of 2"), (4, "3 cells in place of 2")]


def test_bytes_that_are_not_utf_8_break_their_row_and_no_other() -> None:
    content = "a,b\né,1\n".encode() + b"\xff,2\n3,\xc3\n" + "ü,4\n".encode()

    assert broken_in(content) == [(3, UNDECODABLE), (4, UNDECODABLE)]
    assert len(read_csv(content)[1]) == 4


def test_a_quote_that_is_never_closed_breaks_its_row_and_no_other() -> None:
    content = b'a,b\n1,2\n3,"4\n5,6\n7,8\n'

    assert broken_in(content) == [(3, UNCLOSED)]
    assert [row.cells for row in read_csv(content)[1] if isinstance(row, CsvRow)] == [
        ["1", "2"],
        ["5", "6"],
        ["7", "8"],
    ]


def test_a_quote_that_meets_another_one_later_breaks_its_row_and_no_other() -> None:
    content = b'a,b\n1,"2\n3,"4"\n5,6\n'

    assert broken_in(content) == [(2, MISQUOTED)]
    assert [row.cells for row in read_csv(content)[1] if isinstance(row, CsvRow)] == [["3", "4"], ["5", "6"]]


def test_a_quote_inside_a_bare_cell_is_a_quote() -> None:
    assert cells_of(b'a,b\n5" disk,x\n') == [['5" disk', "x"]]


def test_a_row_of_absurd_size_is_broken_in_bounded_memory() -> None:
    reader = CsvReader()
    reader.feed(b"a,b\n")
    tracemalloc.start()
    rows = [row for _ in range(800) for row in reader.feed(b"x" * 65_536)]
    rows += reader.feed(b"x\n1,2\n") + reader.end()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert rows == [BrokenRow(2, TOO_LONG), CsvRow(3, ["1", "2"], 4)]
    assert peak < 8 * MAX_ROW_BYTES


def test_a_quote_never_closed_in_a_large_file_breaks_its_row_in_bounded_memory() -> None:
    reader = CsvReader()
    reader.feed(b'a,b\n"never,closed\n')
    block = (b"x" * 300 + b",2\n") * 200
    tracemalloc.start()
    found = [row for _ in range(60) for row in reader.feed(block)[:1]]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found[0] == BrokenRow(2, LONG_CELL)
    assert all(isinstance(row, CsvRow) for row in found[1:])
    assert peak < 8 * MAX_ROW_BYTES


def test_an_absurd_size_is_told_the_same_however_the_file_is_cut() -> None:
    content = b'a,b\n"' + b"line\n" * 30_000 + b'",2\n' + b"y" * (MAX_ROW_BYTES + 1) + b"\n3,4\n"

    whole = read_csv(content, len(content))[1]

    assert len(whole) > 30_000
    for size in (50_000, 1 << 20):
        assert [type(row) for row in read_csv(content, size)[1]] == [type(row) for row in whole]


def test_a_cell_that_is_too_long_for_a_cell_breaks_its_row() -> None:
    assert broken_in(b"a,b\n" + b"x" * 200_000 + b",2\n1,2\n") == [(2, LONG_CELL)]


def test_a_header_that_never_ends_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="no header within"):
        read_csv(b"x" * (2 * MAX_ROW_BYTES) + b"\n1\n", 65_536)
    with pytest.raises(UnreadableFile, match="line 1 cannot be read"):
        read_csv(b'a,"b\n1,2\n')


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12)


@given(st.integers(2, 5).flatmap(lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), max_size=6)), PIECES)
def test_what_python_writes_is_read_as_python_reads_it(table: list[list[str]], piece_bytes: int) -> None:
    header = [f"c{number}" for number in range(len(table[0]) if table else 2)]
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *table])
    content = text.getvalue().encode()

    assert cells_of(content, piece_bytes) == list(csv.reader(io.StringIO(text.getvalue(), newline="")))[1:]


AWKWARD = st.lists(
    st.sampled_from([b'"', b'""', b",", b"\n", b"\r\n", b"\r", b"x", b"\xff", "é".encode(), b"\x00", b" ", b";"]),
    max_size=40,
).map(b"".join)


@given(AWKWARD, PIECES)
def test_any_file_is_read_the_same_however_it_is_cut(content: bytes, piece_bytes: int) -> None:
    def outcome(size: int) -> object:
        try:
            return read_csv(b"a,b\n" + content, size)
        except UnreadableFile as error:
            return str(error)

    assert outcome(piece_bytes) == outcome(1 << 20)
