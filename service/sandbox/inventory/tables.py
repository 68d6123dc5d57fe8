"""The tables of one tenant: rows by id, by HRID and by parent, without scans.

Owns the indexes and nothing else: what may be written is decided before (see storage).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from service.sandbox.cql import matcher
from service.sandbox.exchange import JsonValue
from service.sandbox.inventory.shapes import JsonObject, text_of
from service.sandbox.storage_text import fold


@dataclass(slots=True)
class Row:
    """A stored record as it was written, without `_version` and without what storage computes. `record` is never
    changed in place. Times are seconds since the epoch.
    """

    record: JsonObject
    version: int = 1
    created_seconds: float = field(default_factory=time.time)
    updated_seconds: float = 0.0
    status_seconds: float = 0.0

    def __post_init__(self) -> None:
        self.updated_seconds = self.updated_seconds or self.created_seconds
        self.status_seconds = self.status_seconds or self.created_seconds

    @property
    def id(self) -> str:
        """The record's UUID."""
        return str(self.record["id"])

    @property
    def hrid(self) -> str:
        """The record's HRID; storage mints one where none was sent, so there always is one."""
        return str(self.record["hrid"])


class Table:
    """Rows of one entity. `parent` is the property with the id of the row above, None for instances."""

    def __init__(self, parent: str | None) -> None:
        self._parent = parent
        self._rows: dict[str, Row] = {}
        self._ids_by_folded_hrid: dict[str, str] = {}
        # Inner dictionaries are ordered sets: children come back in the order in which they arrived.
        self._ids_by_parent: dict[str, dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self) -> Iterator[Row]:
        """All rows in order of creation."""
        return iter(self._rows.values())

    def get(self, record_id: str) -> Row | None:
        """The row of this id."""
        return self._rows.get(record_id)

    def with_hrid(self, hrid: str) -> Row | None:
        """The row of exactly this HRID. None too where a quote or a backslash breaks the module's query."""
        if '"' in hrid or "\\" in hrid:
            return None
        record_id = self._ids_by_folded_hrid.get(fold(hrid))
        if record_id is None:
            return None
        row = self._rows[record_id]
        return row if row.record["hrid"] == hrid else None

    def first_asked_for(self, hrid: str) -> Row | None:
        """The first row that a query for this HRID finds: case and accents do not count, `*` and `?` stand for any text
        and any character.

        DELETE and fetch take what it gives; the upsert compares again and so asks `with_hrid`.
        """
        if '"' in hrid or "\\" in hrid:
            return None
        if "*" in hrid or "?" in hrid:
            accepts = matcher(hrid)
            return next((row for row in self._rows.values() if accepts(row.hrid)), None)
        record_id = self._ids_by_folded_hrid.get(fold(hrid))
        return self._rows[record_id] if record_id is not None else None

    def holder(self, hrid: str) -> str | None:
        """Id of the row whose HRID storage takes for the same: case and accents do not count."""
        return self._ids_by_folded_hrid.get(fold(hrid))

    def below(self, parent_id: str) -> list[Row]:
        """The rows below this parent."""
        return [self._rows[record_id] for record_id in self._ids_by_parent.get(parent_id, ())]

    def put(self, row: Row) -> None:
        """Inserts the row or replaces the one of its id."""
        record_id = row.id
        previous = self._rows.get(record_id)
        self._rows[record_id] = row
        if previous is not None:
            if previous.hrid == row.hrid and self._parent_of(previous) == self._parent_of(row):
                return
            self._unindex(previous)
        self._ids_by_folded_hrid[fold(row.hrid)] = record_id
        if self._parent is not None:
            self._ids_by_parent.setdefault(str(row.record[self._parent]), {})[record_id] = None

    def remove(self, record_id: str) -> Row | None:
        """Removes and gives back the row; None when there is none."""
        row = self._rows.pop(record_id, None)
        if row is not None:
            self._unindex(row)
        return row

    def _parent_of(self, row: Row) -> JsonValue:
        return row.record[self._parent] if self._parent is not None else None

    def _unindex(self, row: Row) -> None:
        self._ids_by_folded_hrid.pop(fold(row.hrid), None)
        if self._parent is not None:
            parent_id = str(row.record[self._parent])
            siblings = self._ids_by_parent[parent_id]
            del siblings[row.id]
            if not siblings:
                del self._ids_by_parent[parent_id]


@dataclass(frozen=True, slots=True)
class Link:
    """A stored relation between two instances: child and parent, or succeeding and preceding title."""

    id: str
    lower: str
    upper: str
    type_id: str | None

    @property
    def key(self) -> tuple[str, str, str | None]:
        """What makes a relation the same one."""
        return (self.lower, self.upper, self.type_id)


class Links:
    """Relations of one entity. `lower` is the child or succeeding title, `upper` the parent or preceding title."""

    def __init__(self, lower_name: str, upper_name: str, *, typed: bool) -> None:
        self.lower_name = lower_name
        self.upper_name = upper_name
        self.typed = typed
        self._by_key: dict[tuple[str, str, str | None], Link] = {}
        self._keys_by_instance: dict[str, dict[tuple[str, str, str | None], None]] = {}

    def of(self, instance_id: str) -> list[Link]:
        """All relations in which the instance takes part, either way round."""
        return [self._by_key[key] for key in self._keys_by_instance.get(instance_id, ())]

    def has(self, key: tuple[str, str, str | None]) -> bool:
        """Whether this very relation is stored."""
        return key in self._by_key

    def put(self, link: Link) -> None:
        """Stores a relation."""
        self._by_key[link.key] = link
        for instance_id in (link.lower, link.upper):
            self._keys_by_instance.setdefault(instance_id, {})[link.key] = None

    def remove(self, key: tuple[str, str, str | None]) -> bool:
        """Removes a relation; False when it is not stored."""
        link = self._by_key.pop(key, None)
        if link is None:
            return False
        for instance_id in {link.lower, link.upper}:
            keys = self._keys_by_instance[instance_id]
            del keys[key]
            if not keys:
                del self._keys_by_instance[instance_id]
        return True

    def as_record(self, link: Link) -> JsonObject:
        """The relation as storage spells it, with its id."""
        record = self.record_of(link.lower, link.upper, link.type_id)
        record["id"] = link.id
        return record

    def record_of(self, lower: str | None, upper: str | None, type_id: str | None) -> JsonObject:
        """The relation as the module sends it to storage."""
        record: JsonObject = {self.lower_name: lower, self.upper_name: upper}
        if self.typed:
            record["instanceRelationshipTypeId"] = type_id
        return record

    def key_of(self, record: JsonObject) -> tuple[str, str, str | None]:
        """The identity of a relation in storage's spelling."""
        return (
            str(record[self.lower_name]),
            str(record[self.upper_name]),
            text_of(record.get("instanceRelationshipTypeId")),
        )
