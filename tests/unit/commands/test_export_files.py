"""Rows in a file: all or nothing, and nothing of a row lost in either form."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from service.commands.export_files import Form, RowFile
from tests.builders.exports import HEADER, kbart2, lines, read_export

CONTENT = kbart2("Title,1,23,19,9999-12-31", '"A ""quoted"",\ntitle",2,23,19,someday')


async def written(path: Path, form: Form, content: bytes = CONTENT, export_type: str = "KBART2") -> str:
    _, rows = read_export(content, export_type)
    with RowFile(path, form) as file:
        for read in rows:
            await file.publish([read.row])
        file.keep_file()
    return path.read_text("utf-8")


async def test_jsonl_has_the_data_of_one_row_in_each_line(tmp_path: Path) -> None:
    _, rows = read_export(CONTENT)

    text = await written(tmp_path / "out.jsonl", Form.JSONL)

    assert [json.loads(line) for line in text.splitlines()] == [read.row.data for read in rows]


async def test_csv_has_one_line_for_each_row_under_the_fields_and_the_other_columns(tmp_path: Path) -> None:
    text = await written(tmp_path / "out.csv", Form.CSV, b"KBID,Cost,row\n1,2.50,7\n", "COST")

    header, row = csv.reader(text.splitlines())
    assert header == ["exportId", "custId", "type", "row", "line", "resourceId", "KBID", "Cost", "row", "unreadable"]
    assert row[3:] == ["1", "2", "", "1", "2.50", "7", ""]


async def test_what_could_not_be_read_stands_in_the_last_column(tmp_path: Path) -> None:
    await written(tmp_path / "out.csv", Form.CSV)

    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["unreadable"], first["dateLastIssueOnlineIsPresent"]) == ("", "true")
    assert json.loads(second["unreadable"]) == {"date_last_issue_online": "someday"}
    assert second["publicationTitle"] == 'A "quoted",\ntitle'


async def test_a_file_that_was_there_stays_until_all_rows_are_there(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before")
    _, rows = read_export(kbart2(*lines(3)))

    with RowFile(path, Form.CSV) as file:
        await file.publish([read.row for read in rows])

    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


async def test_it_tells_of_rows_and_keeps_the_note(tmp_path: Path) -> None:
    told: list[int] = []
    _, rows = read_export(kbart2(*lines(3)))

    with RowFile(tmp_path / "out.csv", Form.CSV, told.append) as file:
        await file.keep("?1")
        await file.publish([rows[0].row])
        await file.publish([read.row for read in rows[1:]])

    assert (told, file.rows, file.note) == ([1, 3], 3, "?1")


async def test_an_export_without_rows_is_an_empty_file(tmp_path: Path) -> None:
    assert await written(tmp_path / "out.csv", Form.CSV, HEADER.encode()) == ""


def test_a_folder_that_is_not_there_is_an_error_of_the_file_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), RowFile(tmp_path / "none" / "out.csv", Form.CSV):
        pass
