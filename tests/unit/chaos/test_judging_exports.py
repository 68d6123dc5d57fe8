"""The judge of exports: each row once, truly counted, and one POST."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders.evidence import (
    OTHER_LIFE,
    WORKER_LIFE,
    an_event,
    began_at,
    call,
    flawless,
    place_of,
    with_calls,
    with_result,
    without_calls,
)
from tests.chaos.events import Event
from tests.chaos.evidence import Blow, Evidence, Life, Operation, Row, Struck
from tests.chaos.judging import judge
from tests.chaos.judging.exports import TAKEN_UP_SECONDS, faults_of_exports
from tests.chaos.judging.order import faults_of_order
from tests.chaos.judging.records import name_of


def is_export(event: Event) -> bool:
    return event.rows is not None


def faults(evidence: Evidence, *, once: bool = True) -> list[str]:
    return list(faults_of_exports(evidence, once=once))


def with_rows(evidence: Evidence, event: Event, *more: Row, without: int | None = None) -> Evidence:
    mine = place_of(event)
    rows = [row for row in evidence.rows if (row.place, row.number) != (mine, without)]
    return replace(evidence, rows=[*rows, *more])


@pytest.fixture
def evidence() -> Evidence:
    return flawless()


@pytest.fixture
def export(evidence: Evidence) -> Event:
    return an_event(evidence, is_export)


def told(evidence: Evidence, event: Event) -> str:
    (name,) = (name_of(placed) for placed in evidence.placed if placed.event is event)
    return name


@pytest.mark.parametrize("once", [True, False])
def test_exports_of_which_every_row_is_there_once_are_as_promised(evidence: Evidence, once: bool) -> None:
    assert len([placed for placed in evidence.placed if is_export(placed.event)]) > 3
    assert judge(evidence, once=once) == []


def test_a_row_that_is_missing_is_a_fault(evidence: Evidence, export: Event) -> None:
    spoilt = with_rows(evidence, export, without=7)

    assert faults(spoilt) == [f"{told(evidence, export)} lacks 1 of its 300 rows, among them row 7"]


def test_a_row_that_is_there_twice_is_a_fault_where_each_is_promised_once(evidence: Evidence, export: Event) -> None:
    spoilt = with_rows(evidence, export, Row(place_of(export), 7, 7, f"export-{export.index}"))

    assert faults(spoilt) == [f"{told(evidence, export)} has 1 rows more than once"]
    assert faults(spoilt, once=False) == []


def test_a_row_beyond_the_last_a_row_that_is_another_and_rows_of_two_exports_are_faults(
    evidence: Evidence, export: Event
) -> None:
    name = told(evidence, export)
    beyond = Row(place_of(export), 301, 301, f"export-{export.index}")
    another = Row(place_of(export), 7, 8, "another")

    assert faults(with_rows(evidence, export, beyond)) == [f"{name} has a row 301, and there are 300"]
    assert faults(with_rows(evidence, export, another, without=7)) == [
        f"{name} has a row 7 that is row 8 of its file",
        f"{name} has rows of more than one export",
    ]


def test_rows_of_an_event_that_asks_for_none_are_a_fault(evidence: Evidence) -> None:
    other = an_event(evidence, lambda event: not is_export(event))

    assert faults(with_rows(evidence, other, Row(place_of(other), 1, 1, "x"))) == [
        f"{told(evidence, other)} has 1 rows, and asks for none"
    ]


def test_a_result_that_counts_other_rows_is_a_fault(evidence: Evidence, export: Event) -> None:
    spoilt = with_result(evidence, export, operations=(Operation("holdingsiq", "export", "x", "succeeded", rows=299),))

    assert faults(spoilt) == [f"{told(evidence, export)} has 300 rows, and its result counts [299]"]


def test_a_second_post_is_a_fault(evidence: Evidence, export: Event) -> None:
    spoilt = with_calls(evidence, call(export, "holdingsiq", "POST", began_at=began_at(export) + 2))

    assert faults(spoilt) == [f"{told(evidence, export)} was asked for again, although its export was there"]


@pytest.mark.parametrize(
    ("first", "second", "found"), [("GET", "GET", 0), ("POST", "GET", 1), ("GET", "POST", 1), ("POST", "POST", 1)]
)
def test_two_workers_may_look_at_one_export_at_a_time_but_not_ask_for_it(
    evidence: Evidence, export: Event, first: str, second: str, found: int
) -> None:
    when = began_at(export)
    calls = [
        call(export, "holdingsiq", first, began_at=when),
        call(export, "holdingsiq", second, life=OTHER_LIFE, began_at=when + 0.5),
    ]

    spoilt = list(faults_of_order(with_calls(without_calls(evidence, export), *calls), once=True))

    assert len([fault for fault in spoilt if "began while one for its event" in fault]) == found


@pytest.mark.parametrize(
    ("first", "life", "found"), [("GET", OTHER_LIFE, 0), ("GET", WORKER_LIFE, 1), ("POST", OTHER_LIFE, 1)]
)
def test_a_look_that_was_broken_off_may_still_be_answered_when_the_next_owner_is_at_the_next_export_of_the_customer(
    evidence: Evidence, first: str, life: int, found: int
) -> None:
    export, following = two_of_one_customer(evidence)
    when = began_at(export)
    calls = [
        call(export, "holdingsiq", first, began_at=when),
        call(following, "holdingsiq", "POST", life=life, began_at=when + 0.5),
    ]

    spoilt = list(faults_of_order(with_calls(without_calls(evidence, export), *calls), once=True))

    assert len([fault for fault in spoilt if "began while one for its event" in fault]) == found


def two_of_one_customer(evidence: Evidence) -> tuple[Event, Event]:
    """Exports that follow each other."""
    exports = [placed.event for placed in evidence.placed if is_export(placed.event)]
    return next(
        (one, other)
        for one in exports
        for other in exports
        if one.entities.keys() == other.entities.keys()
        and max(other.entities.values()) == max(one.entities.values()) + 1
    )


def test_a_second_post_is_none_when_the_first_arrived_after_somebody_else_had_looked(
    evidence: Evidence, export: Event
) -> None:
    when = began_at(export)
    look = call(export, "holdingsiq", "GET", path="/x/exports", life=OTHER_LIFE, began_at=when - 0.1)
    second = call(export, "holdingsiq", "POST", life=OTHER_LIFE, began_at=when + 0.5)
    lives = [Life(WORKER_LIFE, 0.0, [Struck(Blow.KILLED, when - 0.2)]), Life(OTHER_LIFE, 0.0)]

    assert faults(replace(with_calls(evidence, look, second), lives=lives)) == []
    assert faults(with_calls(evidence, look, second)) != [], "nobody was struck"


def test_an_export_that_nobody_asked_for_is_a_fault(evidence: Evidence, export: Event) -> None:
    spoilt = with_calls(without_calls(evidence, export), call(export, "holdingsiq", "GET"))

    assert faults(spoilt) == [f"{told(evidence, export)} was never asked for"]


@pytest.mark.parametrize(("seconds_before", "is_fault"), [(TAKEN_UP_SECONDS - 1, False), (TAKEN_UP_SECONDS + 1, True)])
def test_one_that_an_earlier_event_of_the_customer_has_made_may_be_taken_up_for_some_minutes(
    evidence: Evidence, seconds_before: float, is_fault: bool
) -> None:
    exports = [placed.event for placed in evidence.placed if is_export(placed.event)]
    first, second = next(
        (one, other)
        for one in exports
        for other in exports
        if one is not other and one.entities.keys() == other.entities.keys()
    )
    when = began_at(second)
    calls = without_calls(without_calls(evidence, first), second)
    post = call(first, "holdingsiq", "POST", began_at=when - seconds_before)
    spoilt = with_calls(calls, post, call(second, "holdingsiq", "GET", began_at=when))

    assert faults(spoilt) == [f"{told(evidence, second)} was never asked for"] * is_fault
