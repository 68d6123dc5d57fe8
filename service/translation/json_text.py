"""Bytes to JSON, once, and without any value changing on the way. Knows nothing of events.

What orjson leaves to choice is settled here: an integer beyond 64 bits is refused (orjson would make it a float and
lose digits), so is a nesting that orjson reads but cannot write. NaN, Infinity, numbers beyond a double, lone
surrogates and a byte order mark are refused by orjson itself. Of two equal keys in one object the last counts, as in
the systems that the service calls.
"""

from __future__ import annotations

import json
from typing import Final, cast

import orjson

from service.domain.jsonvalue import JsonValue

MAX_DEPTH: Final = 200
"""Levels of lists and objects. orjson writes 254; a body adds a few around what came in."""

_WRITTEN_DEPTH: Final = 254

_DIGITS_ALIKE: Final = bytes.maketrans(b"123456789", b"000000000")
_SUSPICIOUS_RUN: Final = b"0" * 19
_INTEGERS: Final = range(-(2**63), 2**64)


class NotJson(Exception):
    """The bytes are not JSON that can be carried on unchanged; the text says why and quotes a number at most."""


def decode_json(raw: bytes) -> JsonValue:
    """The value that the bytes spell. Raises NotJson."""
    try:
        value = cast(JsonValue, orjson.loads(raw))
    except orjson.JSONDecodeError as error:
        raise NotJson(f"not JSON: {error}") from None
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        _refuse_depth(value)
    if _SUSPICIOUS_RUN in raw.translate(_DIGITS_ALIKE):
        json.loads(raw, parse_int=_refuse_beyond_64_bits)
    return value


def _refuse_depth(value: JsonValue) -> None:
    """Writes the value with as many levels around it as orjson writes beyond ours: far quicker than a walk."""
    for _ in range(_WRITTEN_DEPTH - MAX_DEPTH):
        value = [value]
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        raise NotJson(f"nested deeper than {MAX_DEPTH} levels") from None


def _refuse_beyond_64_bits(digits: str) -> int:
    if len(digits) <= 20 and int(digits) in _INTEGERS:
        return 0
    shown = digits if len(digits) <= 24 else f"{digits[:20]}…"
    raise NotJson(f"the integer {shown} does not fit in 64 bits; an id is sent as a string")
