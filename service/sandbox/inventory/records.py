"""The records of one request on their way to storage: what is to happen to each, and what came of it.

Owns the bookkeeping of transactions and outcomes, and the answer's form of a record set. Must not decide transactions
(see planning) nor carry them out (see execution).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

import orjson

from service.sandbox.exchange import JsonValue
from service.sandbox.inventory.schemas import Entity
from service.sandbox.inventory.shapes import JsonObject, object_of, objects_of, text_of
from service.sandbox.inventory.tables import Row

Origin: TypeAlias = Callable[[], JsonValue]
"""Gives the `requestJson` of an error report; called for errors alone, because it costs a copy of the request."""


class Transaction(StrEnum):
    """What is to happen to a record."""

    UNKNOWN = "UNKNOWN"
    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    NONE = "NONE"


class Outcome(StrEnum):
    """What came of it."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


_KEYS_TO_PARENT: Final = {Entity.INSTANCE: "instanceId", Entity.HOLDINGS_RECORD: "holdingsRecordId"}


def no_origin() -> None:
    """The origin of records that the module made up itself: their errors carry `requestJson` null."""


@dataclass(slots=True, eq=False)
class Planned:
    """One record of a request, or one stored record that the request affects (`row` then says which)."""

    entity: Entity
    record: JsonObject
    origin: Origin = no_origin
    row: Row | None = None
    transaction: Transaction = Transaction.UNKNOWN
    outcome: Outcome = Outcome.PENDING
    report: JsonObject | None = None
    dependants: list[Planned] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)

    @property
    def hrid(self) -> str | None:
        """The record's HRID, None when it has none."""
        return text_of(self.record.get("hrid"))

    @property
    def deletes(self) -> bool:
        """Whether the record is to go, protected or not."""
        return self.transaction is Transaction.DELETE

    def identify(self, record_id: str) -> None:
        """Gives the record its UUID, and the records below it their key to it."""
        self.record["id"] = record_id
        key = _KEYS_TO_PARENT.get(self.entity)
        if key is not None:
            for dependant in self.dependants:
                dependant.record[key] = record_id

    def adopt(self, dependant: Planned) -> None:
        """Puts a record below this one; a key that it brought along stays until this one gets an id of the module's."""
        self.dependants.append(dependant)
        key = _KEYS_TO_PARENT[self.entity]
        if self.record.get("id") is not None and not dependant.record.get(key):
            dependant.record[key] = self.record["id"]

    def skip_dependants(self) -> None:
        """Marks all records below as skipped: what has been or will be written of them is written all the same."""
        for dependant in self.dependants:
            dependant.outcome = Outcome.SKIPPED
            dependant.skip_dependants()


class RelationKind(StrEnum):
    """The lists of `instanceRelations`, in the order in which the module goes through them."""

    PARENT = "parentInstances"
    CHILD = "childInstances"
    PRECEDING = "precedingTitles"
    SUCCEEDING = "succeedingTitles"

    @property
    def entity(self) -> Entity:
        """The kind of stored relation."""
        hierarchical = self in (RelationKind.PARENT, RelationKind.CHILD)
        return Entity.INSTANCE_RELATIONSHIP if hierarchical else Entity.INSTANCE_TITLE_SUCCESSION

    @property
    def upwards(self) -> bool:
        """Whether the other instance is the upper end of the relation: the parent, or the preceding title."""
        return self in (RelationKind.PARENT, RelationKind.PRECEDING)


@dataclass(slots=True, eq=False)
class PlannedRelation(Planned):
    """A relation of the set's instance. `reference_hrid` is the other instance's HRID as it was sent."""

    kind: RelationKind = RelationKind.PARENT
    reference_hrid: str | None = None


@dataclass(slots=True, eq=False)
class PlannedSet:
    """An instance with its holdings records, items and relations, sent or stored.

    `keeps_holdings` is true for a set that came without `holdingsRecords`. `sent_relations` is `instanceRelations` as
    it came.
    """

    instance: Planned
    holdings: list[Planned]
    items: list[Planned]
    keeps_holdings: bool
    sent_relations: JsonObject
    processing: JsonValue
    relations: dict[RelationKind, list[PlannedRelation]] = field(default_factory=dict)
    existing: PlannedSet | None = None

    def records(self) -> Iterable[Planned]:
        """Holdings records, then items."""
        yield from self.holdings
        yield from self.items

    def all_relations(self) -> Iterable[PlannedRelation]:
        """The relations in the module's order of kinds."""
        for kind in RelationKind:
            yield from self.relations.get(kind, ())

    def as_json(self) -> JsonObject:
        """The set as a single upsert answers it: with ids, parent keys and the old `_version`."""
        holdings: list[JsonValue] = [
            {**holdings.record, "items": [item.record for item in holdings.dependants]} for holdings in self.holdings
        ]
        relations: JsonObject = {}
        for kind in RelationKind:
            kept: list[JsonValue] = [
                relation.record for relation in self.relations.get(kind, ()) if relation.outcome is not Outcome.FAILED
            ]
            if kept:
                relations[kind.value] = kept
        return {
            "instance": self.instance.record,
            "holdingsRecords": holdings,
            "instanceRelations": relations,
            "processing": self.processing,
        }


@dataclass(frozen=True, slots=True)
class RequestOrigin:
    """The record set as the client sent it, decoded anew for each error; `index` is its place in a batch, None for a
    single.
    """

    body: bytes
    index: int | None

    def __call__(self) -> JsonValue:
        decoded: JsonValue = orjson.loads(self.body)
        if self.index is None:
            return decoded
        return objects_of(object_of(decoded)["inventoryRecordSets"])[self.index]


def incoming_set(sent: JsonObject, origin: Origin) -> PlannedSet:
    """Takes a decoded record set apart; its dictionaries are changed from here on."""
    instance = Planned(Entity.INSTANCE, object_of(sent["instance"]), origin)
    every_holdings: list[Planned] = []
    every_item: list[Planned] = []
    listed = sent.get("holdingsRecords")
    for holdings_record in objects_of(listed):
        items = holdings_record.pop("items", None)
        holdings = Planned(Entity.HOLDINGS_RECORD, holdings_record, origin)
        for item_record in objects_of(items):
            item = Planned(Entity.ITEM, item_record, origin)
            holdings.adopt(item)
            every_item.append(item)
        instance.adopt(holdings)
        every_holdings.append(holdings)
    relations = object_of(sent.get("instanceRelations"))
    return PlannedSet(instance, every_holdings, every_item, listed is None, relations, sent.get("processing"))
