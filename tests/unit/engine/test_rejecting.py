"""What a record that is refused before anything is called ends as."""

from __future__ import annotations

import time

from service.domain.codes import Code
from service.domain.operations import Asked, EventIdentity
from service.domain.outcomes import UNREAD, Fault, Outcome, Overall, Rejection
from service.engine.rejecting import reject
from tests.builders.outcomes import record

UPDATE = Asked("eholdings", "update", "1-2-3")
UPSERT = Asked("inventory", "upsert", "in1")
SOURCE = Asked("holdings-sources", "upsert", "FOLIO")
ITEM, OTHER_ITEM = Asked("scsb", "transfer-item", "a/b"), Asked("scsb", "transfer-item", "c/d")
HOLDINGS = Asked("scsb", "transfer-holdings", "e/f")


def invalid(*paths: str, asked: tuple[Asked, ...] = ()) -> Outcome:
    """The outcome of an event that is wrong at `paths`."""
    faults = tuple(Fault(path, "is wrong") for path in paths)
    return reject(
        record(), Rejection(Code.INVALID_DATA, "does not hold", EventIdentity("e1"), faults=faults, asked=asked)
    )


def told(outcome: Outcome) -> list[tuple[str | None, Code | None, list[str]]]:
    """System, code and the paths of the faults of each operation."""
    return [
        (entry.asked.system, entry.finding.code, [fault.path for fault in entry.faults]) for entry in outcome.operations
    ]


def test_a_record_of_which_nothing_can_be_told_has_one_operation_without_a_name() -> None:
    outcome = reject(record(), Rejection(Code.UNREADABLE, "not JSON"))

    (operation,) = outcome.operations
    assert operation.asked == Asked(None, None, None)
    assert (operation.finding.code, operation.finding.message) == (Code.UNREADABLE, "not JSON")
    assert operation.attempts == 0
    assert (outcome.event, outcome.overall, outcome.rejected) == (UNREAD, Overall.FAILED, True)


def test_a_rejection_keeps_what_is_known_of_the_event() -> None:
    identity = EventIdentity("e1", "/ils", "holdings.changed")

    outcome = reject(record(), Rejection(Code.UNKNOWN_TYPE, "no such type", identity, "diku", "00-1-2-01"))

    assert (outcome.event, outcome.tenant, outcome.traceparent) == (identity, "diku", "00-1-2-01")
    assert outcome.record == record()


def test_faults_of_an_event_that_asks_for_nothing_that_can_be_told_stand_with_its_one_operation() -> None:
    assert told(invalid("data", "data.eholdings")) == [(None, Code.INVALID_DATA, ["data", "data.eholdings"])]


def test_every_fault_stands_with_the_operation_that_it_is_about() -> None:
    outcome = invalid(
        "data.inventory.instance.title",
        "data.eholdings.attributes.url",
        "data.holdingsSource.name",
        asked=(UPDATE, UPSERT, SOURCE),
    )

    assert told(outcome) == [
        ("eholdings", Code.INVALID_DATA, ["data.eholdings.attributes.url"]),
        ("inventory", Code.INVALID_DATA, ["data.inventory.instance.title"]),
        ("holdings-sources", Code.INVALID_DATA, ["data.holdingsSource.name"]),
    ]


def test_an_operation_without_a_fault_of_its_own_was_not_attempted() -> None:
    outcome = invalid("data.inventory.instance", asked=(UPDATE, UPSERT))

    assert told(outcome) == [
        ("eholdings", Code.NOT_ATTEMPTED, []),
        ("inventory", Code.INVALID_DATA, ["data.inventory.instance"]),
    ]
    assert outcome.first_failure == outcome.operations[1]


def test_a_fault_that_is_about_no_operation_stands_with_the_first_that_failed() -> None:
    outcome = invalid("data.inventory.instance", "data.surprise", asked=(UPDATE, UPSERT))

    assert told(outcome) == [
        ("eholdings", Code.NOT_ATTEMPTED, []),
        ("inventory", Code.INVALID_DATA, ["data.inventory.instance", "data.surprise"]),
    ]


def test_when_no_fault_is_about_an_operation_all_stand_with_the_first() -> None:
    outcome = invalid("source", "data.surprise", asked=(UPDATE, UPSERT))

    assert told(outcome) == [
        ("eholdings", Code.INVALID_DATA, ["source", "data.surprise"]),
        ("inventory", Code.NOT_ATTEMPTED, []),
    ]


def test_faults_of_a_transfer_are_told_apart_by_their_lists() -> None:
    outcome = invalid(
        "data.itemTransfers[1].source.owningInstitutionItemId",
        "data.holdingTransfers[0].destination",
        asked=(HOLDINGS, ITEM, OTHER_ITEM),
    )

    assert [entry.faults for entry in outcome.operations if entry.asked == HOLDINGS] == [
        (Fault("data.holdingTransfers[0].destination", "is wrong"),)
    ]
    assert sorted(fault.path for entry in outcome.operations for fault in entry.faults) == [
        "data.holdingTransfers[0].destination",
        "data.itemTransfers[1].source.owningInstitutionItemId",
    ]


def test_no_fault_is_lost_or_told_twice() -> None:
    paths = ["id", "data", "data.eholdings", "data.inventory.x", "data.holdingsSource", "data.inventory.y", "time"]

    outcome = invalid(*paths, asked=(SOURCE, UPSERT, UPDATE))

    assert sorted(fault.path for entry in outcome.operations for fault in entry.faults) == sorted(paths)
    assert outcome.overall is Overall.FAILED


def test_the_code_and_message_of_the_rejection_stand_with_what_failed() -> None:
    outcome = reject(record(), Rejection(Code.TOO_LARGE, "1,000,001 bytes", asked=(UPDATE,)))

    assert outcome.first_failure is not None
    assert (outcome.first_failure.finding.code, outcome.first_failure.finding.message) == (
        Code.TOO_LARGE,
        "1,000,001 bytes",
    )


def test_what_many_things_were_asked_for_is_told_in_time_linear_in_them() -> None:
    asked = tuple(Asked("scsb", "transfer-item", str(number)) for number in range(3000))
    faults = tuple(Fault(f"data.other{number}", "is not a known field") for number in range(1000))
    rejection = Rejection(Code.INVALID_DATA, "1000 faults", faults=faults, asked=asked)
    began = time.thread_time()

    operations = reject(record(), rejection).operations

    assert time.thread_time() - began < 0.5
    assert [operation.asked for operation in operations] == list(asked)
    assert operations[0].faults == faults
