"""Records that are nearly events: of either mode, whole or spoilt."""

from __future__ import annotations

import base64
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import orjson
from hypothesis import strategies as st

from service.domain.record import Headers, Partition, Record
from tests.builders.events import TRACEPARENT
from tests.fuzz.hostile import ODD_TEXTS, as_bytes, json_values, raw_bytes, spoilt
from tests.fuzz.mutations import mutated

EXAMPLES: Final = Path(__file__).parents[1] / "examples"
SECRETS: Final = ("Authorization", "cookie", "X-Okapi-Token", "api_key", "x-api-key", "ce_authorization", "Set-Cookie")
HEADER_NAMES: Final = (
    "ce_id",
    "ce_source",
    "ce_type",
    "ce_specversion",
    "ce_tenant",
    "ce_traceparent",
    "CE_ID",
    "ce_",
    "content-type",
    "Content-Type",
    "ce_datacontenttype",
    "note",
    "",
    "ce_x" * 500,
    "ce_\x00",
    "ce_é",
)
HEADER_VALUES: Final = (
    None,
    b"",
    b" ",
    b"\xff",
    b"1.0",
    b"holdings.changed",
    b"application/json",
    b"application/cloudevents+json",
    b"application/cloudevents-batch+json",
    b"application/avro",
    b"text/plain; charset=utf-16",
    b"APPLICATION/JSON;;;",
    b"diku",
    b"../diku",
    b"x" * 5000,
    TRACEPARENT.encode(),
    b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-00",
)


@lru_cache
def examples_of(event_type: str) -> tuple[Any, ...]:
    """The valid events of a type that the repository has."""
    return tuple(orjson.loads(file.read_bytes()) for file in sorted((EXAMPLES / event_type).glob("*.json")))


headers: st.SearchStrategy[Headers] = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(HEADER_NAMES), st.sampled_from(HEADER_VALUES)),
        st.tuples(st.sampled_from(SECRETS), st.just(b"secret-value")),
        st.tuples(st.text(max_size=12), st.none() | st.binary(max_size=12)),
    ),
    max_size=4,
).map(tuple)

keys: st.SearchStrategy[bytes | None] = st.one_of(st.none(), st.just(b""), st.just(b"22-1-2"), st.binary(max_size=20))


_seldom: Final = st.sampled_from((False,) * 4 + (True,))


def _record(value: bytes | None, given: Headers, key: bytes | None) -> Record:
    return Record(Partition("holdings.changes", 3), 42, key, value, given, 1, 1_700_000_000.0)


def _structured(event: Any) -> tuple[bytes, Headers]:
    return as_bytes(event), ()


def _base64(event: Any) -> tuple[bytes, Headers]:
    if not isinstance(event, dict):
        return _structured(event)
    inner = base64.b64encode(as_bytes(event.get("data"))).decode()
    return as_bytes({**{name: value for name, value in event.items() if name != "data"}, "data_base64": inner}), ()


def _binary(event: Any) -> tuple[bytes, Headers]:
    if not isinstance(event, dict):
        return _structured(event)
    attributes = [(f"ce_{name}", str(text).encode()) for name, text in event.items() if name != "data"]
    return as_bytes(event.get("data")), (*attributes, ("content-type", b"application/json"))


@st.composite
def near_events(draw: st.DrawFn, event_type: str) -> Record:
    """A valid example with some changes, in one of the three forms, and now and then more spoilt still."""
    event = draw(mutated(examples_of(event_type), 2 if draw(_seldom) else 0))
    if isinstance(event, dict) and "data" in event:
        event["data"] = draw(mutated((event["data"],)))
    value, own = draw(st.sampled_from((_structured, _structured, _binary, _base64)))(event)
    return _record(draw(spoilt(st.just(value), 10)), own + draw(headers) if draw(_seldom) else own, draw(keys))


@st.composite
def any_data(draw: st.DrawFn) -> Record:
    """A sound envelope around anything."""
    event = {
        "specversion": "1.0",
        "id": draw(st.sampled_from(("e-1", *ODD_TEXTS))),
        "source": "/ils",
        "type": draw(st.sampled_from(("holdings.changed", "holdings.transfer.requested"))),
        "tenant": draw(st.just("diku") | json_values),
        "data": draw(json_values),
    }
    return _record(draw(spoilt(st.just(as_bytes(event)))), draw(headers), draw(keys))


any_records: st.SearchStrategy[Record] = st.builds(_record, st.none() | raw_bytes, headers, keys)
