"""Files of exports, records as HoldingsIQ shows them, and readers of whole files; valid unless told otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from service.domain.exports import BrokenRow
from service.systems.export_csv import CsvReader, CsvRow, Row
from service.systems.export_rows import ExportFile, ReadRow

EXPORT_ID: Final = "096dea08-c57e-4dc5-a984-51a94afff2"
LINK: Final = "https://files.example/bucket/testExport?X-Amz-Security-Token=SESAME&X-Amz-Signature=0PEN"
HEADER: Final = "publication_title,title_id,package_id,vendor_id,date_last_issue_online"


def record(status: str = "COMPLETED", **members: Any) -> dict[str, Any]:
    """The record of an export; `...` leaves a member out."""
    usual = {
        "id": EXPORT_ID,
        "type": "KBART2",
        "fileName": "testExport_kbart2_csv",
        "status": status,
        "created": "2023-06-01T19:31:40.241Z",
        "format": "CSV",
        "links": [{"href": LINK, "rel": "download"}] if status == "COMPLETED" else ...,
    }
    return {name: value for name, value in {**usual, **members}.items() if value is not ...}


def lines(count: int, start: int = 0) -> list[str]:
    """So many rows under `HEADER`, each about a title of its own."""
    return [f"Title {number},{1000 + number},23,19,1999-12-31" for number in range(start, start + count)]


def kbart2(*rows: str, end: str = "\n") -> bytes:
    """A file of these rows."""
    return "".join(line + end for line in (HEADER, *rows)).encode()


def pieces_of(content: bytes, size: int) -> Iterable[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


def read_csv(content: bytes, piece_bytes: int = 1 << 16) -> tuple[tuple[str, ...] | None, list[Row]]:
    """Header and rows of a file that comes in pieces of a size."""
    reader = CsvReader()
    rows = [row for piece in pieces_of(content, piece_bytes) for row in reader.feed(piece)]
    rows += reader.end()
    return reader.header, rows


def cells_of(content: bytes, piece_bytes: int = 1 << 16) -> list[list[str]]:
    """The cells of a file without any broken row."""
    _, rows = read_csv(content, piece_bytes)
    assert not [row for row in rows if isinstance(row, BrokenRow)], rows
    return [row.cells for row in rows if isinstance(row, CsvRow)]


def broken_in(content: bytes, piece_bytes: int = 1 << 16) -> list[tuple[int, str]]:
    """Line and message of each broken row."""
    return [(row.line, row.message) for row in read_csv(content, piece_bytes)[1] if isinstance(row, BrokenRow)]


def read_export(
    content: bytes, export_type: str = "KBART2", piece_bytes: int = 1 << 16
) -> tuple[ExportFile, list[ReadRow]]:
    """A file that was read to its end, and its rows."""
    file = ExportFile("apidemo", EXPORT_ID, export_type)
    rows = [row for piece in pieces_of(content, piece_bytes) for row in file.feed(piece)]
    return file, rows + file.end()


def data_of(row: str, header: str = HEADER, export_type: str = "KBART2") -> Mapping[str, Any]:
    """The data of the only row of a file."""
    _, rows = read_export(f"{header}\n{row}\n".encode(), export_type)
    [read] = rows
    data: Mapping[str, Any] = orjson.loads(orjson.dumps(read.row.data))
    return data
