"""Inventory operations of an event, as steps and keys.

Builds the bodies that mod-inventory-update takes. Records pass through as they are, and nothing that was decoded is
ever changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, assert_never, cast

from service.domain.events.inventory import (
    DeleteSharedOperation,
    InventoryOperation,
    UpsertOperation,
    UpsertSharedOperation,
)
from service.domain.events.record_sets import RELATION_TYPE_SPELLINGS
from service.domain.jsonvalue import JsonObject, JsonValue
from service.domain.operations import (
    DeleteRecordSet,
    DeleteSharedRecordSet,
    EntityKey,
    UpsertRecordSet,
    UpsertSharedRecordSet,
)
from service.translation.keys import (
    holdings_key,
    holdings_source_key,
    instance_key,
    instance_uuid_key,
    item_key,
    match_key,
    shared_key,
)
from service.translation.translated import Translated

_RETAIN_STATUS: Final = {"policy": "retain"}
_READ_SPELLING, _PUBLISHED_SPELLING = RELATION_TYPE_SPELLINGS


def translate_inventory(operation: InventoryOperation, tenant: str) -> Translated:
    """One step on one record set. Writes every record that the set names; reads the holdings sources that it names."""
    if operation.action == "upsert":
        return _upsert(operation, tenant)
    if operation.action == "delete":
        step = DeleteRecordSet(tenant, operation.hrid, _optional(operation.processing))
        return Translated((step,), frozenset((instance_key(tenant, operation.hrid),)))
    if operation.action == "upsert-shared":
        return _upsert_shared(operation, tenant)
    if operation.action == "delete-shared":
        return _delete_shared(operation, tenant)
    assert_never(operation)


def _upsert(operation: UpsertOperation, tenant: str) -> Translated:
    holdings = _objects(operation.holdings_records)
    relations = _optional(operation.instance_relations) or {}
    record_set: dict[str, JsonValue] = {"instance": _object(operation.instance)}
    if operation.holdings_records is not None:
        record_set["holdingsRecords"] = holdings
    if operation.instance_relations is not None:
        record_set["instanceRelations"] = {
            kind: [_as_the_module_spells_it(entry) for entry in _objects(entries)]
            for kind, entries in relations.items()
        }
    record_set["processing"] = _with_status_retained(_optional(operation.processing))
    source_names = _source_names(holdings)
    hrid = operation.instance["hrid"]
    return Translated(
        (UpsertRecordSet(tenant, hrid, record_set, source_names),),
        frozenset(
            (instance_key(tenant, hrid), *_record_keys(holdings, tenant), *_relation_keys(relations, tenant)),
        ),
        frozenset([holdings_source_key(tenant, name) for name in source_names]),
    )


def _upsert_shared(operation: UpsertSharedOperation, tenant: str) -> Translated:
    holdings = _objects(operation.holdings_records)
    instance = operation.instance
    body: dict[str, JsonValue] = {"instance": _object(instance)}
    if operation.holdings_records is not None:
        body["holdingsRecords"] = holdings
    body["processing"] = {
        **_with_status_retained(_optional(operation.processing)),
        "institutionId": operation.institution_id,
        "localIdentifier": operation.local_identifier,
        "identifierTypeId": operation.identifier_type_id,
    }
    source_names = _source_names(holdings)
    writes = [
        shared_key(tenant, operation.institution_id, operation.local_identifier),
        match_key(tenant, instance.get("matchKey") or instance.get("title") or ""),
        *_record_keys(holdings, tenant),
    ]
    if "hrid" in instance:
        writes.append(instance_key(tenant, instance["hrid"]))
    target = f"{operation.institution_id}/{operation.local_identifier}"
    return Translated(
        (UpsertSharedRecordSet(tenant, target, body, source_names),),
        frozenset(writes),
        frozenset([holdings_source_key(tenant, name) for name in source_names]),
    )


def _delete_shared(operation: DeleteSharedOperation, tenant: str) -> Translated:
    identifiers = {"localIdentifier": operation.local_identifier, "oaiIdentifier": operation.oai_identifier}
    given = {name: identifier for name, identifier in identifiers.items() if identifier is not None}
    [identifier] = given.values()
    body: dict[str, JsonValue] = {
        "institutionId": operation.institution_id,
        **given,
        "identifierTypeId": operation.identifier_type_id,
    }
    target = f"{operation.institution_id}/{identifier}"
    return Translated(
        (DeleteSharedRecordSet(tenant, target, body),),
        frozenset((shared_key(tenant, operation.institution_id, identifier),)),
    )


def _with_status_retained(processing: JsonObject | None) -> JsonObject:
    """mod-inventory-update overwrites the circulation status of items unless it is told; a checked-out item would be
    lost sight of.
    """
    instructions = processing or {}
    item = cast(JsonObject, instructions.get("item", {}))
    if "status" in item:
        return instructions
    return {**instructions, "item": {**item, "status": _RETAIN_STATUS}}


def _as_the_module_spells_it(entry: JsonObject) -> JsonObject:
    if _PUBLISHED_SPELLING not in entry:
        return entry
    respelled = {name: value for name, value in entry.items() if name != _PUBLISHED_SPELLING}
    return {**respelled, _READ_SPELLING: entry[_PUBLISHED_SPELLING]}


def _source_names(holdings: Iterable[JsonObject]) -> frozenset[str]:
    return frozenset([cast(str, record["sourceName"]) for record in holdings if "sourceName" in record])


def _record_keys(holdings: Iterable[JsonObject], tenant: str) -> Iterator[EntityKey]:
    for record in holdings:
        if "hrid" in record:
            yield holdings_key(tenant, cast(str, record["hrid"]))
        for item in _objects(record["items"]):
            if "hrid" in item:
                yield item_key(tenant, cast(str, item["hrid"]))


def _relation_keys(relations: JsonObject, tenant: str) -> Iterator[EntityKey]:
    for entries in relations.values():
        for entry in _objects(entries):
            for related in (entry["instanceIdentifier"], entry.get("provisionalInstance", {})):
                named = _object(related)
                if "hrid" in named:
                    yield instance_key(tenant, cast(str, named["hrid"]))
                if "uuid" in named:
                    yield instance_uuid_key(tenant, cast(str, named["uuid"]))


def _object(validated: object) -> JsonObject:
    return cast(JsonObject, validated)


def _optional(validated: Mapping[str, object] | None) -> JsonObject | None:
    return cast("JsonObject | None", validated)


def _objects(validated: object) -> Sequence[JsonObject]:
    return () if validated is None else cast(Sequence[JsonObject], validated)
