"""JSON is read without any value changing on the way, or it is refused."""

from __future__ import annotations

import contextlib
import json
import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.translation.json_text import MAX_DEPTH, NotJson, decode_json
from tests.builders.events import JSON


@given(JSON)
def test_what_python_writes_is_read_back_unchanged(value: Any) -> None:
    assert decode_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize("number", [2**63 - 1, 2**63, 2**64 - 1, -(2**63), 1234567890123456789, 10**18, -(10**18)])
def test_an_integer_within_64_bits_is_exact(number: int) -> None:
    assert decode_json(b'{"n": %d}' % number) == {"n": number}


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**30, -(10**30), 10**19 * 9])
def test_an_integer_beyond_64_bits_is_refused_because_it_would_lose_digits(number: int) -> None:
    with pytest.raises(NotJson, match=r"the integer -?[0-9]+…? does not fit in 64 bits; an id is sent as a string"):
        decode_json(b'{"a": [{"n": %d}]}' % number)


def test_a_very_long_integer_is_refused_without_being_quoted_whole() -> None:
    with pytest.raises(NotJson) as refused:
        decode_json(b"[%s]" % (b"9" * 100_000))
    assert len(str(refused.value)) < 120


def test_long_digits_inside_a_text_are_no_number() -> None:
    barcode = "3" * 40
    assert decode_json(b'{"barcode": "%s"}' % barcode.encode()) == {"barcode": barcode}


def test_long_digits_behind_a_decimal_point_are_a_double() -> None:
    assert decode_json(b"0.1234567890123456789012") == 0.1234567890123456789012


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"1e400",
        b"[1,]",
        b"{'a': 1}",
        b"01",
        b"// x\n{}",
        b'"a\nb"',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        b"{} {}",
        b"{",
    ],
)
def test_what_is_not_json_is_refused(text: bytes) -> None:
    with pytest.raises(NotJson, match="not JSON"):
        decode_json(text)


def test_a_surrogate_pair_is_one_character() -> None:
    assert decode_json(b'"\\ud83d\\ude00"') == "\U0001f600"


def test_of_two_equal_keys_the_last_counts() -> None:
    assert decode_json(b'{"a": 1, "a": 2}') == {"a": 2}


def test_a_tiny_number_becomes_zero_as_in_every_double() -> None:
    assert decode_json(b"1e-400") == 0.0
    assert math.copysign(1, float(str(decode_json(b"-0.0")))) == -1


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_nesting_is_taken_as_deep_as_it_can_be_written_again(opening: bytes, closing: bytes) -> None:
    def nested(depth: int) -> bytes:
        return opening * (depth - 1) + b"[1]" + closing * (depth - 1)

    assert orjson.dumps([[[decode_json(nested(MAX_DEPTH))]]])
    for depth in (MAX_DEPTH + 1, 900, 100_000):
        with pytest.raises(NotJson):
            decode_json(nested(depth))


def test_many_brackets_side_by_side_are_not_deep() -> None:
    flat: Any = [[{}] for _ in range(MAX_DEPTH * 3)]
    assert decode_json(orjson.dumps(flat)) == flat


def test_brackets_inside_a_text_are_not_deep() -> None:
    assert decode_json(b'"%s"' % (b"[{" * 1000)) == "[{" * 1000


@given(st.binary())
def test_any_bytes_are_json_or_refused(raw: bytes) -> None:
    with contextlib.suppress(NotJson):
        assert orjson.dumps(decode_json(raw))
