"""What inventory holds: instances with holdings records and items, and the relations between instances.

A tree of tenant, `instances` by HRID with `holdings` by HRID with `items` by HRID, and `relations` as texts. Sources of
holdings records are told by name. The shared index is told in `shared_index`.
"""

from __future__ import annotations

from typing import Final

from service.demo.sample import Change, JsonObject
from service.demo.verification.comparing import object_in, objects, without_nothing
from service.sandbox.exchange import JsonValue

SYSTEM: Final = "inventory"

CIRCULATING: Final = (
    "Awaiting delivery",
    "Awaiting pickup",
    "Checked out",
    "Aged to lost",
    "Claimed returned",
    "Declared lost",
    "Paged",
    "In transit",
)
"""mod-inventory-update never deletes an item in one of these statuses because it was left out."""

_OF_STORAGE: Final = ("id", "_version", "items", "metadata")
_KINDS: Final = {
    "parentInstances": ("part of", True),
    "childInstances": ("part of", False),
    "precedingTitles": ("continues", True),
    "succeedingTitles": ("continues", False),
}
"""What the relation is called, and whether the record that names it is its subject."""


def read(state: JsonObject, shared_tenant: str) -> JsonObject:
    """The tree of a state as the sandbox's control API gives it, without the tenant of the shared index."""
    tree: JsonObject = {}
    for tenant, content in object_in(state, SYSTEM, "tenants").items():
        if tenant == shared_tenant or not isinstance(content, dict):
            continue
        names = source_names(state, tenant)
        for hrid, found in object_in(content, "recordSets").items():
            if isinstance(found, dict):
                object_in(tree, tenant, "instances")[hrid] = _tree_of(found, names)
                for kind, entries in object_in(found, "instanceRelations").items():
                    _relate(object_in(tree, tenant, "relations"), hrid, kind, objects(entries))
    return tree


def source_names(state: JsonObject, tenant: str) -> dict[str, str]:
    """Names of a tenant's holdings sources by id."""
    sources = object_in(state, "holdings-sources", "tenants", tenant)
    return {key: str(source["name"]) for key, source in sources.items() if isinstance(source, dict)}


def apply(tree: JsonObject, change: Change, names: dict[str, str]) -> None:
    """Does to the tree what one operation asks for. `names` are those of the tenant's holdings sources by id."""
    operation = change.operation
    instances = object_in(tree, change.tenant, "instances")
    relations = object_in(tree, change.tenant, "relations")
    if operation["action"] == "delete":
        hrid = str(operation["hrid"])
        instances.pop(hrid, None)
        for told in [told for told in relations if hrid in told.split("|")]:
            del relations[told]
        return
    asked = _tree_of(operation, names)
    instance = object_in(asked, "instance")
    hrid = str(instance["hrid"])
    before = object_in(instances, hrid)
    if "holdingsRecords" in operation:
        overwrites = object_in(operation, "processing", "item", "status").get("policy") == "overwrite"
        _keep_what_circulates(object_in(before, "holdings"), object_in(asked, "holdings"), overwrites=overwrites)
        before["holdings"] = asked["holdings"]
    before["instance"] = instance
    for kind, entries in object_in(operation, "instanceRelations").items():
        _replace_relations(relations, instances, hrid, kind, objects(entries))


def described(record: JsonObject, names: dict[str, str]) -> JsonObject:
    """A record without what storage adds, its source told by name."""
    told = {name: value for name, value in record.items() if name not in _OF_STORAGE}
    source_id = told.pop("sourceId", None)
    if source_id is not None:
        told["sourceName"] = names.get(str(source_id), str(source_id))
    return without_nothing(told)


def _tree_of(record_set: JsonObject, names: dict[str, str]) -> JsonObject:
    every_holdings: JsonObject = {}
    for record in objects(record_set.get("holdingsRecords")):
        items: JsonObject = {str(item["hrid"]): described(item, names) for item in objects(record.get("items"))}
        every_holdings[str(record["hrid"])] = {"record": described(record, names), "items": items}
    return {"instance": described(object_in(record_set, "instance"), names), "holdings": every_holdings}


def _keep_what_circulates(before: JsonObject, asked: JsonObject, *, overwrites: bool) -> None:
    """Items keep their status unless the event says otherwise; one that a reader has is not deleted."""
    known = {
        hrid: (shelf, item)
        for shelf in before
        for hrid, item in object_in(before, shelf, "items").items()
        if isinstance(item, dict)
    }
    listed: set[str] = set()
    for shelf in asked:
        for hrid, item in object_in(asked, shelf, "items").items():
            listed.add(hrid)
            if isinstance(item, dict) and hrid in known and not overwrites:
                item["status"] = known[hrid][1].get("status")
    for hrid, (shelf, item) in known.items():
        if hrid not in listed and object_in(item, "status").get("name") in CIRCULATING:
            object_in(asked, shelf).setdefault("record", object_in(before, shelf)["record"])
            object_in(asked, shelf, "items")[hrid] = item


def _replace_relations(
    relations: JsonObject, instances: JsonObject, hrid: str, kind: str, entries: list[JsonObject]
) -> None:
    told, is_subject = _KINDS[kind]
    place = 0 if is_subject else 2
    for known in [known for known in relations if known.split("|")[1] == told and known.split("|")[place] == hrid]:
        del relations[known]
    _relate(relations, hrid, kind, entries)
    for entry in entries:
        other = str(object_in(entry, "instanceIdentifier")["hrid"])
        provisional = object_in(entry, "provisionalInstance")
        if other not in instances and provisional:
            made: JsonObject = {"hrid": other, **provisional}
            instances[other] = {"instance": described(made, {}), "holdings": {}}


def _relate(relations: JsonObject, hrid: str, kind: str, entries: list[JsonObject]) -> None:
    told, is_subject = _KINDS[kind]
    for entry in entries:
        other = str(object_in(entry, "instanceIdentifier")["hrid"])
        first, second = (hrid, other) if is_subject else (other, hrid)
        kept: JsonValue = entry.get("instanceRelationshipTypeId")
        relations[f"{first}|{told}|{second}"] = kept or True
