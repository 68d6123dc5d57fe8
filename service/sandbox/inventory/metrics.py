"""The counts in an answer of mod-inventory-update, in its spelling (not in the one of its OpenAPI).

Owns their shape. Must not decide what is counted.
"""

from __future__ import annotations

from typing import Final

from service.sandbox.exchange import JsonValue
from service.sandbox.inventory.records import Outcome, Transaction
from service.sandbox.inventory.schemas import Entity
from service.sandbox.inventory.shapes import JsonObject

_RECORDS: Final = (Entity.INSTANCE, Entity.HOLDINGS_RECORD, Entity.ITEM)
_RELATIONS: Final = (Entity.INSTANCE_RELATIONSHIP, Entity.INSTANCE_TITLE_SUCCESSION)
_OUTCOMES: Final = (Outcome.COMPLETED, Outcome.FAILED, Outcome.SKIPPED, Outcome.PENDING)
_PROVISIONAL: Final = "PROVISIONAL_INSTANCE"

_Key = tuple[Entity, str, Outcome]


class Metrics:
    """Counts by entity, transaction and outcome."""

    def __init__(self) -> None:
        self._counts: dict[_Key, int] = {}
        self._touched: set[Entity] = set()

    def count(self, entity: Entity, transaction: Transaction, outcome: Outcome) -> None:
        """Counts a record; one without a decided transaction (UNKNOWN, NONE) is not counted."""
        if transaction is not Transaction.UNKNOWN and transaction is not Transaction.NONE:
            self._add((entity, transaction.value, outcome), 1)

    def count_provisional(self, entity: Entity, outcome: Outcome) -> None:
        """Counts the provisional instance behind a relation of this kind."""
        self._add((entity, _PROVISIONAL, outcome), 1)

    def add(self, other: Metrics) -> None:
        """Sums up sets that were upserted one by one. Provisional instances are lost; both kinds of relation appear."""
        for key, number in other._counts.items():
            if key[1] != _PROVISIONAL:
                self._add(key, number)
        self._touched.update(_RELATIONS)

    def as_json(self) -> JsonObject:
        """All counts, zeros included; relations only where some were touched."""
        counted: JsonObject = {}
        for entity in _RECORDS:
            counted[entity.value] = {name: self._outcomes(entity, name) for name in ("CREATE", "UPDATE", "DELETE")}
        for entity in _RELATIONS:
            if entity in self._touched:
                names = ["CREATE", "DELETE"]
                if any(key[0] is entity and key[1] == _PROVISIONAL for key in self._counts):
                    names.append(_PROVISIONAL)
                counted[entity.value] = {name: self._outcomes(entity, name) for name in names}
        return counted

    def _add(self, key: _Key, number: int) -> None:
        self._counts[key] = self._counts.get(key, 0) + number
        self._touched.add(key[0])

    def _outcomes(self, entity: Entity, name: str) -> dict[str, JsonValue]:
        return {outcome.value: self._counts.get((entity, name, outcome), 0) for outcome in _OUTCOMES}
