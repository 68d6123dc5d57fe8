"""What the shared index holds: titles, with the identifiers and holdings of each institution.

A tree of title with `instance`, `identifiers` and `holdings` by institution. HRIDs are minted by storage and left out;
records that nothing else tells apart are compared as sorted lists.
"""

from __future__ import annotations

from typing import Final

import orjson

from service.demo.sample import Change, JsonObject
from service.demo.verification.comparing import object_in, objects
from service.demo.verification.record_sets import described, source_names
from service.sandbox.exchange import JsonValue

SYSTEM: Final = "inventory"

_MADE_BY_THE_INDEX: Final = ("hrid", "matchKey", "identifiers", "title")


def read(state: JsonObject, tenant: str) -> JsonObject:
    """The tree of a state as the sandbox's control API gives it."""
    content = object_in(state, SYSTEM, "tenants", tenant)
    names = source_names(state, tenant)
    owners = {str(place["id"]): str(place["institutionId"]) for place in objects(content.get("locations"))}
    tree: JsonObject = {}
    for found in object_in(content, "recordSets").values():
        if isinstance(found, dict):
            instance = object_in(found, "instance")
            shelves: dict[str, list[JsonObject]] = {}
            for record in objects(found.get("holdingsRecords")):
                shelves.setdefault(owners[str(record["permanentLocationId"])], []).append(record)
            tree[str(instance["title"])] = {
                "instance": _instance(instance, names),
                "identifiers": _identifiers(instance),
                "holdings": {owner: _shelves(records, names) for owner, records in shelves.items()},
            }
    return tree


def apply(tree: JsonObject, change: Change, names: dict[str, str]) -> None:
    """Does to the tree what one operation asks for. `names` are those of the tenant's holdings sources by id."""
    operation = change.operation
    owner = str(operation["institutionId"])
    if operation["action"] == "delete-shared":
        _take(tree, owner, operation)
        return
    instance = object_in(operation, "instance")
    entry = object_in(tree, str(instance["title"]))
    identifiers = {*_texts(entry.get("identifiers")), *_texts(_identifiers(instance))}
    entry["identifiers"] = [*sorted(identifiers)]
    entry["instance"] = _instance(instance, names)
    object_in(entry, "holdings")[owner] = _shelves(objects(operation.get("holdingsRecords")), names)


def _take(tree: JsonObject, owner: str, operation: JsonObject) -> None:
    local = str(operation.get("localIdentifier") or str(operation.get("oaiIdentifier")).rpartition(":")[2])
    mine = f"{operation['identifierTypeId']}/{local}"
    for title in tree:
        entry = object_in(tree, title)
        known = _texts(entry.get("identifiers"))
        if mine in known:
            entry["identifiers"] = [text for text in known if text != mine]
            object_in(entry, "holdings").pop(owner, None)


def _instance(instance: JsonObject, names: dict[str, str]) -> JsonObject:
    return {name: value for name, value in described(instance, names).items() if name not in _MADE_BY_THE_INDEX}


def _identifiers(instance: JsonObject) -> JsonValue:
    entries = objects(instance.get("identifiers"))
    return [*sorted(f"{entry['identifierTypeId']}/{entry['value']}" for entry in entries)]


def _shelves(records: list[JsonObject], names: dict[str, str]) -> JsonValue:
    shelves: list[JsonObject] = []
    for record in records:
        items = [_without_hrid(described(item, names)) for item in objects(record.get("items"))]
        shelves.append({**_without_hrid(described(record, names)), "items": [*sorted(items, key=_canonical)]})
    return [*sorted(shelves, key=_canonical)]


def _without_hrid(record: JsonObject) -> JsonObject:
    return {name: value for name, value in record.items() if name != "hrid"}


def _canonical(record: JsonObject) -> bytes:
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


def _texts(value: JsonValue) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
