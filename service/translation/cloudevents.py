"""A record's bytes to the event in it: CloudEvents 1.0 over Kafka, JSON, structured and binary mode.

Owns the envelope. What `data` must look like is the models' business.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Set
from typing import Final, NamedTuple, TypeAlias

from service.domain.codes import Code
from service.domain.events.objections import FAULT_LIMIT, kind_of, shown
from service.domain.jsonvalue import JsonObject, JsonValue
from service.domain.operations import EventIdentity
from service.domain.outcomes import Fault, Rejection
from service.domain.record import Headers, Record
from service.translation.json_text import NotJson, decode_json

_REQUIRED: Final = ("id", "source", "type", "specversion")
_FAULTS_IN_WORDS: Final = 10
"""Of the faults of an envelope, which the message repeats. A record may have many thousands of headers."""
_HEADER_PREFIX: Final = "ce_"
_CONTENT_TYPE: Final = "content-type"
_TENANT: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_TRACEPARENT: Final = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})"
    r"-(?P<known>(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})"
    r"(?P<more>-.*)?",
    re.DOTALL,
)

TENANT_RULE: Final = "must be a string of 1 to 100 letters, digits, underscores, dots and hyphens"


class Envelope(NamedTuple):
    """An event that could be read. `data` is None where there is none; `faults` are those of extension attributes."""

    event: EventIdentity
    tenant: str | None
    traceparent: str | None
    data: JsonValue
    faults: tuple[Fault, ...] = ()


class _Read(NamedTuple):
    """Attributes and data as one of the modes yields them, with what is wrong about their form."""

    attributes: JsonObject
    data: JsonValue
    faults: tuple[Fault, ...]


_Reading: TypeAlias = tuple[JsonValue, tuple[Fault, ...]]


def decode(record: Record, max_bytes: int) -> Envelope | Rejection:
    """The event in a record. Rejects as too large (then nothing is parsed) or as unreadable, naming every fault of
    the envelope.

    Such a rejection has no identity: what cannot be read has none to rely on.
    """
    if record.value is None:
        return Rejection(Code.UNREADABLE, "no value")
    if len(record.value) > max_bytes:
        return Rejection(Code.TOO_LARGE, f"the value has {len(record.value)} bytes; at most {max_bytes} are taken")
    headers, header_faults = _texts(record.headers)
    read = _read(record.value, headers)
    if isinstance(read, Fault):
        return _unreadable((*header_faults, read))
    faults = (*header_faults, *read.faults)
    faults += tuple(_envelope_faults(read.attributes, {fault.path for fault in faults} if faults else frozenset()))
    if faults:
        return _unreadable(faults)
    attributes = read.attributes
    tenant = attributes.get("tenant")
    safe = tenant is None or (isinstance(tenant, str) and _TENANT.fullmatch(tenant) is not None)
    return Envelope(
        EventIdentity(str(attributes["id"]), str(attributes["source"]), str(attributes["type"])),
        tenant if safe and isinstance(tenant, str) else None,
        _traceparent(attributes.get("traceparent")),
        read.data,
        () if safe else (Fault("tenant", TENANT_RULE),),
    )


def _texts(headers: Headers) -> tuple[dict[str, str], list[Fault]]:
    """The headers that CloudEvents uses, names in lower case, and what is wrong with them."""
    texts: dict[str, str] = {}
    faults: list[Fault] = []
    for place, (name, value) in enumerate(headers):
        if len(faults) >= FAULT_LIMIT:
            faults.append(Fault("", f"and {len(headers) - place} more headers, which were not looked at"))
            break
        key = name.lower()
        if key != _CONTENT_TYPE and not key.startswith(_HEADER_PREFIX):
            continue
        if value is None:
            faults.append(Fault(_attribute_of(key), f"header {shown(key)} has no value"))
            continue
        try:
            text = value.decode()
        except UnicodeDecodeError:
            faults.append(Fault(_attribute_of(key), f"header {shown(key)} is not UTF-8"))
            continue
        if texts.setdefault(key, text) != text:
            faults.append(
                Fault(_attribute_of(key), f"header {shown(key)} is there more than once, with different values")
            )
    return texts, faults


def _attribute_of(header: str) -> str:
    return "datacontenttype" if header == _CONTENT_TYPE else shown(header.removeprefix(_HEADER_PREFIX))


def _read(value: bytes, headers: Mapping[str, str]) -> _Read | Fault:
    media_type = _media_type(headers.get(_CONTENT_TYPE))
    if media_type is not None and media_type.startswith("application/cloudevents"):
        if media_type != "application/cloudevents+json":
            return Fault("datacontenttype", f"{shown(media_type)} is not taken; application/cloudevents+json is")
        return _read_structured(value)
    attributes = {
        name.removeprefix(_HEADER_PREFIX): text for name, text in headers.items() if name.startswith(_HEADER_PREFIX)
    }
    return _read_binary(value, attributes, media_type) if attributes else _read_structured(value)


def _read_structured(value: bytes) -> _Read | Fault:
    try:
        event = decode_json(value)
    except NotJson as reason:
        return Fault("", str(reason))
    if not isinstance(event, dict):
        return Fault("", f"must be an object, not {kind_of(event)}")
    data, faults = _structured_data(event)
    content_type = event.get("datacontenttype")
    if content_type is not None and not (isinstance(content_type, str) and _is_json(_media_type(content_type))):
        faults = (*faults, Fault("datacontenttype", "must be application/json"))
    return _Read(event, data, faults)


def _structured_data(event: JsonObject) -> _Reading:
    encoded = event.get("data_base64")
    if encoded is None:
        return event.get("data"), ()
    if event.get("data") is not None:
        return None, (Fault("data_base64", "stands in place of data; give one of them"),)
    if not isinstance(encoded, str):
        return None, (Fault("data_base64", f"must be a string, not {kind_of(encoded)}"),)
    try:
        return decode_json(base64.b64decode(encoded, validate=True)), ()
    except (binascii.Error, ValueError):
        return None, (Fault("data_base64", "is not base64"),)
    except NotJson as reason:
        return None, (Fault("data_base64", str(reason)),)


def _read_binary(value: bytes, attributes: JsonObject, media_type: str | None) -> _Read:
    if not _is_json(media_type):
        return _Read(
            attributes,
            None,
            (Fault("datacontenttype", f"{shown(media_type or '')} is not taken; application/json is"),),
        )
    try:
        return _Read(attributes, decode_json(value), ())
    except NotJson as reason:
        return _Read(attributes, None, (Fault("data", str(reason)),))


def _envelope_faults(attributes: JsonObject, spoken_of: Set[str]) -> list[Fault]:
    faults = []
    for name in _REQUIRED:
        if name in spoken_of:
            continue
        text = attributes.get(name)
        if text is None:
            faults.append(Fault(name, "is required"))
        elif not isinstance(text, str):
            faults.append(Fault(name, f"must be a string, not {kind_of(text)}"))
        elif not text.strip():
            faults.append(Fault(name, "must not be blank"))
        elif name == "specversion" and text != "1.0":
            faults.append(Fault(name, "must be 1.0"))
    return faults


def _unreadable(faults: tuple[Fault, ...]) -> Rejection:
    told = [f"{fault.path}: {fault.message}" if fault.path else fault.message for fault in faults[:_FAULTS_IN_WORDS]]
    if len(faults) > _FAULTS_IN_WORDS:
        told.append(f"and {len(faults) - _FAULTS_IN_WORDS} more")
    return Rejection(Code.UNREADABLE, f"not a CloudEvent: {'; '.join(told)}", faults=faults)


def _traceparent(text: JsonValue) -> str | None:
    """W3C Trace Context: what is invalid is dropped; what a later version adds is left out, and version 00 goes on."""
    found = _TRACEPARENT.fullmatch(text) if isinstance(text, str) else None
    if found is None or (found["version"] == "00" and found["more"] is not None):
        return None
    return f"00-{found['known']}"


def _media_type(content_type: str | None) -> str | None:
    return None if content_type is None else content_type.partition(";")[0].strip().lower()


def _is_json(media_type: str | None) -> bool:
    return media_type is None or media_type == "application/json" or media_type.endswith("+json")
