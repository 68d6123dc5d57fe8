"""The inventory's state as JSON: record sets by instance HRID, in the form of an upsert's body with ids and versions.

Owns reading and writing of that form, per tenant: {"recordSets": {hrid: set}, "locations": [id or {"id",
"institutionId"}], "purchaseOrderLines": [hrid or uuid of an instance]}. Checks shapes alone; what storage would refuse
can be seeded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from service.sandbox.exchange import JsonValue
from service.sandbox.inventory.records import RelationKind
from service.sandbox.inventory.schemas import SCHEMAS, Entity
from service.sandbox.inventory.shapes import JsonObject, object_of, objects_of, text_of
from service.sandbox.inventory.storage import TenantStorage
from service.sandbox.inventory.stored import sendable_relations
from service.sandbox.inventory.tables import Link, Row
from service.sandbox.seeds import StateError, array_at, object_at, require_known, text_at
from service.sandbox.storage_text import new_id


@dataclass(frozen=True, slots=True)
class TenantSeed:
    """Checked seed data of one tenant. `locations` None leaves what is known of locations alone."""

    record_sets: dict[str, JsonObject]
    locations: dict[str, str | None] | None
    ordered: tuple[str, ...]


def snapshot_tenant(storage: TenantStorage) -> JsonObject:
    """Everything stored for a tenant."""
    record_sets: JsonObject = {row.hrid: _record_set(storage, row) for row in storage.instances.rows()}
    state: JsonObject = {"recordSets": record_sets}
    if storage.locations is not None:
        state["locations"] = [
            {"id": location_id, "institutionId": institution} for location_id, institution in storage.locations.items()
        ]
    if storage.ordered_instances:
        state["purchaseOrderLines"] = [*sorted(storage.ordered_instances)]
    return state


def read_tenant(entry: JsonValue, where: str) -> TenantSeed:
    """Checks the seed data of one tenant. Raises StateError that names the field."""
    given = object_at(entry, where)
    require_known(given, ("recordSets", "locations", "purchaseOrderLines"), where)
    record_sets = {
        hrid: _checked(hrid, record_set, f"{where}.recordSets.{hrid}")
        for hrid, record_set in object_at(given.get("recordSets", {}), f"{where}.recordSets").items()
    }
    locations = None
    if "locations" in given:
        listed = array_at(given["locations"], f"{where}.locations")
        locations = dict(_location(place, f"{where}.locations[{index}]") for index, place in enumerate(listed))
    lines = array_at(given.get("purchaseOrderLines", []), f"{where}.purchaseOrderLines")
    ordered = tuple(text_at(line, f"{where}.purchaseOrderLines[{index}]") for index, line in enumerate(lines))
    return TenantSeed(record_sets, locations, ordered)


def load_tenant(storage: TenantStorage, seed: TenantSeed) -> None:
    """Puts seed data in place: a record set replaces the one of its HRID, locations and order lines add to those there
    are.
    """
    if seed.locations is not None:
        storage.locations = {**(storage.locations or {}), **seed.locations}
    for hrid, record_set in seed.record_sets.items():
        _replace(storage, hrid, record_set)
    for hrid, record_set in seed.record_sets.items():
        _link(storage, hrid, object_of(record_set.get("instanceRelations")))
    for line in seed.ordered:
        row = storage.instances.with_hrid(line)
        storage.ordered_instances.add(row.id if row is not None else line)


def _record_set(storage: TenantStorage, row: Row) -> JsonObject:
    every_holdings: list[JsonValue] = []
    for holdings_row in storage.holdings.below(row.id):
        items: list[JsonValue] = [_sent(Entity.ITEM, item) for item in storage.items.below(holdings_row.id)]
        every_holdings.append({**_sent(Entity.HOLDINGS_RECORD, holdings_row), "items": items})
    return {
        "instance": _sent(Entity.INSTANCE, row),
        "holdingsRecords": every_holdings,
        "instanceRelations": sendable_relations(storage, row, every_kind=False),
    }


def _sent(entity: Entity, row: Row) -> JsonObject:
    parent = SCHEMAS[entity].parent
    record: JsonObject = {name: value for name, value in row.record.items() if name != parent}
    record["_version"] = row.version
    return record


def _checked(hrid: str, entry: JsonValue, where: str) -> JsonObject:
    record_set = object_at(entry, where)
    require_known(record_set, ("instance", "holdingsRecords", "instanceRelations"), where)
    for record, place in _records(record_set, where):
        text_at(record.get("hrid"), f"{place}.hrid")
        if "id" in record:
            text_at(record["id"], f"{place}.id")
        version = record.get("_version", 1)
        if isinstance(version, bool) or not isinstance(version, int) or version < 1:
            raise StateError(f"{place}._version", "a number of at least 1")
    if object_of(record_set["instance"])["hrid"] != hrid:
        raise StateError(f"{where}.instance.hrid", "the HRID that the record set is filed under")
    relations = object_at(record_set.get("instanceRelations", {}), f"{where}.instanceRelations")
    require_known(relations, tuple(RelationKind), f"{where}.instanceRelations")
    for name, entries in relations.items():
        array_at(entries, f"{where}.instanceRelations.{name}")
    return record_set


def _records(record_set: JsonObject, where: str) -> Iterator[tuple[JsonObject, str]]:
    yield object_at(record_set.get("instance"), f"{where}.instance"), f"{where}.instance"
    every_holdings = array_at(record_set.get("holdingsRecords", []), f"{where}.holdingsRecords")
    for index, entry in enumerate(every_holdings):
        place = f"{where}.holdingsRecords[{index}]"
        holdings = object_at(entry, place)
        yield holdings, place
        for position, item in enumerate(array_at(holdings.get("items", []), f"{place}.items")):
            yield object_at(item, f"{place}.items[{position}]"), f"{place}.items[{position}]"


def _location(entry: JsonValue, where: str) -> tuple[str, str | None]:
    if isinstance(entry, str):
        return text_at(entry, where), None
    place = object_at(entry, where)
    require_known(place, ("id", "institutionId"), where)
    return text_at(place.get("id"), f"{where}.id"), text_of(place.get("institutionId"))


def _replace(storage: TenantStorage, hrid: str, record_set: JsonObject) -> None:
    holder = storage.instances.holder(hrid)
    stale = storage.instances.get(holder) if holder is not None else None
    if stale is not None:
        storage.remove_set(stale)
    instance_id = _restore(storage, Entity.INSTANCE, object_of(record_set["instance"]), {})
    for entry in objects_of(record_set.get("holdingsRecords")):
        holdings = {name: value for name, value in entry.items() if name != "items"}
        holdings_id = _restore(storage, Entity.HOLDINGS_RECORD, holdings, {"instanceId": instance_id})
        for item in objects_of(entry.get("items")):
            _restore(storage, Entity.ITEM, item, {"holdingsRecordId": holdings_id})


def _restore(storage: TenantStorage, entity: Entity, seeded: JsonObject, parent: JsonObject) -> str:
    record: JsonObject = {**seeded, **parent}
    record_id = text_of(record.setdefault("id", new_id())) or ""
    version = record.pop("_version", 1)
    storage.restore(entity, record, version if isinstance(version, int) else 1)
    return record_id


def _link(storage: TenantStorage, hrid: str, relations: JsonObject) -> None:
    own = storage.instances.with_hrid(hrid)
    if own is None:
        return
    for kind in RelationKind:
        links = storage.links[kind.entity]
        for entry in objects_of(relations.get(kind.value)):
            other = storage.instances.with_hrid(str(object_of(entry.get("instanceIdentifier")).get("hrid")))
            if other is None:
                continue
            lower, upper = (own.id, other.id) if kind.upwards else (other.id, own.id)
            link = Link(new_id(), lower, upper, text_of(entry.get("instanceRelationshipTypeId")))
            if not links.has(link.key):
                links.put(link)
