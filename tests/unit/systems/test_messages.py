"""A system's words: found in every kind of body, on one line, bounded, and without credentials."""

from __future__ import annotations

import time

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.jsonvalue import JsonValue
from service.systems.messages import MAX_MESSAGE_CHARACTERS, tidy, words_of
from tests.unit.systems.anything import any_json

JSON_API: JsonValue = {"errors": [{"title": "Invalid url", "detail": "url is too long"}], "jsonapi": {"version": "1.0"}}
TITLE_ONLY: JsonValue = {"errors": [{"title": "Limit Exceeded"}]}
RMB: JsonValue = {
    "errors": [
        {
            "message": "must not be null",
            "type": "1",
            "parameters": [{"key": "data.attributes.isSelected", "value": "null"}],
        }
    ]
}
REPORT: JsonValue = {
    "category": "VALIDATION",
    "message": {"errors": [{"message": "HRID is missing or empty."}]},
    "shortMessage": "HRID is missing",
    "statusCode": 422,
}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (JSON_API, "Invalid url: url is too long"),
        (TITLE_ONLY, "Limit Exceeded"),
        ({"Errors": [{"Code": 1001, "Message": "Title not found", "SubCode": 0}]}, "Title not found"),
        ({"errors": [{"code": 1003, "message": "Invalid APIKEY", "subcode": 0}]}, "Invalid APIKEY"),
        (RMB, "must not be null (data.attributes.isSelected)"),
        (REPORT, "HRID is missing or empty."),
        ({"message": "No suitable module found"}, "No suitable module found"),
        ({"errorMessage": "down"}, "down"),
        ({"errors": [{"title": "a"}, {"title": "b"}, {"title": "a"}]}, "a; b"),
        ({"shortMessage": "Fetching from storage failed."}, "Fetching from storage failed."),
    ],
)
def test_words_are_found_in_every_kind_of_error(content: JsonValue, words: str) -> None:
    assert words_of(422, orjson.dumps(content), content) == words


def test_plain_text_is_put_on_one_line() -> None:
    assert words_of(400, b"Bad Request:\n\t reason \r\n", None) == "Bad Request: reason"


def test_an_answer_without_words_is_told_by_its_status() -> None:
    assert words_of(502, b"", None) == "HTTP 502 without a message"


def test_long_words_are_cut() -> None:
    text = words_of(500, b"x" * 50_000, None)

    assert len(text) == MAX_MESSAGE_CHARACTERS
    assert text.endswith("…")


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.abc-_1 refused", "token [token] refused"),
        ("at http://user:secret@proxy:3128/ now", "at http://proxy:3128/ now"),
        ("api_key: abc123 rejected", "api_key: [hidden] rejected"),
        ('{"password":"hunter2","x":1}', '{"password":"[hidden]","x":1}'),
        ("Authorization: Bearer abc.def", "Authorization: [hidden]"),
        ("https://s3/x?X-Amz-Signature=aaa&X-Amz-Date=1", "https://s3/x?X-Amz-Signature=[hidden]&X-Amz-Date=[hidden]"),
        ("folioAccessToken=abc; Path=/", "folioAccessToken=[hidden]; Path=/"),
        ("Invalid token: Access token has expired", "Invalid token: Access token has expired"),
        ("wrong.username.or.wrong.password.or.account.blocked", "wrong.username.or.wrong.password.or.account.blocked"),
    ],
)
def test_what_looks_like_a_credential_is_masked(text: str, safe: str) -> None:
    assert tidy(text) == safe


@given(any_json, st.binary(max_size=200))
def test_any_answer_has_words(content: JsonValue, body: bytes) -> None:
    words = words_of(500, body, content)

    assert 0 < len(words) <= MAX_MESSAGE_CHARACTERS
    assert "\n" not in words


@pytest.mark.timeout(10)
@pytest.mark.parametrize("text", ["eyJ-" * 5000, "x-amz-" * 3300, "://" * 6600, "eyJ." * 5000])
def test_what_nearly_looks_like_a_credential_takes_no_time_to_speak_of(text: str) -> None:
    began = time.thread_time()
    tidy(text)
    assert time.thread_time() - began < 0.2


@pytest.mark.parametrize(
    "content", [{"errors": [{}] * 1_000_000}, [[["x"] * 1000] * 1000], {"errors": ["x"] * 100_000}]
)
def test_of_an_answer_of_millions_of_parts_the_first_are_looked_at(content: JsonValue) -> None:
    began = time.thread_time()
    assert words_of(500, b"", content)
    assert time.thread_time() - began < 0.2
