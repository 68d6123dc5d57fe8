"""The latest dead letters, as a worker remembers them."""

from __future__ import annotations

from service.domain.answers import failed
from service.domain.codes import Code
from service.domain.operations import Asked, EventIdentity
from service.domain.outcomes import Rejection
from service.engine.rejecting import reject
from service.telemetry.metrics import Metrics
from service.telemetry.observing import Telemetry
from service.telemetry.observing.failures import Failure
from tests.builders.outcomes import CHANGES, FINISHED_AT, OK, REFUSED, operation, outcome, record


def test_a_dead_letter_is_remembered_with_what_it_tells() -> None:
    telemetry = Telemetry(Metrics())

    telemetry.settled(outcome(operation(OK), operation(REFUSED)))

    assert telemetry.latest_failures == (
        Failure(FINISHED_AT, CHANGES, 42, "e1", "refused", "eholdings", "1-2-3", "Start date must precede end date"),
    )


def test_what_succeeded_is_not() -> None:
    telemetry = Telemetry(Metrics())

    telemetry.settled(outcome(operation(OK)))

    assert telemetry.latest_failures == ()


def test_a_record_that_could_not_be_read_has_a_code_and_a_place_and_nothing_else() -> None:
    telemetry = Telemetry(Metrics())

    telemetry.settled(reject(record(7), Rejection(Code.UNREADABLE, "not JSON")))

    (failure,) = telemetry.latest_failures
    assert (failure.code, failure.offset, failure.message) == ("unreadable", 7, "not JSON")
    assert (failure.event_id, failure.system, failure.target) == (None, None, None)


def test_only_the_latest_twenty_are_kept_and_the_newest_comes_first() -> None:
    telemetry = Telemetry(Metrics())

    for offset in range(25):
        telemetry.settled(outcome(operation(REFUSED), of=record(offset)))

    assert [failure.offset for failure in telemetry.latest_failures] == list(range(24, 4, -1))


def test_texts_of_any_length_are_cut() -> None:
    telemetry = Telemetry(Metrics())
    long = "x" * 1_000_000
    asked = Asked("eholdings", "update", long)

    telemetry.settled(
        outcome(
            operation(failed(Code.REFUSED, 400, long), asked), event=EventIdentity(long, "/ils", "holdings.changed")
        )
    )

    (failure,) = telemetry.latest_failures
    assert {len(text or "") for text in (failure.event_id, failure.target, failure.message)} == {300}


def test_who_reads_holds_a_tuple_that_never_changes() -> None:
    telemetry = Telemetry(Metrics())
    telemetry.settled(outcome(operation(REFUSED)))

    before = telemetry.latest_failures
    telemetry.settled(outcome(operation(REFUSED), of=record(43)))

    assert [failure.offset for failure in before] == [42]
