"""A result always fits into its topic: one that did not would hold its partition up for ever."""

from __future__ import annotations

import orjson

from service.domain.answers import failed
from service.domain.codes import Code
from service.domain.exports import ExportRow
from service.domain.operations import Asked, EventIdentity, Plan
from service.domain.outcomes import Fault
from service.kafka.fitting import SHORT_TEXT
from service.kafka.records_out import MAX_MESSAGE_CHARACTERS, MAX_RESULT_BYTES, MAX_SUBJECT_CHARACTERS, RecordsOut
from tests.builders.outcomes import OK, REFUSED, operation, outcome, record

RENDER = RecordsOut("/holdings-relay/tests")


def test_the_id_of_an_event_is_cut_in_the_rows_of_its_export_when_it_would_fill_them() -> None:
    row = ExportRow("1-2-3", 2, {"row": 1})

    def subject_of(event_id: str) -> str:
        plan = Plan(EventIdentity(event_id, "/ils", "x"), "diku", None, (), frozenset())
        (sent,) = RENDER.rows(record(), plan, [row], 1)
        subject: str = orjson.loads(sent.value or b"")["subject"]
        return subject

    assert subject_of("e" * MAX_SUBJECT_CHARACTERS) == "e" * MAX_SUBJECT_CHARACTERS
    assert subject_of("\0" * 900_000) == "\0" * (MAX_SUBJECT_CHARACTERS - 1) + "…"


def test_an_ordinary_result_is_not_touched() -> None:
    long_but_fine = "x" * 10_000

    (result,) = RENDER(outcome(operation(OK, Asked("inventory", "upsert", long_but_fine))))

    assert orjson.loads(result.value or b"")["data"]["operations"][0]["target"] == long_but_fine


def test_a_result_that_would_be_too_large_has_its_long_texts_cut_and_keeps_every_entry() -> None:
    gone_wrong = "x" * 500_000
    operations = [operation(OK, Asked("inventory", "upsert", f"{n}{gone_wrong}")) for n in range(3)]

    (result,) = RENDER(outcome(*operations, event=EventIdentity("e1", "/ils", "holdings.changed")))

    assert len(result.value or b"") < MAX_RESULT_BYTES
    data = orjson.loads(result.value or b"")["data"]
    assert data["event"]["id"] == "e1"
    assert [entry["target"] for entry in data["operations"]] == [
        f"{n}{gone_wrong}"[:SHORT_TEXT] + "…" for n in range(3)
    ]


def test_more_operations_than_fit_are_counted_and_those_that_failed_are_kept() -> None:
    many = [operation(OK, Asked("scsb", "transfer-item", f"{n}")) for n in range(10_000)]
    failure = operation(REFUSED, Asked("scsb", "transfer-item", "the one that failed"))

    (result, _) = RENDER(outcome(*many, failure))

    assert len(result.value or b"") <= MAX_RESULT_BYTES
    data = orjson.loads(result.value or b"")["data"]
    targets = [entry["target"] for entry in data["operations"]]
    assert targets == [f"{n}" for n in range(len(targets) - 1)] + ["the one that failed"]
    assert len(targets) > 4000
    assert data["operationsLeftOut"] == 10_001 - len(targets)


def test_more_faults_than_fit_are_counted() -> None:
    faults = tuple(Fault(f"data.{n}", "is not a known field") for n in range(30_000))

    (result, _) = RENDER(outcome(operation(REFUSED, faults=faults)))

    assert len(result.value or b"") <= MAX_RESULT_BYTES
    data = orjson.loads(result.value or b"")["data"]
    assert data["faultsLeftOut"] == 30_000 - len(data["faults"])
    assert data["operations"][0]["faultsLeftOut"] == data["faultsLeftOut"]


def test_texts_of_characters_that_json_escapes_fit_too() -> None:
    awkward = operation(failed(Code.REFUSED, 422, "\x00" * 5000), Asked("scsb", "transfer-item", "\x01" * 5000))

    (result, _) = RENDER(outcome(*[awkward] * 2000))

    assert len(result.value or b"") <= MAX_RESULT_BYTES


def test_the_message_of_a_dead_letter_is_bounded() -> None:
    (_, letter) = RENDER(outcome(operation(failed(Code.REFUSED, 422, "x" * 3_000_000))))

    assert len(dict(letter.headers)["relay-message"] or b"") < 4 * MAX_MESSAGE_CHARACTERS
