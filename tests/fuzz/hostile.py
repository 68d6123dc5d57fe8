"""Bytes, JSON and headers as no honest sender makes them. Owns no shape of any event or answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import orjson
from hypothesis import strategies as st

ODD_TEXTS: Final = (
    "",
    " ",
    "\x00",
    "\x1f",
    "\u200b",
    "\ufeff",
    "\ufffe",
    "\U0010ffff",
    "é",
    "e\u0301",
    "ﷺ",
    "İ",
    "ß",
    "\u0315\u0300" * 50,
    "x" * 5000,
    "9" * 400,
    "-1",
    "1e999",
    "NaN",
    "null",
    "true",
    "[]",
    "{}",
    "..",
    "/",
    "%2e%2e%2f",
    "a\r\nb: c",
    "*",
    "${jndi:x}",
    "' OR 1=1",
    "2020-02-30",
    "0000-00-00",
    "9999-12-31",
    "1-2-3",
    "0-0-0",
    "١-٢-٣",
    "http://",
    "https://a b",
)
ODD_NUMBERS: Final = (0, -1, 1, 2**31, 2**53 + 1, 2**63, 2**64 - 1, -(2**63), 0.5, -0.0, 1e300, 5e-324)

leaves: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(ODD_NUMBERS),
    st.sampled_from(ODD_TEXTS),
    st.text(max_size=12),
    st.builds(list),
    st.builds(dict),
)


def _deep(levels: int, in_lists: bool) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value] if in_lists else {"a": value}
    return value


json_values: st.SearchStrategy[Any] = st.one_of(
    leaves,
    st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
        max_leaves=12,
    ),
    st.builds(_deep, st.integers(1, 210), st.booleans()),
    st.builds(lambda value, times: [value] * times, leaves, st.sampled_from((20, 1500))),
    st.builds(lambda value, times: {f"k{n}": value for n in range(times)}, leaves, st.sampled_from((20, 1500))),
)


def as_bytes(value: Any) -> bytes:
    """JSON as it is written; what JSON cannot carry is written as orjson's loss of it."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return b"[" * 300 + b"]" * 300


def _truncated(text: bytes, place: float) -> bytes:
    return text[: int(len(text) * place)]


def _with_inserted(text: bytes, place: float, what: bytes) -> bytes:
    at = int(len(text) * place)
    return text[:at] + what + text[at:]


INSERTED: Final = (
    b"\xff",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\\u0000",
    b"NaN",
    b"Infinity",
    b"1e999999",
    b"9" * 30,
    b"9" * 100_000,
    b"-",
    b",",
    b'"',
    b"{",
    b"[" * 2000,
    b"\x00",
    b"\xef\xbb\xbf",
    b'"a":1,"a":2,',
    b"//",
    b"0" * 25,
)


_ENCODED_OTHERWISE: Final[tuple[Callable[[bytes], bytes], ...]] = (
    lambda raw: raw.decode("utf-8", "replace").encode("utf-16"),
    lambda raw: b"\xef\xbb\xbf" + raw,
    lambda raw: raw * 2,
)


@st.composite
def spoilt(draw: st.DrawFn, text: st.SearchStrategy[bytes], one_in: int = 5) -> bytes:
    """The bytes as they are, but one time in `one_in`: then cut short, added to, or encoded otherwise."""
    raw = draw(text)
    if draw(st.integers(1, one_in)) < one_in:
        return raw
    match draw(st.integers(0, 2)):
        case 0:
            return _truncated(raw, draw(st.floats(0, 1)))
        case 1:
            return _with_inserted(raw, draw(st.floats(0, 1)), draw(st.sampled_from(INSERTED)))
        case _:
            return draw(st.sampled_from(_ENCODED_OTHERWISE))(raw)


raw_bytes: st.SearchStrategy[bytes] = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(INSERTED),
    st.sampled_from((b"", b" ", b"\n" * 5000, b"[" * 100_000, b'{"a":' * 50_000, b'"' + b"\\u0041" * 20_000 + b'"')),
    spoilt(json_values.map(as_bytes), one_in=2),
)
