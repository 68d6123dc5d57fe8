"""The ledger: order, bounds, and that no secret gets into it."""

from __future__ import annotations

import pytest

from service.sandbox.exchange import Call
from service.sandbox.ledger import Ledger


def call(path: str = "/x", body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()) -> Call:
    return Call("PUT", path, {}, headers, body, "diku")


@pytest.mark.parametrize(
    "name", ["Authorization", "Cookie", "X-Okapi-Token", "x-okapi-token", "api_key", "api-key", "X-API-Key"]
)
def test_secret_headers_are_masked_and_others_kept_as_they_were_sent(name: str) -> None:
    entry = Ledger().open("scsb", call(headers=((name, "secret"), ("traceparent", "00-1"), ("X_Odd", "v"))))

    assert entry.to_json()["headers"] == [[name, "***"], ["traceparent", "00-1"], ["X_Odd", "v"]]
    assert entry.to_json()["traceparent"] == "00-1"


def test_what_signs_a_link_is_masked_and_the_rest_of_its_query_kept() -> None:
    query = {"X-Amz-Signature": "secret", "X-Amz-Security-Token": "secret", "X-Amz-Credential": "secret", "page": "2"}
    entry = Ledger().open("holdingsiq", Call("GET", "/s3/x", query))

    masked = {"X-Amz-Signature": "***", "X-Amz-Security-Token": "***", "X-Amz-Credential": "***", "page": "2"}
    assert entry.to_json()["query"] == masked
    assert entry.call.query == masked


def test_the_password_of_a_login_is_masked() -> None:
    entry = Ledger().open("login", call(body=b'{"username": "relay", "password": "secret"}'))

    assert entry.body == {"username": "relay", "password": "***"}
    assert b"secret" not in entry.call.body


def test_a_login_that_is_no_json_is_masked_whole() -> None:
    assert Ledger().open("login", call(body=b'{"password": "secret')).body == "***"


@pytest.mark.parametrize(("body", "shown"), [(b'{"a":1}', {"a": 1}), (b"<x>", "<x>"), (b"", None)])
def test_a_body_is_shown_as_json_or_as_text(body: bytes, shown: object) -> None:
    assert Ledger().open("eholdings", call(body=body)).body == shown


def test_a_running_call_has_no_status_and_no_end() -> None:
    ledger = Ledger()
    entry = ledger.open("eholdings", call())
    assert (entry.status, entry.finished_at) == (None, None)

    ledger.close(entry, 200)

    assert entry.status == 200
    assert entry.finished_at is not None
    assert entry.finished_at >= entry.started_at


def test_entries_are_selected_by_system_number_and_limit() -> None:
    ledger = Ledger()
    for number in range(6):
        ledger.open("scsb" if number % 2 else "eholdings", call(f"/{number}"))

    assert [entry.seq for entry in ledger.entries(after=3)] == [4, 5, 6]
    assert [entry.seq for entry in ledger.entries(system="scsb", limit=2)] == [2, 4]
    assert ledger.counts == {"eholdings": 3, "scsb": 3}


def test_the_oldest_entries_go_first_and_numbers_and_counts_go_on() -> None:
    ledger = Ledger(max_entries=2)
    for number in range(5):
        ledger.open("scsb", call(f"/{number}"))

    assert [entry.path for entry in ledger] == ["/3", "/4"]
    assert [entry.seq for entry in ledger.entries(after=4)] == [5]
    assert (ledger.last_seq, ledger.counts) == (5, {"scsb": 5})


def test_the_bytes_of_the_bodies_are_bounded_too() -> None:
    ledger = Ledger(max_body_bytes=25)
    for number in range(4):
        ledger.open("scsb", call(f"/{number}", body=b"0123456789"))

    assert [entry.path for entry in ledger] == ["/2", "/3"]


def test_numbers_go_on_after_the_ledger_was_cleared() -> None:
    ledger = Ledger()
    ledger.open("scsb", call())
    ledger.clear()

    assert ledger.open("scsb", call()).seq == 2
    assert [entry.seq for entry in ledger.entries(after=1)] == [2]
    assert ledger.counts == {"scsb": 1}


def test_entities_are_asked_of_the_system() -> None:
    entry = Ledger().open("eholdings", call("/a"), lambda seen: (seen.path,))

    assert entry.to_json()["entities"] == ["/a"]
