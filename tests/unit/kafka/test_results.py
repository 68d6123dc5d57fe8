"""What a `holdings.result` looks like, for every kind of outcome."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from service.domain.answers import failed, succeeded, unchanged
from service.domain.codes import Code
from service.domain.operations import Asked, EventIdentity
from service.domain.outcomes import Fault, Outcome, Rejection
from service.engine.ports import Outgoing
from service.engine.rejecting import reject
from service.kafka.records_out import MAX_RESULT_BYTES, RecordsOut
from tests.builders.outcomes import NOT_ATTEMPTED, OK, REFUSED, SAME, operation, outcome, record

SOURCE = "/holdings-relay/test"
ITEM, HOLDINGS = Asked("scsb", "transfer-item", "1/2/3"), Asked("scsb", "transfer-holdings", "1/2")


def published(of: Outcome) -> list[Outgoing]:
    return list(RecordsOut(SOURCE)(of))


def result(of: Outcome) -> dict[str, Any]:
    """The result as a CloudEvent."""
    envelope = orjson.loads(published(of)[0].value or b"")
    assert isinstance(envelope, dict)
    return envelope


def test_a_result_is_a_structured_cloudevent_that_names_the_record_it_is_about() -> None:
    sent = published(outcome(traceparent="00-1-2-01"))[0]

    assert sent.topic == "holdings.results"
    assert sent.headers == (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
    envelope = result(outcome(traceparent="00-1-2-01"))
    data = envelope.pop("data")
    assert envelope == {
        "specversion": "1.0",
        "id": "holdings.changes/3/42",
        "source": SOURCE,
        "type": "holdings.result",
        "time": "2023-11-14T22:13:21.250Z",
        "datacontenttype": "application/json",
        "subject": "e1",
        "tenant": "diku",
        "traceparent": "00-1-2-01",
    }
    assert data["event"] == {
        "id": "e1",
        "source": "/ils",
        "type": "holdings.changed",
        "topic": "holdings.changes",
        "partition": 3,
        "offset": 42,
    }


def test_a_result_has_the_members_of_the_contract() -> None:
    data = result(outcome(operation(REFUSED, attempts=2)))["data"]

    assert data == {
        "event": data["event"],
        "outcome": "failed",
        "code": "refused",
        "message": "Start date must precede end date",
        "operations": [
            {
                "system": "eholdings",
                "operation": "update",
                "target": "1-2-3",
                "outcome": "failed",
                "status": 422,
                "attempts": 2,
                "durationMs": 31,
                "code": "refused",
                "message": "Start date must precede end date",
            }
        ],
        "receivedAt": "2023-11-14T22:13:20.000Z",
        "finishedAt": "2023-11-14T22:13:21.250Z",
    }


@pytest.mark.parametrize("key", [b"1-2-3", b"", b"\xff\x00", None])
def test_the_key_of_the_record_in_is_kept_as_it_was(key: bytes | None) -> None:
    failed_outcome = outcome(operation(REFUSED), of=record(key=key))

    assert [sent.key for sent in published(failed_outcome)] == [key, key]


@pytest.mark.parametrize(
    ("findings", "overall"),
    [
        ((OK,), "succeeded"),
        ((SAME,), "unchanged"),
        ((OK, SAME), "succeeded"),
        ((OK, REFUSED), "partial"),
        ((SAME, REFUSED), "partial"),
        ((REFUSED, NOT_ATTEMPTED), "failed"),
        ((REFUSED,), "failed"),
    ],
)
def test_the_outcome_says_how_much_of_what_was_asked_holds_now(findings: tuple[Any, ...], overall: str) -> None:
    subject = outcome(*[operation(finding) for finding in findings])

    assert result(subject)["data"]["outcome"] == overall
    topics = [sent.topic for sent in published(subject)]
    lettered = ["holdings.dead-letters"] if overall in ("failed", "partial") else []
    assert topics == ["holdings.results", *lettered]


def test_every_item_and_holdings_of_a_transfer_has_an_entry_of_its_own_in_order() -> None:
    subject = outcome(operation(succeeded(200), HOLDINGS), operation(failed(Code.SKIPPED, 200, "not done"), ITEM))

    entries = result(subject)["data"]["operations"]

    assert [(entry["operation"], entry["target"], entry["code"]) for entry in entries] == [
        ("transfer-holdings", "1/2", None),
        ("transfer-item", "1/2/3", "skipped"),
    ]


def test_a_record_that_cannot_be_read_has_nulls_where_nothing_is_known() -> None:
    envelope = result(reject(record(key=None, value=None), Rejection(Code.UNREADABLE, "there is no value")))

    assert envelope.keys().isdisjoint({"subject", "tenant", "traceparent"})
    event = envelope["data"]["event"]
    assert (event["id"], event["source"], event["type"]) == (None, None, None)
    assert (event["topic"], event["partition"], event["offset"]) == ("holdings.changes", 3, 42)
    (entry,) = envelope["data"]["operations"]
    assert (entry["system"], entry["operation"], entry["target"]) == (None, None, None)
    assert (entry["code"], entry["attempts"], entry["status"]) == ("unreadable", 0, None)


def test_an_invalid_event_names_every_fault_with_its_path() -> None:
    faults = (Fault("data.eholdings.attributes.url", "is not a URL"), Fault("data.eholdings.tags[1]", "is empty"))
    identity = EventIdentity("e1", "/ils", "holdings.changed")
    subject = reject(record(), Rejection(Code.INVALID_DATA, "2 faults", identity, faults=faults))

    data = result(subject)["data"]

    expected = [
        {"path": "data.eholdings.attributes.url", "message": "is not a URL"},
        {"path": "data.eholdings.tags[1]", "message": "is empty"},
    ]
    assert data["faults"] == data["operations"][0]["faults"] == expected
    assert data["code"] == "invalid-data"


def test_the_code_at_the_top_is_that_of_the_first_operation_that_failed_by_itself() -> None:
    refused = operation(failed(Code.OUTCOME_UNKNOWN, None, "no answer"), ITEM)
    subject = outcome(operation(NOT_ATTEMPTED), refused, operation(REFUSED))

    data = result(subject)["data"]

    assert (data["code"], data["message"]) == ("outcome-unknown", "no answer")


def test_there_is_no_code_where_nothing_failed() -> None:
    data = result(outcome(operation(unchanged(200))))["data"]

    assert (data["code"], data["message"]) == (None, None)
    assert "faults" not in data


def test_a_result_too_large_to_be_stored_has_its_texts_shortened_and_says_all_else() -> None:
    long = operation(failed(Code.REFUSED, 422, "ü" * 1000), Asked("inventory", "upsert", "in" + "1" * 1000))
    subject = outcome(*[long] * 1000)

    value = published(subject)[0].value or b""

    data = orjson.loads(value)["data"]
    assert len(value) <= MAX_RESULT_BYTES
    assert len(data["operations"]) == 1000
    assert data["operations"][999]["message"].endswith("…")
    assert (data["outcome"], data["operations"][0]["status"], data["event"]["offset"]) == ("failed", 422, 42)


def test_a_result_that_can_be_stored_is_not_shortened() -> None:
    message = "a" * 5000

    data = result(outcome(operation(failed(Code.REFUSED, 422, message))))["data"]

    assert data["message"] == data["operations"][0]["message"] == message


def test_two_results_of_one_record_have_the_same_id() -> None:
    """So that a reader of at-least-once delivery can tell a repetition."""
    assert result(outcome())["id"] == result(outcome(operation(REFUSED)))["id"]
