"""Building blocks of stories about inventory: record sets of events, complete enough for storage to take them."""

from __future__ import annotations

from typing import Final

from service.demo.sample import JsonObject
from service.demo.samples.telling import DEFAULT_TENANT
from service.sandbox.exchange import JsonValue
from service.sandbox.holdings_sources import FOLIO_SOURCE_ID

STACKS: Final = "11c2f0a4-52c8-4f0c-8b35-0c8f64d2a101"
READING_ROOM: Final = "11c2f0a4-52c8-4f0c-8b35-0c8f64d2a102"
OFFSITE: Final = "11c2f0a4-52c8-4f0c-8b35-0c8f64d2a103"
NO_SUCH_LOCATION: Final = "11c2f0a4-52c8-4f0c-8b35-0c8f64d2a1ff"

_TEXT: Final = "4f6e1d7c-08c1-4a53-9a0e-2d0c52b7e201"
_BOOK: Final = "4f6e1d7c-08c1-4a53-9a0e-2d0c52b7e202"
_CAN_CIRCULATE: Final = "4f6e1d7c-08c1-4a53-9a0e-2d0c52b7e203"
PART_OF: Final = "4f6e1d7c-08c1-4a53-9a0e-2d0c52b7e204"


def upsert(instance: JsonObject, *holdings: JsonObject, **others: JsonValue) -> JsonObject:
    """An `upsert` of an instance with all its holdings records; `others` are `instanceRelations` and `processing`."""
    return {"action": "upsert", "instance": instance, "holdingsRecords": [*holdings], **others}


def upsert_alone(instance: JsonObject, **others: JsonValue) -> JsonObject:
    """An `upsert` that leaves the holdings records of the instance alone."""
    return {"action": "upsert", "instance": instance, **others}


def delete(hrid: str) -> JsonObject:
    """A `delete`."""
    return {"action": "delete", "hrid": hrid}


def instance(hrid: str, title: str, **fields: JsonValue) -> JsonObject:
    """An instance; texts in `fields` go to storage as they are."""
    return {"hrid": hrid, "title": title, "source": "ILS", "instanceTypeId": _TEXT, **fields}


def holdings(hrid: str, *items: JsonObject, location: str = STACKS, **fields: JsonValue) -> JsonObject:
    """A holdings record with its items. Without `sourceName` it is FOLIO's own."""
    source: JsonObject = {} if "sourceName" in fields else {"sourceId": FOLIO_SOURCE_ID}
    return {"hrid": hrid, "permanentLocationId": location, **source, **fields, "items": [*items]}


def item(hrid: str, barcode: str, status: str = "Available", **fields: JsonValue) -> JsonObject:
    """An item."""
    return {
        "hrid": hrid,
        "barcode": barcode,
        "status": {"name": status},
        "materialTypeId": _BOOK,
        "permanentLoanTypeId": _CAN_CIRCULATE,
        **fields,
    }


def author(name: str) -> JsonValue:
    """The value of `contributors` for one author."""
    return [{"name": name, "contributorNameTypeId": "4f6e1d7c-08c1-4a53-9a0e-2d0c52b7e205", "primary": True}]


def stored(*sets: JsonObject, tenant: str = DEFAULT_TENANT) -> JsonObject:
    """Seed of inventory: what `upsert` operations say is there already."""
    kept = {_hrid(told): {name: told[name] for name in ("instance", "holdingsRecords")} for told in sets}
    return {"inventory": {"tenants": {tenant: {"recordSets": {**kept}}}}}


def locations(*places: str | tuple[str, str], tenant: str = DEFAULT_TENANT) -> JsonObject:
    """Seed of inventory: the only locations that the tenant has; some belong to an institution."""
    listed: list[JsonValue] = [
        place if isinstance(place, str) else {"id": place[0], "institutionId": place[1]} for place in places
    ]
    return {"inventory": {"tenants": {tenant: {"locations": listed}}}}


def storage_trouble(hrid: str, operation: str, status: int) -> JsonObject:
    """Seed of inventory: storage behind the module fails once on this record."""
    return {"inventory": {"storageFaults": [{"hrid": hrid, "operation": operation, "statusCode": status}]}}


def _hrid(told: JsonObject) -> str:
    found = told["instance"]
    return str(found["hrid"]) if isinstance(found, dict) else ""
