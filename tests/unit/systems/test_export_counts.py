"""What the system states, beside what the file holds."""

from __future__ import annotations

import pytest

from service.domain.jsonvalue import JsonObject
from service.systems.export_counts import report_of, stated_counts
from tests.builders.exports import kbart2, read_export

TWO_COVERAGES = ("A,1,23,19,1999", "A,1,23,19,", "A,1,24,19,", "B,2,23,19,")
"""Three titles in packages, two titles, four rows."""


def test_counts_are_told_as_the_system_spells_them() -> None:
    counts: JsonObject = {"totalResourceCount": "0012", "uniqueResourceCount": 3, "more": None, "nested": {}}

    assert stated_counts({"customerHoldingsCounts": counts}) == {
        "totalResourceCount": "0012",
        "uniqueResourceCount": "3",
    }
    assert stated_counts({"customerHoldingsCounts": []}) == stated_counts({}) == {}


@pytest.mark.parametrize(
    "stated",
    [
        {"totalResourceCount": "3"},
        {"uniqueResourceCount": "2"},
        {"totalResourceCount": "3", "uniqueResourceCount": "2", "totalManagedPackageCount": "16"},
    ],
)
def test_titles_in_packages_and_titles_are_compared_and_not_rows(stated: dict[str, str]) -> None:
    file, _ = read_export(kbart2(*TWO_COVERAGES))

    report, message = report_of(file, "KBART2", stated)

    assert (report.rows, report.agrees, report.stated, message) == (4, True, stated, None)


def test_a_difference_is_told_in_plain_words() -> None:
    file, _ = read_export(kbart2(*TWO_COVERAGES))

    report, message = report_of(file, "KBART2", {"totalResourceCount": "5", "uniqueResourceCount": "2"})

    assert report.agrees is False
    assert message == (
        "totalResourceCount is 5, and the file names 3 different titles in packages; "
        "hidden titles are in no file, and rows that cannot be read are not counted"
    )


@pytest.mark.parametrize("stated", [{}, {"totalResourceCount": "many"}, {"totalManagedPackageCount": "3"}])
def test_without_a_count_that_can_be_compared_nothing_is_claimed(stated: dict[str, str]) -> None:
    file, _ = read_export(kbart2(*TWO_COVERAGES))

    report, message = report_of(file, "KBART2", stated)

    assert (report.agrees, message) == (None, None)


@pytest.mark.parametrize("export_type", ["COST", "HOLDINGSEVENT"])
def test_what_is_no_list_of_holdings_is_not_compared(export_type: str) -> None:
    file, _ = read_export(kbart2(*TWO_COVERAGES), export_type)

    assert report_of(file, export_type, {"totalResourceCount": "3"})[0].agrees is None


def test_broken_rows_and_an_empty_file_are_told() -> None:
    file, _ = read_export(kbart2("A,1", *TWO_COVERAGES))
    report, message = report_of(file, "KBART2", {})
    assert (report.broken, [row.line for row in report.broken_rows], message) == (1, [2], "1 row could not be read")

    empty, _ = read_export(b"")
    assert report_of(empty, "KBART2", {"totalResourceCount": "0"})[1] == "the file is empty"
