"""Custom coverages of a patch."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.operations import Plan, UpdateResource
from tests.builders.events import JsonObject, faults_of, interpreted, plan_of, structured, update

ROOT = "data.eholdings.attributes.customCoverages"


def coverage(begin: object, *end: object) -> JsonObject:
    return {"beginCoverage": begin, **({"endCoverage": end[0]} if end else {})}


def event(*coverages: object) -> JsonObject:
    return {"eholdings": update({"customCoverages": list(coverages)})}


def sent(*coverages: object) -> object:
    [step] = plan_of(event(*coverages)).steps
    assert isinstance(step, UpdateResource)
    return step.attributes["customCoverages"]


def test_coverages_in_any_order_go_out_newest_first() -> None:
    assert sent(
        coverage("1998-03-01", "1999-12-31"), coverage("2010-01-01", "2011-06-30"), coverage("2003-05-05", "2003-05-05")
    ) == [
        coverage("2010-01-01", "2011-06-30"),
        coverage("2003-05-05", "2003-05-05"),
        coverage("1998-03-01", "1999-12-31"),
    ]


@pytest.mark.parametrize("end", [(), (None,), ("",)])
def test_an_open_end_absent_null_or_empty_goes_out_empty(end: tuple[object, ...]) -> None:
    assert sent(coverage("1998-03-01", "1999-12-31"), coverage("2020-01-01", *end)) == [
        coverage("2020-01-01", ""),
        coverage("1998-03-01", "1999-12-31"),
    ]


def test_an_empty_list_stays_an_empty_list_which_clears() -> None:
    assert sent() == []


def test_the_list_may_be_null_which_clears() -> None:
    [step] = plan_of({"eholdings": update({"customCoverages": None})}).steps
    assert isinstance(step, UpdateResource)
    assert step.attributes == {"customCoverages": None}


@pytest.mark.parametrize(
    "day",
    ["2023-02-29", "2023-13-01", "0000-01-01", "20230101", "2023-1-1", "2023-01-01T00:00:00", " 2023-01-01", "x", ""],
)
def test_a_day_that_is_not_real_or_not_so_written_is_refused(day: str) -> None:
    assert faults_of(event(coverage(day))) == {f"{ROOT}[0].beginCoverage": "must be a real day written YYYY-MM-DD"}


def test_a_29th_of_february_in_a_leap_year_is_real() -> None:
    assert sent(coverage("2024-02-29")) == [coverage("2024-02-29", "")]


def test_an_end_that_is_not_a_day_is_refused() -> None:
    assert faults_of(event(coverage("2023-01-01", "present"))) == {
        f"{ROOT}[0].endCoverage": "must be a real day written YYYY-MM-DD"
    }


def test_an_end_before_the_beginning_is_refused() -> None:
    assert faults_of(event(coverage("2023-01-02", "2023-01-01"))) == {
        f"{ROOT}[0].endCoverage": "must not lie before beginCoverage (2023-01-02)"
    }


def test_sharing_one_day_is_an_overlap() -> None:
    faults = faults_of(event(coverage("2010-12-31", "2012-01-01"), coverage("2009-01-01", "2010-12-31")))
    assert faults == {f"{ROOT}[0]": "overlaps [1], which ends on 2010-12-31"}


def test_following_on_the_next_day_is_no_overlap() -> None:
    assert sent(coverage("2011-01-01", "2012-01-01"), coverage("2009-01-01", "2010-12-31"))


def test_a_coverage_inside_a_longer_one_overlaps_even_behind_another() -> None:
    faults = faults_of(
        event(
            coverage("2000-01-01", "2019-12-31"),
            coverage("2001-01-01", "2001-12-31"),
            coverage("2005-01-01", "2005-12-31"),
        )
    )
    assert set(faults) == {f"{ROOT}[1]", f"{ROOT}[2]"}


def test_only_the_newest_may_be_open_ended() -> None:
    faults = faults_of(event(coverage("2015-01-01", "2015-12-31"), coverage("2001-01-01", "")))
    assert faults == {f"{ROOT}[1].endCoverage": "only the newest coverage may be open-ended; [0] begins no earlier"}


def test_two_that_begin_on_one_day_are_refused_even_when_open() -> None:
    assert list(faults_of(event(coverage("2015-01-01"), coverage("2015-01-01")))) == [f"{ROOT}[0].endCoverage"]


def test_faults_of_form_and_of_sense_are_told_together() -> None:
    faults = faults_of(
        event(
            coverage(20010101),
            {"endCoverage": "2003-01-01"},
            coverage("2004-01-01", "2003-01-01"),
            "2005",
            {**coverage("2006-01-01", "2007-01-01"), "note": "x"},
            coverage("2006-06-01"),
        )
    )
    assert faults == {
        f"{ROOT}[0].beginCoverage": "must be a string, not a number",
        f"{ROOT}[1].beginCoverage": "is required",
        f"{ROOT}[2].endCoverage": "must not lie before beginCoverage (2004-01-01)",
        f"{ROOT}[3]": "must be an object, not a string",
        f"{ROOT}[4].note": "is not a known field",
        f"{ROOT}[5]": "overlaps [4], which ends on 2007-01-01",
    }


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(-2, 8) | st.none()), max_size=6))
def test_coverages_are_taken_exactly_when_no_day_is_in_two_of_them(spans: list[tuple[int, int | None]]) -> None:
    first_day = date(2000, 1, 1)
    last_day = 60
    coverages = []
    days: list[int] = []
    in_order = True
    for begin, length in spans:
        end = last_day if length is None else begin + length
        in_order &= end >= begin
        days += range(begin, end + 1)
        closed = "" if length is None else str(first_day + timedelta(end))
        coverages.append(coverage(str(first_day + timedelta(begin)), closed))

    interpretation = interpreted(structured(data=event(*coverages)))

    assert isinstance(interpretation, Plan) == (in_order and len(days) == len(set(days)))
