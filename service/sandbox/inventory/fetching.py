"""GET of a stored record set, in the form in which it can be sent back.

Owns that endpoint's answers, 404 in plain words under the label of JSON included. Changes nothing.
"""

from __future__ import annotations

import re
from typing import Final

from service.sandbox.exchange import JsonValue, Reply, json_reply
from service.sandbox.inventory.refusals import LookupFailure
from service.sandbox.inventory.shapes import JsonObject, object_of, objects_of
from service.sandbox.inventory.storage import TenantStorage
from service.sandbox.inventory.stored import sendable_relations, stored_json
from service.sandbox.inventory.tables import Row

_ANY_UUID: Final = re.compile(r"[0-9a-fA-F]{1,8}(-[0-9a-fA-F]{1,4}){3}-[0-9a-fA-F]{1,12}")
_JSON: Final = "application/json"


def fetch_by_hrid(storage: TenantStorage, identifier: str) -> Reply:
    """Answers GET /inventory-upsert-hrid/fetch/{uuid or hrid}: without ids and parent keys, relations by HRID."""
    found = _look_up(storage, identifier)
    if isinstance(found, Reply):
        return found
    record_set = stored_json(storage, found)
    record_set["instanceRelations"] = _sendable_relations(storage, found)
    return json_reply(200, _without(record_set, ("id",)))


def fetch_shared(storage: TenantStorage, identifier: str) -> Reply:
    """Answers GET /shared-inventory-upsert-matchkey/fetch/{uuid or hrid}: without HRIDs too; 400 for others."""
    found = _look_up(storage, identifier)
    if isinstance(found, Reply):
        return found
    if not found.record.get("matchKey"):
        text = (
            "Requested Inventory record set Instance has no 'matchKey' property. It was likely not created through the "
            "shared inventory upsert API but it could be retrieved through some of the other fetch APIs"
        )
        return Reply(400, text.encode(), _JSON)
    record_set = stored_json(storage, found)
    record_set["instanceRelations"] = _raw_relations(storage, found)
    return json_reply(200, _without(record_set, ("id", "hrid")))


def _look_up(storage: TenantStorage, identifier: str) -> Row | Reply:
    by_id = _ANY_UUID.fullmatch(identifier) is not None
    row = storage.instances.get(identifier.lower()) if by_id else storage.instances.first_asked_for(identifier)
    try:
        if storage.faults.waiting:
            storage.faults.raise_on_lookup((identifier, row.hrid if row is not None else identifier))
    except LookupFailure as failure:
        return Reply(500, f"Could not look-up Inventory record set: {failure.text}".encode(), _JSON)
    return row if row is not None else Reply(404, f"Instance with ID {identifier} not found.".encode(), _JSON)


def _without(record_set: JsonObject, names: tuple[str, ...]) -> JsonObject:
    _drop(object_of(record_set["instance"]), names)
    for holdings in objects_of(record_set["holdingsRecords"]):
        _drop(holdings, (*names, "instanceId"))
        for item in objects_of(holdings.get("items")):
            _drop(item, (*names, "holdingsRecordId"))
    return record_set


def _drop(record: JsonObject, names: tuple[str, ...]) -> None:
    for name in names:
        record.pop(name, None)


def _sendable_relations(storage: TenantStorage, row: Row) -> JsonObject:
    if not storage.parents.of(row.id) and not storage.successions.of(row.id):
        # Only existing relations are rewritten; without any the look-up's own lists stay.
        return _raw_relations(storage, row)
    return sendable_relations(storage, row, every_kind=True)


def _raw_relations(storage: TenantStorage, row: Row) -> JsonObject:
    successions: list[JsonValue] = [storage.successions.as_record(link) for link in storage.successions.of(row.id)]
    hierarchy: list[JsonValue] = [storage.parents.as_record(link) for link in storage.parents.of(row.id)]
    return {"existingPrecedingSucceedingTitles": successions, "existingParentChildRelations": hierarchy}
