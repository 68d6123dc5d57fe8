"""The `processing` instructions of a request: what to keep of stored records, and what not to delete.

Owns their reading as the module reads them: unknown keys mean nothing, texts and booleans are taken alike. Must not
apply them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import orjson

from service.sandbox.exchange import JsonValue
from service.sandbox.inventory.records import Planned
from service.sandbox.inventory.refusals import NoAnswer
from service.sandbox.inventory.schemas import Entity
from service.sandbox.inventory.shapes import JsonObject, object_of, objects_of, text_of

CIRCULATING: Final = frozenset(
    (
        "Awaiting delivery",
        "Awaiting pickup",
        "Checked out",
        "Aged to lost",
        "Claimed returned",
        "Declared lost",
        "Paged",
        "In transit",
    )
)
"""Items in these statuses are never deleted."""

PO_LINE_REFERENCE: Final = "PO_LINE_REFERENCE"
ITEM_STATUS: Final = "ITEM_STATUS"
PATTERN_MATCHES: Final = {
    Entity.HOLDINGS_RECORD: "HOLDINGS_RECORD_PATTERN_MATCH",
    Entity.ITEM: "ITEM_PATTERN_MATCH",
}
_KEYS: Final = {Entity.INSTANCE: "instance", Entity.HOLDINGS_RECORD: "holdingsRecord", Entity.ITEM: "item"}


@dataclass(frozen=True, slots=True)
class Instructions:
    """What `processing` says about one kind of record."""

    keeps_omitted_values: bool = False
    kept_properties: tuple[str, ...] = ()
    field: str = "~"
    pattern: str = "~"
    status_policy: str = ""
    listed_statuses: frozenset[str] | None = None
    codings: tuple[JsonObject, ...] = ()

    def protects(self, record: JsonObject) -> bool:
        """Whether the record's field matches the pattern in full (`retainOmittedRecord`, `blockDeletion`)."""
        value = record.get(self.field)
        if value is None:
            return False
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        try:
            return re.fullmatch(self.pattern, text) is not None
        except re.error:
            # The module compiles the pattern where nothing catches it.
            raise NoAnswer from None

    def keeps_status(self, stored_name: str | None) -> bool:
        """Whether an item keeps its stored status; without a policy it never does."""
        listed = self.listed_statuses is None or stored_name in self.listed_statuses
        match self.status_policy:
            case "retain":
                return listed
            case "overwrite":
                return self.listed_statuses is not None and not listed
            case _:
                return False

    def code_for(self, constraint: str) -> str | None:
        """The statistical code to set on a record that is kept because of this constraint."""
        for coding in self.codings:
            cause = str(coding.get("becauseOf", "")).lower()
            if str(coding.get("if", "")).lower() == "deleteskipped" and cause == constraint.lower():
                return text_of(coding.get("setCode"))
        return None


_NOTHING: Final = Instructions()


class Processing:
    """Instructions of one request for instances, holdings records and items."""

    def __init__(self, processing: JsonValue) -> None:
        given = object_of(processing)
        self._by_entity = {
            entity: _read(object_of(given[key])) if given.get(key) else _NOTHING for entity, key in _KEYS.items()
        }

    def of(self, entity: Entity) -> Instructions:
        """The instructions for one kind of record."""
        return self._by_entity[entity]

    def protect(self, planned: Planned, constraint: str) -> None:
        """Keeps a record that was to be deleted, and notes the code that marks it."""
        planned.constraints.append(constraint)
        code = self._by_entity[planned.entity].code_for(constraint)
        if code:
            planned.codes.append(code)


def _read(given: JsonObject) -> Instructions:
    values = object_of(given.get("retainExistingValues"))
    properties = values.get("forTheseProperties")
    retention = object_of(given["blockDeletion"] if "blockDeletion" in given else given.get("retainOmittedRecord"))
    status = object_of(given.get("status"))
    listed = status.get("ifStatusWas")
    return Instructions(
        keeps_omitted_values=str(values.get("forOmittedProperties")).lower() == "true",
        kept_properties=tuple(str(name) for name in properties) if isinstance(properties, list) else (),
        field=text_of(retention.get("ifField")) or "~",
        pattern=text_of(retention.get("matchesPattern")) or "~",
        status_policy=str(status.get("policy", "")).lower(),
        listed_statuses=frozenset(str(entry.get("name")) for entry in objects_of(listed))
        if "ifStatusWas" in status
        else None,
        codings=tuple(objects_of(given.get("statisticalCoding"))),
    )
