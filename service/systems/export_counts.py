"""What the system states of an export beside what its file holds. Pure.

HoldingsIQ states `totalResourceCount`, titles in packages, and `uniqueResourceCount`, titles. Neither is a number of
rows: a title with several coverages has several. So what is compared is how many different resources (vendor, package
and title) and how many different titles the rows name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from service.domain.exports import ExportReport
from service.domain.jsonvalue import JsonObject, JsonValue
from service.systems.export_columns import COLUMNS
from service.systems.export_rows import ExportFile

COUNTS: Final = "customerHoldingsCounts"
RESOURCES: Final = "totalResourceCount"
TITLES: Final = "uniqueResourceCount"


def stated_counts(record: JsonObject) -> dict[str, str]:
    """The counts of an export's record, as the system spells them."""
    counts = record.get(COUNTS)
    if not isinstance(counts, Mapping):
        return {}
    return {name: str(value) for name, value in counts.items() if isinstance(value, str | int | float)}


def report_of(file: ExportFile, export_type: str, stated: Mapping[str, str]) -> tuple[ExportReport, str | None]:
    """The account of a file that was read to its end, and what is to be said of it; None when all is as it should be.

    COST and HOLDINGSEVENT are no lists of holdings: there is nothing to compare.
    """
    differences = list(_differences(file, stated)) if export_type in COLUMNS else []
    agrees = all(text is None for text in differences) if differences else None
    report = ExportReport(file.rows, file.broken, stated, agrees, tuple(file.broken_rows))
    said = [text for text in differences if text is not None]
    if said:
        said.append("hidden titles are in no file, and rows that cannot be read are not counted")
    if file.broken:
        said.insert(0, f"{file.broken} {'row' if file.broken == 1 else 'rows'} could not be read")
    if file.is_empty:
        said.insert(0, "the file is empty")
    return report, "; ".join(said) or None


def _differences(file: ExportFile, stated: Mapping[str, str]) -> Iterator[str | None]:
    """For each count that can be compared: how it differs, or None."""
    for name, words, counter in ((RESOURCES, "titles in packages", file.resources), (TITLES, "titles", file.titles)):
        number, counted = _number(stated.get(name)), counter.count()
        if number is None or counted is None:
            continue
        if number == counted:
            yield None
        else:
            yield f"{name} is {number}, and the file names {counted} different {words}"


def _number(text: JsonValue) -> int | None:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else None
