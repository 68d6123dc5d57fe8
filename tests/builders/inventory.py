"""Record sets for inventory tests: complete enough for storage, everything else by keyword."""

from __future__ import annotations

from typing import Any, Final

from service.sandbox.holdings_sources import FOLIO_SOURCE_ID

LOCATION_ID: Final = "53cf956f-c1df-410b-8bea-27f712cca7c0"
OTHER_LOCATION_ID: Final = "fcd64ce1-6995-48f0-840e-89ffa2288371"
MISSING_LOCATION_ID: Final = "00000000-0000-4000-8000-00000000dead"
INSTANCE_TYPE_ID: Final = "6312d172-f0cf-40f6-b27d-9fa8feaf332f"
MATERIAL_TYPE_ID: Final = "1a54b431-2e4f-452d-9cae-9cee66c9a892"
LOAN_TYPE_ID: Final = "2b94c631-fca9-4892-a730-03ee529ffe27"
RELATIONSHIP_TYPE_ID: Final = "30773a27-b485-4dab-aeb6-b8c04fa3cb17"

JsonObject = dict[str, Any]


def instance(hrid: Any = "in1", **members: Any) -> JsonObject:
    """An instance; a member given as `...` is left out."""
    defaults = {"hrid": hrid, "title": f"Title of {hrid}", "source": "TEST", "instanceTypeId": INSTANCE_TYPE_ID}
    return _with(defaults, members)


def holdings(hrid: Any = "ho1", *items: JsonObject, **members: Any) -> JsonObject:
    """A holdings record with its items; `items=...` leaves the property out, any other member likewise."""
    defaults = {
        "hrid": hrid,
        "permanentLocationId": LOCATION_ID,
        "sourceId": FOLIO_SOURCE_ID,
        "items": list(items),
    }
    return _with(defaults, members)


def item(hrid: Any = "it1", status: Any = "Available", **members: Any) -> JsonObject:
    """An item; a member given as `...` is left out."""
    defaults = {
        "hrid": hrid,
        "status": status if status is ... else {"name": status},
        "materialTypeId": MATERIAL_TYPE_ID,
        "permanentLoanTypeId": LOAN_TYPE_ID,
    }
    return _with(defaults, members)


def record_set(hrid: str = "in1", *every_holdings: JsonObject, **members: Any) -> JsonObject:
    """A record set of an instance (`instance=` replaces it) with its holdings records; `holdingsRecords=...` leaves
    them out.
    """
    return _with({"instance": instance(hrid), "holdingsRecords": list(every_holdings)}, members)


def small_set(suffix: str = "1", **members: Any) -> JsonObject:
    """The usual set: instance in<suffix> with holdings record ho<suffix> and item it<suffix>."""
    return record_set(f"in{suffix}", holdings(f"ho{suffix}", item(f"it{suffix}")), **members)


def _with(defaults: JsonObject, members: JsonObject) -> JsonObject:
    return {name: value for name, value in {**defaults, **members}.items() if value is not ...}
