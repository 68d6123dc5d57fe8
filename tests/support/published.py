"""Holds what the relay publishes to the JSON Schemas that it prints."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol

import orjson
from jsonschema import Draft202012Validator, FormatChecker

from service.asyncapi.catalogue import dead_letter_headers, event_schema, event_types
from service.domain.record import Headers


class Sent(Protocol):
    """A record, on its way out or read back."""

    @property
    def value(self) -> bytes | None: ...

    @property
    def headers(self) -> Headers: ...


@cache
def validator(event_type: str) -> Draft202012Validator:
    """Of the `data` of an event type."""
    [found] = [known for known in event_types() if known.name == event_type]
    return Draft202012Validator(found.data, format_checker=FormatChecker())


@cache
def _envelope(event_type: str) -> Draft202012Validator:
    [found] = [known for known in event_types() if known.name == event_type]
    schema = event_schema(found)
    schema["properties"] = schema["properties"] | {"data": True}
    return Draft202012Validator(schema, format_checker=FormatChecker())


@cache
def _letter() -> Draft202012Validator:
    return Draft202012Validator(dead_letter_headers())


def assert_event_as_published(record: Sent) -> dict[str, Any]:
    """The event in a record out, which must be as its schema says, in structured mode."""
    event: dict[str, Any] = orjson.loads(record.value or b"null")
    kind = event["type"]
    _envelope(kind).validate(event)
    validator(kind).validate(event["data"])
    assert ("content-type", b"application/cloudevents+json; charset=UTF-8") in [tuple(pair) for pair in record.headers]
    return event


def assert_letter_as_published(record: Sent) -> None:
    """The headers of a dead letter must be as their schema says; its own, behind those of the record in."""
    _letter().validate({name: (value or b"").decode() for name, value in record.headers if name.startswith("relay-")})


def assert_as_published(events: Sequence[Sent], letters: Sequence[Sent]) -> None:
    """All of them."""
    for record in events:
        assert_event_as_published(record)
    for record in letters:
        assert_letter_as_published(record)
