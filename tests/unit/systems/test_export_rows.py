"""What becomes of the cells of an export: typed fields, everything else by its name, ids, keys and broken rows."""

from __future__ import annotations

from typing import Any

import pytest

from service.domain.exports import BrokenRow
from service.sandbox.holdingsiq import CsvFile
from service.sandbox.holdingsiq.rows import content_of
from service.systems.export_columns import COLUMNS, row_model
from service.systems.export_csv import UnreadableFile
from service.systems.export_rows import BROKEN_ROWS_TOLD, MAX_EVENT_BYTES
from tests.builders.exports import EXPORT_ID, HEADER, data_of, kbart2, lines, read_export

TYPES = ("KBART2", "STANDARD", "COST", "HOLDINGSEVENT")


def test_a_row_says_what_it_is_of_and_where_it_stands() -> None:
    _, rows = read_export(kbart2(*lines(2)))

    assert {name: rows[1].row.data[name] for name in ("exportId", "custId", "type", "row", "line", "resourceId")} == {
        "exportId": EXPORT_ID,
        "custId": "apidemo",
        "type": "KBART2",
        "row": 2,
        "line": 3,
        "resourceId": "19-23-1001",
    }
    assert (rows[1].row.key, rows[1].row.line) == ("19-23-1001", 3)


@pytest.mark.parametrize("export_type", TYPES)
def test_the_row_of_every_type_fits_its_schema(export_type: str) -> None:
    file = CsvFile(rows=60, awkward=10, coverages=2)
    content = b"".join(content_of(export_type, file).pieces())
    model = row_model(export_type)

    _, rows = read_export(content, export_type)

    assert len(rows) == 60
    for read in rows:
        model.model_validate(read.row.data)
        assert read.row.key == read.row.data["resourceId"]


@pytest.mark.parametrize("export_type", ["KBART2", "STANDARD"])
def test_every_column_that_has_been_seen_becomes_a_field(export_type: str) -> None:
    names = [column.names[0] for column in COLUMNS[export_type]]

    data = data_of(",".join("1" for _ in names), ",".join(names), export_type)

    assert data["columns"] == {}
    assert [data[column.field] for column in COLUMNS[export_type] if column.kind.value == "text"] == ["1"] * sum(
        column.kind.value == "text" for column in COLUMNS[export_type]
    )


def test_a_column_that_is_missing_is_a_field_that_is_null() -> None:
    data = data_of("1", "title_id")

    assert (data["titleId"], data["publicationTitle"], data["dateLastIssueOnline"]) == ("1", None, None)
    assert data["dateLastIssueOnlineIsPresent"] is False


@pytest.mark.parametrize("name", ["preceeding_publication_title_id", "preceding_publication_title_id"])
def test_both_spellings_of_the_preceding_title_are_one_field(name: str) -> None:
    assert data_of("1,77", f"title_id,{name}")["precedingPublicationTitleId"] == "77"


def test_names_are_compared_without_case_blanks_and_underscores() -> None:
    data = data_of("1,2,3,yes", " KBID ,Package ID,VENDORID, peer_reviewed", "STANDARD")

    assert (data["resourceId"], data["peerReviewed"]) == ("3-2-1", True)


@pytest.mark.parametrize(("cell", "value"), [("", None), ("   ", None), (" x ", "x"), ('"a, b"', "a, b"), ("0", "0")])
def test_empty_is_null_and_blanks_around_a_cell_are_cut_off(cell: str, value: Any) -> None:
    assert data_of(f"{cell},1,2,3,")["publicationTitle"] == value


@pytest.mark.parametrize(
    ("cell", "date", "is_present", "unreadable"),
    [
        ("1999-12-31", "1999-12-31", False, {}),
        ("1999-12", "1999-12", False, {}),
        ("1999", "1999", False, {}),
        ("9999-12-31", None, True, {}),
        ("", None, False, {}),
        ("12/31/1999", None, False, {"date_last_issue_online": "12/31/1999"}),
        ("1999-13-01", None, False, {"date_last_issue_online": "1999-13-01"}),
        ("present", None, False, {"date_last_issue_online": "present"}),
    ],
)
def test_dates_are_iso_dates_or_null_and_nothing_is_lost(
    cell: str, date: str | None, is_present: bool, unreadable: dict[str, str]
) -> None:
    data = data_of(f"T,1,2,3,{cell}")

    assert (data["dateLastIssueOnline"], data["dateLastIssueOnlineIsPresent"]) == (date, is_present)
    assert data["unreadable"] == unreadable


@pytest.mark.parametrize(
    ("cell", "flag", "unreadable"),
    [("Yes", True, {}), ("N", False, {}), ("TRUE", True, {}), ("0", False, {}), ("", None, {}),
     ("maybe", None, {"IsCustom": "maybe"})],
)  # fmt: skip
def test_flags_are_true_false_or_null_and_nothing_is_lost(
    cell: str, flag: bool | None, unreadable: dict[str, str]
) -> None:
    data = data_of(f"1,{cell}", "KBID,IsCustom", "STANDARD")

    assert (data["isCustom"], data["unreadable"]) == (flag, unreadable)


def test_columns_that_nobody_has_published_are_carried_by_their_names() -> None:
    data = data_of("1,2,,4,5", "title_id,Local note,Local note,,Shelf")

    assert data["columns"] == {"Local note": "2", "Local note (2)": None, "column 4": "4", "Shelf": "5"}


def test_very_many_columns_of_one_name_are_told_apart_without_holding_everything_up() -> None:
    """That takes time by the number of columns. By its cube it took hours."""
    columns = 20_000

    data = data_of(f"1{',x' * columns}", f"title_id{',n' * columns}")

    assert list(data["columns"])[:3] == ["n", "n (2)", "n (3)"]
    assert len(data["columns"]) == columns


@pytest.mark.parametrize("export_type", ["COST", "HOLDINGSEVENT", "SOMETHING NEW"])
def test_other_types_are_carried_by_header_and_named_by_their_ids(export_type: str) -> None:
    data = data_of("7,8,9,12.50", "KBID,PackageID,vendor_id,Cost", export_type)

    assert data["resourceId"] == "9-8-7"
    assert data["columns"] == {"KBID": "7", "PackageID": "8", "vendor_id": "9", "Cost": "12.50"}


@pytest.mark.parametrize(
    ("header", "row", "key", "resource_id"),
    [
        ("vendor_id,package_id,title_id", "1,2,3", "1-2-3", "1-2-3"),
        ("vendor_id,package_id,title_id", "1,,3", "1-3", None),
        ("package_id,title_id", "2,3", "2-3", None),
        ("title_id", "3", "3", None),
        ("publication_title", "T", "apidemo/KBART2", None),
    ],
)
def test_the_key_is_made_of_the_ids_that_are_there(header: str, row: str, key: str, resource_id: str | None) -> None:
    _, [read] = read_export(f"{header}\n{row}\n".encode())

    assert (read.row.key, read.row.data["resourceId"]) == (key, resource_id)


def test_a_file_with_none_of_the_columns_of_its_type_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="none of the columns of KBART2"):
        read_export(b"a,b\n1,2\n")


def test_broken_rows_are_counted_and_the_first_of_them_told() -> None:
    file, rows = read_export(kbart2(*lines(1), *["x"] * (BROKEN_ROWS_TOLD + 5), *lines(1)))

    assert (file.rows, file.broken, len(rows)) == (2, BROKEN_ROWS_TOLD + 5, 2)
    assert file.broken_rows[0] == BrokenRow(3, "1 cells in place of 5")
    assert len(file.broken_rows) == BROKEN_ROWS_TOLD
    assert rows[1].row.data["row"] == 2


def test_a_row_that_is_too_large_for_an_event_is_broken() -> None:
    cells = ["é" * 40_000] * 12
    header = ",".join(["title_id", *(f"c{number}" for number in range(12))])

    file, rows = read_export(f"{header}\n1,{','.join(cells)}\n2{',' * 12}\n".encode())

    [broken] = file.broken_rows
    assert broken.line == 2
    assert f"at most {MAX_EVENT_BYTES} can be published" in broken.message
    assert [read.row.key for read in rows] == ["2"]


def test_a_row_whose_ids_make_its_key_too_large_is_broken() -> None:
    ids = ",".join("x" * 120_000 for _ in range(3))

    file, rows = read_export(f"vendor_id,package_id,title_id\n{ids}\n1,2,3\n".encode())

    assert [broken.line for broken in file.broken_rows] == [2]
    assert [read.row.key for read in rows] == ["1-2-3"]


def test_a_row_whose_names_of_columns_are_too_large_is_broken() -> None:
    names = ",".join(f"{number}{'n' * 120_000}" for number in range(8))

    file, rows = read_export(f"title_id,{names}\n1,{',' * 7}\n".encode())

    assert rows == []
    assert "can be published" in file.broken_rows[0].message


def test_names_of_columns_count_for_the_size_of_a_commit() -> None:
    name = "n" * 50_000

    _, [read] = read_export(f"title_id,{name}\n1,2\n".encode())

    assert read.event_bytes > len(name)


def test_rows_do_not_depend_on_how_the_file_is_cut() -> None:
    content = b"".join(content_of("STANDARD", CsvFile(rows=200, awkward=20, broken={3: "unclosed", 9: "few"})).pieces())

    whole = read_export(content, "STANDARD", len(content))[1]

    for size in (1, 7, 1000):
        assert read_export(content, "STANDARD", size)[1] == whole


def test_an_empty_file_has_no_rows_and_says_so() -> None:
    file, rows = read_export(b"")

    assert (file.is_empty, rows) == (True, [])
    assert not read_export(HEADER.encode())[0].is_empty
