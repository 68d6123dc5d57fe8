"""A dead letter is the record in, byte for byte, and why it failed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.answers import failed
from service.domain.codes import Code
from service.domain.operations import Asked
from service.domain.outcomes import Outcome, Rejection
from service.domain.record import Headers
from service.engine.rejecting import reject
from service.kafka.records_out import dead_letter, is_secret, without_secrets
from tests.builders.outcomes import NOT_ATTEMPTED, OK, REFUSED, operation, outcome, record

SECRET_HEADERS = [
    "authorization",
    "Authorization",
    "Proxy-Authorization",
    "X-Authorization",
    "cookie",
    "Set-Cookie",
    "x-okapi-token",
    "X-Okapi-Token",
    "X-Okapi-Refresh-Token",
    "folioAccessToken",
    "api_key",
    "api-key",
    "apikey",
    "x-api-key",
    "X-API-KEY",
    "password",
    "db.password",
    "client_secret",
    "session-token",
    "ce_authorization",
    "ce_token",
    " authorization ",
    "credentials",
]
OTHER_HEADERS = [
    "content-type",
    "ce_id",
    "ce_type",
    "traceparent",
    "x-okapi-tenant",
    "x-okapi-url",
    "x-request-id",
    "keys",
    "tokens-left",
    "authorized-by",
    "cookies-accepted",
    "",
]


def failure(headers: Headers = (), key: bytes | None = b"k", value: bytes | None = b"v") -> Outcome:
    return outcome(operation(REFUSED, attempts=3), of=record(key=key, value=value, headers=headers))


BYTES = st.none() | st.binary(max_size=40)
HEADERS = st.lists(st.tuples(st.sampled_from(SECRET_HEADERS + OTHER_HEADERS), BYTES), max_size=12)


@given(BYTES, BYTES, HEADERS)
def test_key_value_and_headers_are_kept_byte_for_byte_and_in_order_less_the_secrets(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    letter = dead_letter(failure(tuple(headers), key, value))

    assert (letter.topic, letter.key, letter.value) == ("holdings.dead-letters", key, value)
    told = [header for header in letter.headers if header[0].startswith("relay-")]
    kept = [header for header in headers if header[0] in OTHER_HEADERS]
    assert list(letter.headers) == kept + told


@pytest.mark.parametrize("name", SECRET_HEADERS)
def test_a_header_is_a_secret(name: str) -> None:
    assert is_secret(name)
    assert without_secrets(((name, b"hush"), ("content-type", b"x"))) == (("content-type", b"x"),)


@pytest.mark.parametrize("name", OTHER_HEADERS)
def test_a_header_is_no_secret(name: str) -> None:
    assert not is_secret(name)


def test_headers_say_why_and_where_it_failed() -> None:
    assert dict(dead_letter(failure()).headers) == {
        "relay-code": b"refused",
        "relay-message": b"Start date must precede end date",
        "relay-system": b"eholdings",
        "relay-status": b"422",
        "relay-attempts": b"3",
        "relay-topic": b"holdings.changes",
        "relay-partition": b"3",
        "relay-offset": b"42",
        "relay-failed-at": b"2023-11-14T22:13:21.250Z",
    }


def test_headers_tell_of_the_first_operation_that_failed_by_itself() -> None:
    transfer = operation(failed(Code.UNAVAILABLE, None, "no answer"), Asked("scsb", "transfer-item", "1"), attempts=8)

    headers = dict(dead_letter(outcome(operation(OK), operation(NOT_ATTEMPTED), transfer, operation(REFUSED))).headers)

    assert (headers["relay-code"], headers["relay-system"], headers["relay-attempts"]) == (
        b"unavailable",
        b"scsb",
        b"8",
    )
    assert "relay-status" not in headers, "there was none"


def test_a_record_that_cannot_be_read_has_a_dead_letter_without_a_system() -> None:
    subject = reject(record(value=b"\xff\xfe", headers=(("x", b"\x00"),)), Rejection(Code.UNREADABLE, "no JSON"))

    letter = dead_letter(subject)

    assert letter.value == b"\xff\xfe"
    assert letter.headers[0] == ("x", b"\x00")
    assert dict(letter.headers)["relay-code"] == b"unreadable"
    assert "relay-system" not in dict(letter.headers)


def test_a_message_in_any_language_is_utf_8() -> None:
    subject = outcome(operation(failed(Code.REFUSED, 422, "Ungültig: 日本")))

    assert dict(dead_letter(subject).headers)["relay-message"] == "Ungültig: 日本".encode()


def test_headers_of_an_earlier_dead_letter_stay_and_the_new_ones_come_behind_them() -> None:
    letter = dead_letter(failure((("relay-code", b"unavailable"),)))

    assert [value for name, value in letter.headers if name == "relay-code"] == [b"unavailable", b"refused"]


def test_there_is_no_dead_letter_without_a_failure() -> None:
    with pytest.raises(ValueError, match="needs a failure"):
        dead_letter(outcome(operation(OK)))
