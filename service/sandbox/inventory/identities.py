"""Finding the instances of a shared index: by match key, and by an institution's identifier.

Owns these two indexes of a tenant's instances. Must not build match keys (see match_key).
"""

from __future__ import annotations

from service.sandbox.inventory.shapes import objects_of
from service.sandbox.inventory.tables import Row


class SharedIndex:
    """Ids of instances by match key and by (identifierTypeId, value); ordered, the oldest first."""

    def __init__(self) -> None:
        self._ids_by_match_key: dict[str, dict[str, None]] = {}
        self._ids_by_identifier: dict[tuple[str, str], dict[str, None]] = {}

    def with_match_key(self, match_key: str) -> str | None:
        """Id of the instance of this match key."""
        return next(iter(self._ids_by_match_key.get(match_key, ())), None)

    def with_identifier(self, identifier_type_id: str, value: str) -> list[str]:
        """Ids of the instances that carry this identifier."""
        return list(self._ids_by_identifier.get((identifier_type_id, value), ()))

    def add(self, row: Row) -> None:
        """Takes up an instance as it is stored now."""
        record_id = row.id
        match_key = row.record.get("matchKey")
        if match_key:
            self._ids_by_match_key.setdefault(str(match_key), {})[record_id] = None
        for key in _identifiers(row):
            self._ids_by_identifier.setdefault(key, {})[record_id] = None

    def discard(self, row: Row) -> None:
        """Forgets an instance as it was stored."""
        record_id = row.id
        self._ids_by_match_key.get(str(row.record.get("matchKey")), {}).pop(record_id, None)
        for key in _identifiers(row):
            self._ids_by_identifier.get(key, {}).pop(record_id, None)


def _identifiers(row: Row) -> list[tuple[str, str]]:
    entries = objects_of(row.record.get("identifiers"))
    return [(str(entry.get("identifierTypeId")), str(entry.get("value"))) for entry in entries]
