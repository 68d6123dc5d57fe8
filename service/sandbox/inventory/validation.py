"""What the module refuses in record sets before it asks storage: missing and repeated HRIDs.

Decides nothing else; shapes are settled by the contract before.
"""

from __future__ import annotations

from collections.abc import Sequence

from service.sandbox.inventory.records import Origin
from service.sandbox.inventory.reports import validation_report
from service.sandbox.inventory.shapes import JsonObject, object_of, objects_of


def hrid_error(sent: Sequence[JsonObject], origins: Sequence[Origin]) -> JsonObject | None:
    """The report of the first fault in the sets: a missing HRID in any of them before a repeated one. None when there
    is none.
    """
    for record_set, origin in zip(sent, origins, strict=True):
        report = _missing_hrid(record_set, origin)
        if report is not None:
            return report
    return _repeated_hrid(sent)


def _missing_hrid(record_set: JsonObject, origin: Origin) -> JsonObject | None:
    instance = object_of(record_set["instance"])
    if not instance.get("hrid"):
        return validation_report("HRID is missing or empty.", "", "INSTANCE", instance, origin())
    for holdings in objects_of(record_set.get("holdingsRecords")):
        if "hrid" not in holdings:
            return validation_report(
                "Holdings must have a HRID to be processed by this API.",
                "Missing HRID in holdings record",
                "HOLDINGS_RECORD",
                holdings,
                origin(),
            )
        for item in objects_of(holdings.get("items")):
            if "hrid" not in item:
                message = "Items must have a HRID to be processed by this API"
                return validation_report(message, "Missing HRID in Item", "", item, origin())
    return None


def _repeated_hrid(sent: Sequence[JsonObject]) -> JsonObject | None:
    instances: set[str] = set()
    holdings: set[str] = set()
    items: set[str] = set()
    for record_set in sent:
        instance = object_of(record_set["instance"])
        if _seen(instance, instances):
            message = f"Instance HRID {instance['hrid']} occurs more that once in this batch."
            return _repeated(message, "INSTANCE", instance, "Instance HRID is repeated in this batch")
        for holdings_record in objects_of(record_set.get("holdingsRecords")):
            if _seen(holdings_record, holdings):
                message = f"Holdings record HRID {holdings_record['hrid']} appears more that once in batch."
                return _repeated(message, "HOLDINGS_RECORD", holdings_record)
            for item in objects_of(holdings_record.get("items")):
                if _seen(item, items):
                    return _repeated(f"Item HRID {item['hrid']} appears more than once in batch.", "ITEM", item)
    return None


def _repeated(
    message: str, entity_type: str, entity: JsonObject, short_message: str = "Recurring HRID detected in batch"
) -> JsonObject:
    # These errors are made without the request: nothing comes back to tell the set by.
    return validation_report(message, short_message, entity_type, entity, None)


def _seen(record: JsonObject, hrids: set[str]) -> bool:
    hrid = str(record["hrid"])
    if hrid in hrids:
        return True
    hrids.add(hrid)
    return False
