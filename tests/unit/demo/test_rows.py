"""The rows of exports are judged: each once, under its key, and truly counted."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from service.demo.results import ExportedRow, NotAResult, OperationResult, Place, Result, Sent, read_row
from service.demo.verification.rows import check_rows
from service.kafka.reader import Stored
from tests.unit.demo.results import PREFIX, result, sent


def export(rows: int | None = 3) -> Sent:
    plain = sent()
    return replace(plain, sample=replace(plain.sample, rows=rows))


def row(number: int, *, key: bytes = b"1-2-3", offset: int = 0) -> ExportedRow:
    return ExportedRow(Place("holdings.changes", 0, offset), number, key, "1-2-3")


def told(about: Sent, rows: int | None) -> Result:
    operation = OperationResult("holdingsiq", "export", "x", "succeeded", 1, None, rows)
    return replace(result(about), operations=(operation,))


WHOLE = [row(1), row(2), row(3)]


def test_every_row_once_and_counted_is_as_it_should_be() -> None:
    check = check_rows([export()], WHOLE, [told(export(), 3)])

    assert (check.holds, check.looked_at) == (True, 3)


@pytest.mark.parametrize(
    ("rows", "counted", "fault"),
    [
        (WHOLE[:2], 3, "expected rows 1 to 3, each once, found 2 rows"),
        ([*WHOLE, row(3)], 3, "expected rows 1 to 3, each once, found 4 rows"),
        (WHOLE, 4, "expected a result that counts 3 rows, found [4]"),
        ([*WHOLE[:2], row(3, key=b"9")], 3, "row 3 is about 1-2-3, and its key is b'9'"),
        ([*WHOLE, row(1, offset=9)], 3, "rows of a record that was not sent"),
    ],
)
def test_what_is_wrong_is_told(rows: list[ExportedRow], counted: int, fault: str) -> None:
    check = check_rows([export()], rows, [told(export(), counted)])

    assert len(check.broken) == 1
    assert fault in check.broken[0]


def test_rows_of_a_record_that_asks_for_none_are_told() -> None:
    assert not check_rows([export(rows=None)], WHOLE, [told(export(), None)]).holds


def test_a_row_is_read_with_the_place_of_the_record_that_asked_for_it() -> None:
    value = orjson.dumps({"id": f"{PREFIX}holdings.export-requests/3/42/7", "data": {"resourceId": "1-2-3"}})

    found = read_row(Stored("holdings.export-rows", 0, 0, b"1-2-3", value, ()), PREFIX)

    assert found == ExportedRow(Place("holdings.export-requests", 3, 42), 7, b"1-2-3", "1-2-3")
    with pytest.raises(NotAResult):
        read_row(Stored("holdings.export-rows", 0, 0, None, b"{}", ()), PREFIX)
