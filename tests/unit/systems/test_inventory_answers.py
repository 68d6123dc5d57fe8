"""mod-inventory-update's answers: when a batch is believed, and what each kind of failure is worth."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.answers import Finding, Verdict, succeeded, unchanged
from service.domain.codes import Code
from service.domain.jsonvalue import JsonValue
from service.systems.http import Reply
from service.systems.inventory_answers import (
    Decision,
    batch_message,
    delete_decision,
    names_missing_source,
    proves_batch,
    upsert_decision,
)
from service.systems.trouble import Trouble
from tests.unit.systems.anything import any_json

EXISTS = "lower(f_unaccent(jsonb ->> 'hrid'::text)) value already exists in table instance: in1"
NO_LOCATION = "Cannot set holdings_record.permanentlocationid = 0-0 because it does not exist in location.id."
NO_SOURCE = "Cannot set holdings_record.sourceid = 0-0 because it does not exist in holdings_records_source.id."
NOTHING = {"message": {"errors": [{"message": "Error processing delete request: Instance to delete not found"}]}}


def reply(status: int, content: JsonValue | bytes) -> Reply:
    body = content if isinstance(content, bytes) else orjson.dumps(content)
    return Reply(status, (), body)


def metrics(**counts: int) -> JsonValue:
    """`metrics(INSTANCE_CREATE_COMPLETED=1)`; every other count of the entity and verb is 0."""
    found: dict[str, dict[str, dict[str, JsonValue]]] = {}
    for name, count in counts.items():
        entity, verb, state = name.rsplit("_", 2)
        states = found.setdefault(entity, {}).setdefault(verb, {})
        states |= {**dict.fromkeys(("COMPLETED", "FAILED", "SKIPPED", "PENDING"), 0), **states, state: count}
    return found


def error(status: JsonValue, message: JsonValue = "no", kind: str = "ITEM", hrid: str | None = "it1") -> JsonValue:
    words: JsonValue = {"errors": [{"message": message}]}
    return {"statusCode": status, "message": words, "entityType": kind, "entity": {"hrid": hrid} if hrid else {}}


def partly(*errors: JsonValue) -> Reply:
    return reply(207, {"metrics": metrics(INSTANCE_CREATE_COMPLETED=1, ITEM_CREATE_FAILED=1), "errors": list(errors)})


DONE = {"metrics": metrics(INSTANCE_CREATE_COMPLETED=1, ITEM_CREATE_COMPLETED=2)}


def test_a_set_of_which_all_was_done_is_a_success() -> None:
    assert upsert_decision(reply(200, DONE), attempt=1) == succeeded(200)


def test_records_that_were_kept_instead_of_deleted_are_told() -> None:
    kept = metrics(INSTANCE_UPDATE_COMPLETED=1, ITEM_DELETE_SKIPPED=2, HOLDINGS_RECORD_DELETE_SKIPPED=1)

    decision = upsert_decision(reply(200, {"metrics": kept}), attempt=1)

    assert isinstance(decision, Finding)
    assert decision.verdict is Verdict.SUCCEEDED
    assert decision.message == (
        "kept instead of deleted, because in circulation or protected: 2 item, 1 holdings record"
    )


@pytest.mark.parametrize("state", ["FAILED", "PENDING"])
def test_a_200_with_something_undone_is_no_success(state: str) -> None:
    undone = metrics(INSTANCE_UPDATE_COMPLETED=1, **{f"ITEM_DELETE_{state}": 1})

    decision = upsert_decision(reply(200, {"metrics": undone}), attempt=1)

    assert isinstance(decision, Trouble)
    assert decision.uncertain
    assert f"delete of 1 item: {state}" in decision.message


@pytest.mark.parametrize("status", [409, 0, 500, 503, "500", None, "?", True])
def test_an_error_of_a_race_or_of_storage_is_worth_another_attempt(status: JsonValue) -> None:
    decision = upsert_decision(partly(error(status, "Cannot update record")), attempt=5)

    assert isinstance(decision, Trouble)
    assert (decision.status, decision.uncertain) == (207, True)


@pytest.mark.parametrize("status", [400, 404, 422, "422"])
def test_a_final_error_decides_with_the_systems_words(status: JsonValue) -> None:
    decision = upsert_decision(partly(error(409, "race"), error(status, "must match a UUID")), attempt=1)

    assert isinstance(decision, Finding)
    assert (decision.code, decision.status) == (Code.REFUSED, 207)
    assert decision.message == f"item it1: must match a UUID ({status})"


@pytest.mark.parametrize("message", [EXISTS, "Holdings record does not exist", NO_LOCATION])
def test_a_refusal_that_may_be_a_race_is_worth_exactly_one_repeat(message: str) -> None:
    first = upsert_decision(partly(error(422, message)), attempt=1)
    second = upsert_decision(partly(error(422, message)), attempt=2)

    assert isinstance(first, Trouble)
    assert isinstance(second, Finding)
    assert second.code is Code.REFUSED


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_a_refusal_of_the_whole_set_is_final(status: int) -> None:
    report: JsonValue = {"category": "VALIDATION", "message": {"errors": [{"message": "HRID is missing or empty."}]}}

    decision = upsert_decision(reply(status, report), attempt=1)

    assert isinstance(decision, Finding)
    assert (decision.code, decision.status, decision.message) == (Code.REFUSED, status, "HRID is missing or empty.")


def test_a_source_that_is_gone_is_recognised_however_it_is_told() -> None:
    assert names_missing_source(upsert_decision(partly(error(422, NO_SOURCE)), attempt=1))
    assert names_missing_source(upsert_decision(partly(error(422, NO_SOURCE)), attempt=2))
    assert not names_missing_source(upsert_decision(partly(error(422, NO_LOCATION)), attempt=2))


@pytest.mark.parametrize("content", [b"", b"<html>", {}, {"metrics": {}}, {"metrics": []}, [], "ok"])
def test_a_200_that_says_nothing_proves_nothing(content: Any) -> None:
    decision = upsert_decision(reply(200, content), attempt=1)

    assert isinstance(decision, Trouble)
    assert decision.uncertain


BOTH = metrics(INSTANCE_CREATE_COMPLETED=1, INSTANCE_UPDATE_COMPLETED=1)


@pytest.mark.parametrize(
    ("status", "content", "proven"),
    [
        (200, {"metrics": BOTH}, True),
        (200, {"metrics": BOTH, "errors": []}, True),
        (200, {"metrics": metrics(INSTANCE_UPDATE_COMPLETED=2, ITEM_DELETE_SKIPPED=1)}, True),
        (200, {"metrics": BOTH, "errors": [{}]}, False),
        (207, {"metrics": BOTH, "errors": []}, False),
        (200, {"metrics": metrics(INSTANCE_CREATE_COMPLETED=2, ITEM_CREATE_FAILED=1)}, False),
        (200, {"metrics": metrics(INSTANCE_CREATE_COMPLETED=2, ITEM_CREATE_PENDING=1)}, False),
        (200, {"metrics": metrics(INSTANCE_CREATE_COMPLETED=1)}, False),
        (200, {"metrics": {}}, False),
        (200, {}, False),
        (200, b"<html>", False),
        (400, {"metrics": BOTH}, False),
    ],
)
def test_a_batch_is_believed_only_when_it_accounts_for_every_set(status: int, content: Any, proven: bool) -> None:
    assert proves_batch(reply(status, content), 2) is proven


def test_what_a_batch_kept_is_told_without_naming_a_set() -> None:
    kept = {"metrics": metrics(INSTANCE_UPDATE_COMPLETED=2, ITEM_DELETE_SKIPPED=1)}

    assert "1 item (of a batch" in str(batch_message(reply(200, kept)))
    assert batch_message(reply(200, DONE)) is None


GONE = {"metrics": metrics(INSTANCE_DELETE_COMPLETED=1, ITEM_DELETE_COMPLETED=1)}


def delete(given: Reply, *, uncertain: bool = False, attempt: int = 1) -> Decision:
    return delete_decision(given, attempt=attempt, uncertain=uncertain)


def test_a_deletion_that_was_done_is_a_success() -> None:
    assert delete(reply(200, GONE)) == succeeded(200)


def test_a_deletion_that_was_skipped_has_failed() -> None:
    skipped = metrics(INSTANCE_DELETE_SKIPPED=1, ITEM_DELETE_COMPLETED=1, ITEM_DELETE_SKIPPED=1)

    decision = delete(reply(200, {"metrics": skipped}))

    assert isinstance(decision, Finding)
    assert (decision.code, decision.status) == (Code.SKIPPED, 200)
    assert "1 instance" in str(decision.message)


def test_what_is_not_there_to_delete_is_unchanged_or_was_deleted_by_the_lost_attempt() -> None:
    words = "Error processing delete request: Instance to delete not found"

    assert delete(reply(404, NOTHING)) == unchanged(404, words)
    assert delete(reply(404, NOTHING), uncertain=True) == succeeded(404, words)


def test_the_shared_index_says_it_in_other_words() -> None:
    decision = delete(reply(404, b"Error processing delete request: Record to be deleted was not found"))

    assert isinstance(decision, Finding)
    assert decision.verdict is Verdict.UNCHANGED


@pytest.mark.parametrize("body", [b"No Service found", b"", b'{"shortMessage": "503: down"}'])
def test_any_other_404_to_a_deletion_is_worth_another_attempt(body: bytes) -> None:
    decision = delete(reply(404, body), uncertain=True)

    assert isinstance(decision, Trouble)
    assert decision.status == 404


def test_a_deletion_that_broke_off_is_worth_another_attempt() -> None:
    undone = metrics(INSTANCE_DELETE_PENDING=1, HOLDINGS_RECORD_DELETE_PENDING=1, ITEM_DELETE_FAILED=1)

    decision = delete(reply(207, {"metrics": undone, "errors": [error(500, "boom", hrid=None)]}))

    assert isinstance(decision, Trouble)
    assert decision.message == (
        "item: boom (500) "
        "(delete of 1 instance: PENDING, delete of 1 holdings record: PENDING, delete of 1 item: FAILED)"
    )


replies = st.builds(
    reply,
    st.sampled_from((200, 201, 204, 207, 400, 404, 409, 422, 429)),
    st.one_of(any_json, st.binary(max_size=50)),
)


@given(replies, st.integers(1, 3), st.booleans())
def test_any_answer_is_decided_or_worth_another_attempt(given_reply: Reply, attempt: int, uncertain: bool) -> None:
    for decision in (
        upsert_decision(given_reply, attempt=attempt),
        delete_decision(given_reply, attempt=attempt, uncertain=uncertain),
    ):
        assert isinstance(decision, Finding | Trouble)
        if isinstance(decision, Finding):
            assert (decision.verdict is Verdict.FAILED) == (decision.code is not None)
    assert proves_batch(given_reply, 2) in (True, False)
    assert batch_message(given_reply) is None or given_reply.json() is not None
