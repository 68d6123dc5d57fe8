"""Telling a story: events become records in structured or binary mode, each with the changes that it must bring about.

Owns the envelope and the order in which the operations of an event appear in its result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import orjson

from service.demo.sample import Change, Expected, JsonObject, Sample, Story, Word
from service.domain.answers import Verdict
from service.domain.codes import Code
from service.domain.operations import EventIdentity
from service.domain.outcomes import UNREAD
from service.domain.record import Headers
from service.engine.ports import Outgoing
from service.sandbox.exchange import JsonValue
from service.sandbox.faults import Fault

DEFAULT_TENANT: Final = "diku"
"""Of events that name none; the relay of the demonstration is set so."""

CHANGED: Final = "holdings.changed"
TRANSFER: Final = "holdings.transfer.requested"
EXPORT: Final = "holdings.export.requested"
TOPICS: Final = {
    CHANGED: "holdings.changes",
    TRANSFER: "holdings.transfer-requests",
    EXPORT: "holdings.export-requests",
}

SUCCEEDED: Final = Verdict.SUCCEEDED
UNCHANGED: Final = Verdict.UNCHANGED

STRUCTURED: Final = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
_EVENT_TIME: Final = "2025-03-14T09:26:53Z"


class Telling:
    """Collects the samples of one story. `key` is the Kafka key of all of them and the stem of their ids."""

    def __init__(
        self, key: str, *, tenant: str | None = None, source: str = "/ils/catalogue", traced: bool = False
    ) -> None:
        self._key = key
        self._tenant = tenant
        self._source = source
        self._traced = traced
        self._samples: list[Sample] = []
        self._faults: list[Fault] = []
        self._seeds: list[JsonObject] = []

    def seed(self, *states: JsonObject) -> None:
        """What the systems hold before the story begins."""
        self._seeds += states

    def disturb(self, fault: Fault) -> None:
        """Arms a fault for the next sample."""
        self._faults.append(replace(fault, name=f"{self._key}: {fault.name}"))

    def changed(
        self,
        title: str,
        *words: Word,
        retried: bool = False,
        binary: bool = False,
        holds: Iterable[JsonObject] | None = None,
        **parts: JsonValue,
    ) -> None:
        """A `holdings.changed` with these parts. `holds` are the inventory operations that hold in the end, where they
        are not the event's own."""
        operations = _operations_of_change(parts)
        self._tell(CHANGED, title, parts, operations, Expected(words or (SUCCEEDED,), retried), binary, holds)

    def transfer(
        self,
        title: str,
        *words: Word,
        institution: str,
        items: Iterable[JsonObject] = (),
        holdings: Iterable[JsonObject] = (),
        inventory: Iterable[JsonObject] | None = None,
        retried: bool = False,
        binary: bool = False,
        **others: JsonValue,
    ) -> None:
        """A `holdings.transfer.requested`; entries are made by `recap`."""
        data: JsonObject = {"institution": institution}
        for name, entries in (("itemTransfers", items), ("holdingTransfers", holdings), ("inventory", inventory)):
            listed: list[JsonValue] = [*(entries or ())]
            if listed:
                data[name] = listed
        data.update(others)
        operations = _operations_of_transfer(institution, [*holdings], [*items], [*(inventory or ())])
        expected = Expected(words or (SUCCEEDED,) * len(operations), retried)
        self._tell(TRANSFER, title, data, operations, expected, binary, None)

    def export(
        self, title: str, word: Word, *, rows: int | None = None, retried: bool = False, **data: JsonValue
    ) -> None:
        """A `holdings.export.requested`, of which so many rows must be published."""
        self._tell(EXPORT, title, data, [], Expected((word,), retried), False, None)
        self._samples[-1] = replace(self._samples[-1], rows=rows)

    def again(self, title: str, *words: Word, changes: bool = True) -> None:
        """The last record once more, byte for byte, as a sender does that is not sure."""
        last = self._samples[-1]
        kept = last.changes if changes else ()
        self._samples.append(
            replace(last, title=title, expected=Expected(words or last.expected.operations), changes=kept, faults=())
        )

    def record(
        self,
        title: str,
        code: Code,
        value: bytes | None,
        *,
        headers: Headers = STRUCTURED,
        topic: str = TOPICS[CHANGED],
        event: EventIdentity = UNREAD,
        tenant: str | None = None,
    ) -> None:
        """A record as it is, which must be refused as a whole with this code."""
        outgoing = Outgoing(topic, self._key.encode(), value, headers)
        self._samples.append(Sample(title, outgoing, Expected((code,)), event, tenant))

    @property
    def next_id(self) -> str:
        """The id of the next event."""
        return f"{self._key}-{len(self._samples) + 1}"

    def end(self) -> Story:
        """The story."""
        return Story(tuple(self._samples), tuple(self._seeds))

    def _tell(
        self,
        event_type: str,
        title: str,
        data: JsonObject,
        operations: list[tuple[str, JsonObject]],
        expected: Expected,
        binary: bool,
        holds: Iterable[JsonObject] | None,
    ) -> None:
        event = EventIdentity(self.next_id, self._source, event_type)
        traceparent = traceparent_of(self.next_id) if self._traced else None
        tenant = self._tenant or DEFAULT_TENANT
        attributes: JsonObject = {
            "specversion": "1.0",
            "id": event.id,
            "source": event.source,
            "type": event.type,
            "time": _EVENT_TIME,
        }
        if self._tenant is not None:
            attributes["tenant"] = self._tenant
        if traceparent is not None:
            attributes["traceparent"] = traceparent
        value, headers = in_binary_mode(attributes, data) if binary else in_structured_mode(attributes, data)
        asked = zip(operations, expected.operations, strict=False)
        changes = [Change(system, tenant, told) for (system, told), word in asked if isinstance(word, Verdict)]
        changes += [Change("inventory", tenant, told) for told in holds or ()]
        outgoing = Outgoing(TOPICS[event_type], self._key.encode(), value, headers)
        faults, self._faults = tuple(self._faults), []
        self._samples.append(Sample(title, outgoing, expected, event, tenant, traceparent, tuple(changes), faults))


def in_structured_mode(attributes: JsonObject, data: JsonObject) -> tuple[bytes, Headers]:
    """The whole event in the value."""
    return orjson.dumps({**attributes, "datacontenttype": "application/json", "data": data}), STRUCTURED


def in_binary_mode(attributes: JsonObject, data: JsonObject) -> tuple[bytes, Headers]:
    """Attributes in `ce_…` headers, data in the value."""
    headers = tuple((f"ce_{name}", str(value).encode()) for name, value in attributes.items())
    return orjson.dumps(data), (*headers, ("content-type", b"application/json"))


def traceparent_of(event_id: str) -> str:
    """W3C trace context that belongs to this event alone."""
    digest = hashlib.sha256(event_id.encode()).hexdigest()
    return f"00-{digest[:32]}-{digest[32:48]}-01"


def _operations_of_change(parts: JsonObject) -> list[tuple[str, JsonObject]]:
    """In the order of the contract: eholdings, then a source before the records that may name it, or after them."""
    source = _object(parts.get("holdingsSource"))
    last = source.get("action") == "delete"
    found = [("eholdings", _object(parts.get("eholdings")))]
    found += [] if last else [("holdings-sources", source)]
    found += [("inventory", _object(parts.get("inventory")))]
    found += [("holdings-sources", source)] if last else []
    return [(system, operation) for system, operation in found if operation]


def _operations_of_transfer(
    institution: str, holdings: list[JsonObject], items: list[JsonObject], inventory: list[JsonObject]
) -> list[tuple[str, JsonObject]]:
    entries = [("transfer-holdings", entry) for entry in holdings] + [("transfer-item", entry) for entry in items]
    told: list[tuple[str, JsonObject]] = [
        ("scsb", {"action": action, "institution": institution, **entry}) for action, entry in entries
    ]
    return told + [("inventory", operation) for operation in inventory]


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}
