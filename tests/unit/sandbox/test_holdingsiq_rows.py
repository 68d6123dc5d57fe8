"""The files of exports: every row can be told beforehand, from any position, however the file is written."""

from __future__ import annotations

import codecs
import csv
import io
import tracemalloc

import pytest

from service.sandbox.holdingsiq import CsvFile, GeneratedRows

TYPES = ("KBART2", "STANDARD", "COST", "HOLDINGSEVENT")
SHAPES = [
    CsvFile(rows=0),
    CsvFile(rows=1),
    CsvFile(rows=250),
    CsvFile(rows=100, coverages=1),
    CsvFile(rows=701, coverages=3, awkward=7, seed=5),
    CsvFile(rows=301, awkward=100, delimiter="\t", line_end="\r\n", bom=True),
    CsvFile(rows=120, awkward=3, delimiter=";", ends_without_line_end=True),
    CsvFile(rows=220, awkward=3, delimiter="|", coverages=20),
]


def whole(rows: GeneratedRows) -> bytes:
    return b"".join(rows.pieces())


def parsed(file: CsvFile, written: bytes) -> list[list[str]]:
    text = written.decode("utf-8-sig" if file.bom else "utf-8")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=file.delimiter, strict=True))


@pytest.mark.parametrize("export_type", TYPES)
@pytest.mark.parametrize("file", SHAPES, ids=str)
def test_a_reader_finds_the_rows_that_were_told_beforehand(export_type: str, file: CsvFile) -> None:
    rows = GeneratedRows(export_type, file)

    header, *found = parsed(file, whole(rows))

    assert [name.strip() for name in header] == list(rows.header)
    assert [tuple(cells) for cells in found] == [rows.row(number) for number in range(file.rows)]
    with pytest.raises(IndexError):
        rows.row(file.rows)


@pytest.mark.parametrize(
    "file",
    [
        CsvFile(rows=701, coverages=3, awkward=7),
        CsvFile(rows=400, broken={0: "many", 99: "few", 100: "unclosed", 250: "undecodable"}),
        CsvFile(rows=200, ends_without_line_end=True, broken={199: "unclosed"}),
        CsvFile(rows=0, bom=True),
    ],
    ids=str,
)
def test_the_size_is_true_and_reading_may_begin_anywhere(file: CsvFile) -> None:
    rows = GeneratedRows("KBART2", file)
    written = whole(rows)

    assert rows.size == len(written)
    for start in (*range(0, len(written), 997), len(written) - 1, len(written)):
        assert b"".join(rows.pieces(start)) == written[start:], start


def test_a_row_far_down_is_reached_without_making_those_before_it() -> None:
    rows = GeneratedRows("KBART2", CsvFile(rows=1_000_000_000))
    last = ",".join(f'"{cell}"' if "," in cell else cell for cell in rows.row(999_999_999)) + "\n"

    tracemalloc.start()
    end = b"".join(rows.pieces(rows.size - len(last.encode())))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert end.decode() == last
    assert peak < 2_000_000


def test_pieces_of_a_large_file_are_neither_small_nor_large() -> None:
    pieces = GeneratedRows("KBART2", CsvFile(rows=10_000)).pieces(1)
    sizes = [len(piece) for piece in pieces]

    assert len(sizes) > 5
    assert all(200_000 < size < 500_000 for size in sizes[1:-1])


def test_titles_and_ids_differ_and_a_title_has_its_coverages_one_after_the_other() -> None:
    rows = GeneratedRows("KBART2", CsvFile(rows=600, coverages=2))
    at = {name: place for place, name in enumerate(rows.header)}
    found = [rows.row(number) for number in range(600)]

    ids = [tuple(row[at[name]] for name in ("vendor_id", "package_id", "title_id")) for row in found]
    assert ids[0::2] == ids[1::2]
    assert len(set(ids)) == 300
    serials = [number for number in range(0, 600, 2) if found[number][at["publication_type"]] == "serial"]
    assert serials
    for number in serials:
        newer, older = found[number], found[number + 1]
        assert older[at["date_last_issue_online"]] < newer[at["date_first_issue_online"]]


def test_another_seed_describes_the_same_titles_differently() -> None:
    one, other = (GeneratedRows("KBART2", CsvFile(rows=200, seed=seed)) for seed in (0, 1))
    ids = [one.header.index(name) for name in ("vendor_id", "package_id", "title_id")]

    for number in range(200):
        assert [one.row(number)[place] for place in ids] == [other.row(number)[place] for place in ids]
        assert one.row(number) != other.row(number)


def test_kbart2_misspells_one_column_unless_it_is_told_not_to() -> None:
    assert "preceeding_publication_title_id" in GeneratedRows("KBART2", CsvFile()).header
    corrected = GeneratedRows("KBART2", CsvFile(correct_spelling=True))
    assert "preceding_publication_title_id" in corrected.header
    assert b"preceeding" not in whole(corrected)


@pytest.mark.parametrize(
    ("export_type", "padded", "expected"),
    [("STANDARD", None, True), ("STANDARD", False, False), ("KBART2", None, False), ("KBART2", True, True)],
)
def test_header_cells_are_padded_in_standard_or_as_told(export_type: str, padded: bool | None, expected: bool) -> None:
    file = CsvFile(padded_header=padded)
    header = parsed(file, whole(GeneratedRows(export_type, file)))[0]

    assert any(name != name.lstrip() for name in header) is expected
    assert any(name != name.rstrip() for name in header) is expected


def test_a_byte_order_mark_stands_before_the_header_alone() -> None:
    written = whole(GeneratedRows("KBART2", CsvFile(rows=300, bom=True)))

    assert written.startswith(codecs.BOM_UTF8 + b"publication_title")
    assert written.count(codecs.BOM_UTF8) == 1


def test_line_ends_are_those_asked_for() -> None:
    written = whole(GeneratedRows("KBART2", CsvFile(rows=300, line_end="\r\n")))

    assert written.count(b"\r\n") == written.count(b"\n") == 301


def test_the_last_row_may_lack_its_line_end() -> None:
    ended, open_ended = (
        whole(GeneratedRows("KBART2", CsvFile(rows=200, line_end="\r\n", ends_without_line_end=without)))
        for without in (False, True)
    )

    assert ended == open_ended + b"\r\n"


def test_awkward_cells_hold_line_breaks_quotes_and_every_delimiter() -> None:
    rows = GeneratedRows("KBART2", CsvFile(rows=101, awkward=1))
    for number in (0, 100):
        text = "".join(rows.row(number))
        assert all(sign in text for sign in ('"', "\n", "\r\n", ",", "\t", ";", "|"))
    assert '"' not in "".join(rows.row(1))


def test_rows_are_broken_where_they_are_told_to_be() -> None:
    file = CsvFile(rows=6, broken={1: "few", 3: "many", 5: "unclosed"})
    rows = GeneratedRows("KBART2", file)

    lines = whole(rows).decode().split("\n")[1:-1]

    width = len(rows.header)
    cells = [next(csv.reader([line])) for line in lines[:5]]
    assert [len(row) for row in cells] == [width, width - 3, width, width + 2, width]
    assert lines[5].endswith(',"never closed')
    with pytest.raises(csv.Error):
        parsed(file, whole(rows))


def test_a_row_may_hold_bytes_that_are_not_utf_8() -> None:
    written = whole(GeneratedRows("KBART2", CsvFile(rows=3, broken={1: "undecodable"})))

    lines = written.split(b"\n")
    lines[1].decode()
    lines[3].decode()
    with pytest.raises(UnicodeDecodeError):
        lines[2].decode()


def test_identifiers_of_serials_and_books_check() -> None:
    rows = GeneratedRows("KBART2", CsvFile(rows=100))
    place = rows.header.index("online_identifier")
    for number in range(100):
        digits = [10 if digit == "X" else int(digit) for digit in rows.row(number)[place].replace("-", "")]
        if len(digits) == 8:
            assert sum(weight * digit for weight, digit in zip(range(8, 0, -1), digits, strict=True)) % 11 == 0
        else:
            assert sum((1, 3)[at % 2] * digit for at, digit in enumerate(digits)) % 10 == 0
