"""What a system said, as one line for people: found in any of the bodies that the systems answer with, bounded, and
without secrets. Pure; owns no meaning of a status.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from service.domain.jsonvalue import JsonObject, JsonValue

MAX_MESSAGE_CHARACTERS: Final = 1000
_MAX_RAW_CHARACTERS: Final = 20_000
_MAX_DEPTH: Final = 8
_MAX_PARTS: Final = 1000
"""Of a body that are looked at for words. An answer may have millions."""

_SECRETS: Final = (
    (re.compile(r"\beyJ[\w-]+(?:\.[\w-]*)*"), "[token]"),
    (re.compile(r"(://)[^/@\s]+@"), r"\1"),
    (
        re.compile(
            r"(?i)\b(x-okapi-token|x-api-key|api[_-]?key|authorization|password|access[_-]?token|folioAccessToken|signature|"
            r"x-amz-[\w-]{1,40})(\"?\s*[=:]\s*\"?)(?:bearer\s+)?[^\s\"&;,]+"
        ),
        r"\1\2[hidden]",
    ),
)
_WHITESPACE: Final = re.compile(r"\s+")


def tidy(text: str) -> str:
    """One line of at most `MAX_MESSAGE_CHARACTERS`, whatever looks like a credential masked."""
    line = _WHITESPACE.sub(" ", text[:_MAX_RAW_CHARACTERS]).strip()
    for pattern, replacement in _SECRETS:
        line = pattern.sub(replacement, line)
    if len(line) <= MAX_MESSAGE_CHARACTERS:
        return line
    return line[: MAX_MESSAGE_CHARACTERS - 1] + "…"


def words_of(status: int, body: bytes, content: JsonValue) -> str:
    """The system's own words in an answer; `content` is the decoded body, None when it is no JSON.

    Understands JSON:API errors (`title`, `detail`), RMB errors (`message`, `parameters`), mod-inventory-update's
    ErrorReport, HoldingsIQ's errors in both casings, gateways' `message`, and plain text. Never empty.
    """
    parts = islice(_sayings(content, 0), _MAX_PARTS) if isinstance(content, Mapping | list) else ()
    text = "; ".join(filter(None, dict.fromkeys(parts))) or body[:_MAX_RAW_CHARACTERS].decode("utf-8", "replace")
    return tidy(text) or f"HTTP {status} without a message"


def _sayings(content: JsonValue, depth: int) -> Iterator[str]:
    """What the parts of a body say, one after the other; nothing, as an empty text, of a part that says nothing."""
    yield ""
    if depth > _MAX_DEPTH:
        return
    if isinstance(content, Mapping):
        yield from _sayings_of_object(content, depth)
    elif isinstance(content, str):
        yield content.strip() and content
    elif isinstance(content, Sequence):
        for entry in content:
            yield from _sayings(entry, depth + 1)


def _sayings_of_object(content: JsonObject, depth: int) -> Iterator[str]:
    match content:
        case {"errors": list() as errors} | {"Errors": list() as errors} if errors:
            yield from _sayings(errors, depth + 1)
        case {"title": str(title), "detail": str(detail)} if detail:
            yield f"{title}: {detail}"
        case {"title": str(title)}:
            yield title
        case {"message": str(message)}:
            yield message + _fields(message, content.get("parameters"))
        case {"Message": str(message)}:
            yield message
        case {"message": (Mapping() | list()) as nested}:
            yield from _sayings(nested, depth + 1)
        case {"errorMessage": str(message)} | {"shortMessage": str(message)} | {"error": str(message)}:
            yield message
        case _:
            pass


def _fields(message: str, parameters: JsonValue) -> str:
    """RMB says in `parameters` which fields a message is about."""
    if not isinstance(parameters, list):
        return ""
    keys = [
        key
        for entry in parameters[:_MAX_PARTS]
        if isinstance(entry, Mapping) and isinstance(key := entry.get("key"), str)
    ]
    told = [key for key in keys if key and key not in message]
    return f" ({', '.join(told)})" if told else ""
