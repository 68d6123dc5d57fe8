"""Stored records as storage shows them, and stored record sets as the module looks them up.

Owns what storage adds on reading: defaults, computed properties, metadata. Changes nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from service.sandbox.exchange import JsonValue
from service.sandbox.inventory.records import Planned, PlannedRelation, PlannedSet, RelationKind
from service.sandbox.inventory.schemas import Entity
from service.sandbox.inventory.shapes import JsonObject, object_of
from service.sandbox.inventory.storage import TenantStorage
from service.sandbox.inventory.tables import Row

_ARRAYS: Final = {
    Entity.INSTANCE: (
        "notes",
        "series",
        "editions",
        "subjects",
        "languages",
        "identifiers",
        "publication",
        "contributors",
        "classifications",
        "instanceFormats",
        "electronicAccess",
        "holdingsRecords2",
        "publicationRange",
        "alternativeTitles",
        "instanceFormatIds",
        "statisticalCodeIds",
        "administrativeNotes",
        "physicalDescriptions",
        "publicationFrequency",
        "natureOfContentTermIds",
    ),
    Entity.HOLDINGS_RECORD: (
        "notes",
        "formerIds",
        "electronicAccess",
        "statisticalCodeIds",
        "administrativeNotes",
        "holdingsStatements",
        "holdingsStatementsForIndexes",
        "holdingsStatementsForSupplements",
    ),
    Entity.ITEM: (
        "notes",
        "formerIds",
        "yearCaption",
        "circulationNotes",
        "electronicAccess",
        "statisticalCodeIds",
        "administrativeNotes",
    ),
}
_FLAGS: Final = ("deleted", "previouslyHeld", "discoverySuppress")


def view(storage: TenantStorage, entity: Entity, row: Row) -> JsonObject:
    """A stored record as a GET of storage shows it; a new object whose members must not be changed in place."""
    record: JsonObject = {name: [] for name in _ARRAYS[entity]}
    if entity is Entity.INSTANCE:
        record.update(dict.fromkeys(_FLAGS, False), statusUpdatedDate=_stamp(row.status_seconds, "+0000"))
    record.update(row.record)
    record["_version"] = row.version
    record["metadata"] = {"createdDate": _stamp(row.created_seconds), "updatedDate": _stamp(row.updated_seconds)}
    if entity is Entity.HOLDINGS_RECORD:
        record["effectiveLocationId"] = _holdings_location(row)
    elif entity is Entity.ITEM:
        record["status"] = {**object_of(row.record.get("status")), "date": _stamp(row.status_seconds, "+00:00")}
        above = storage.holdings.get(str(row.record["holdingsRecordId"]))
        own = row.record.get("temporaryLocationId") or row.record.get("permanentLocationId")
        record["effectiveLocationId"] = own or (_holdings_location(above) if above is not None else None)
        record["effectiveCallNumberComponents"] = _call_number(row, above)
    return record


def existing_set(storage: TenantStorage, row: Row) -> PlannedSet:
    """The stored record set of an instance, to be planned against; its errors carry the stored set as `requestJson`."""

    def origin() -> JsonValue:
        return stored_json(storage, row)

    instance = Planned(Entity.INSTANCE, row.record, origin, row)
    every_holdings: list[Planned] = []
    every_item: list[Planned] = []
    for holdings_row in storage.holdings.below(row.id):
        holdings = Planned(Entity.HOLDINGS_RECORD, holdings_row.record, origin, holdings_row)
        for item_row in storage.items.below(holdings_row.id):
            item = Planned(Entity.ITEM, item_row.record, origin, item_row)
            holdings.dependants.append(item)
            every_item.append(item)
        instance.dependants.append(holdings)
        every_holdings.append(holdings)
    return PlannedSet(instance, every_holdings, every_item, False, {}, None, existing_relations(storage, row.id))


def existing_relations(storage: TenantStorage, instance_id: str) -> dict[RelationKind, list[PlannedRelation]]:
    """The stored relations of an instance by kind."""
    relations: dict[RelationKind, list[PlannedRelation]] = {}
    for kind in RelationKind:
        links = storage.links[kind.entity]
        for link in links.of(instance_id):
            if (link.lower if kind.upwards else link.upper) == instance_id:
                planned = PlannedRelation(kind.entity, links.as_record(link), kind=kind)
                relations.setdefault(kind, []).append(planned)
    return relations


def stored_json(storage: TenantStorage, row: Row) -> JsonObject:
    """The stored record set with ids: `instance` and `holdingsRecords`, `items` only below holdings that have some."""
    every_holdings: list[JsonValue] = []
    for holdings_row in storage.holdings.below(row.id):
        holdings = view(storage, Entity.HOLDINGS_RECORD, holdings_row)
        items: list[JsonValue] = [view(storage, Entity.ITEM, item) for item in storage.items.below(holdings_row.id)]
        if items:
            holdings["items"] = items
        every_holdings.append(holdings)
    return {"instance": view(storage, Entity.INSTANCE, row), "holdingsRecords": every_holdings}


def sendable_relations(storage: TenantStorage, row: Row, *, every_kind: bool) -> JsonObject:
    """The instance's relations as a record set has them, the other instances named by HRID; empty kinds on request."""
    relations: JsonObject = {}
    for kind in RelationKind:
        entries: list[JsonValue] = []
        for link in storage.links[kind.entity].of(row.id):
            own, others = (link.lower, link.upper) if kind.upwards else (link.upper, link.lower)
            if own != row.id:
                continue
            other = storage.instances.get(others)
            identifier: JsonObject = {"hrid": other.hrid if other is not None else None}
            entries.append({"instanceIdentifier": identifier, "instanceRelationshipTypeId": link.type_id})
        if entries or every_kind:
            relations[kind.value] = entries
    return relations


def _holdings_location(row: Row) -> JsonValue:
    return row.record.get("temporaryLocationId") or row.record.get("permanentLocationId")


def _call_number(item: Row, holdings: Row | None) -> JsonObject:
    above: JsonObject = holdings.record if holdings is not None else {}
    pairs = (
        ("callNumber", "itemLevelCallNumber", "callNumber"),
        ("prefix", "itemLevelCallNumberPrefix", "callNumberPrefix"),
        ("suffix", "itemLevelCallNumberSuffix", "callNumberSuffix"),
        ("typeId", "itemLevelCallNumberTypeId", "callNumberTypeId"),
    )
    values = {name: item.record.get(own) or above.get(inherited) for name, own, inherited in pairs}
    return {name: value for name, value in values.items() if value is not None}


def _stamp(seconds: float, zone: str = "Z") -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + zone
