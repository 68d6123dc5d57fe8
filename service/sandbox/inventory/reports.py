"""mod-inventory-update's error report, the object in `errors` of a 207 and the whole body of a 404, 422 or 500.

Owns its members and their order. Must not decide which errors are reported.
"""

from __future__ import annotations

from service.sandbox.exchange import JsonValue
from service.sandbox.inventory.refusals import LookupFailure, Refusal
from service.sandbox.inventory.shapes import JsonObject

FETCHING_FAILED = "Fetching from storage before update failed."
CREATING_RELATIONS_FAILED = "UpdatePlan using repository: There was an error creating instance relations"
CREATING_PROVISIONALS_FAILED = "There was an error creating provisional Instances"
_SHORT = 40
# The handler of DELETE shortens a failed record's pretty-printed report as if it were a plain message.
_SHORT_OF_REPORT = '{\n  "category" : "STORAGE",\n  "message" '


def validation_report(
    message: str, short_message: str, entity_type: str, entity: JsonObject, request: JsonValue
) -> JsonObject:
    """A record set that the module refuses before it asks storage."""
    return _report("VALIDATION", _wrapped(message), short_message, entity_type, entity, 422, request)


def storage_report(
    refusal: Refusal, entity_type: str, entity: JsonObject, request: JsonValue, *, batch: bool = False
) -> JsonObject:
    """A write that storage refused. `batch` marks that several records went down with it; `entity` is then the first of
    them.
    """
    category = "BATCH_STORAGE" if batch else "STORAGE"
    return _report(category, refusal.message, refusal.short_message, entity_type, entity, refusal.status, request)


def lookup_report(failure: LookupFailure) -> JsonObject:
    """The look-up before an upsert failed: nothing was written, nothing of the request comes back."""
    message = _wrapped(failure.text)
    report = _report("STORAGE", message, FETCHING_FAILED, "INSTANCE", {}, failure.status, None)
    report["details"] = {"context": [None]}
    return report


def not_deleted_report(reason: str) -> JsonObject:
    """404 of a DELETE: only the reason tells an unknown instance from a look-up that failed."""
    message = f"Error processing delete request: {reason}"
    return _report("STORAGE", _wrapped(message), message[:_SHORT], "", {}, 404, None)


def failed_deletion_report(record_report: JsonObject) -> JsonObject:
    """The one error of a DELETE that failed half-way: the failed record's report travels inside `message`."""
    return _report("STORAGE", record_report, _SHORT_OF_REPORT, "", {}, 500, None)


def http_status(report: JsonObject) -> int:
    """The HTTP status of a report that is the whole body: its own, 500 for a dropped connection (0)."""
    status = report["statusCode"]
    return status if isinstance(status, int) and 100 <= status <= 599 else 500


def _wrapped(text: str) -> JsonObject:
    return {"errors": [{"message": text}]}


def _report(
    category: str,
    message: JsonObject,
    short_message: str,
    entity_type: str,
    entity: JsonObject,
    status: int,
    request: JsonValue,
) -> JsonObject:
    return {
        "category": category,
        "message": message,
        "shortMessage": short_message,
        "entityType": entity_type,
        "entity": entity,
        "statusCode": status,
        "requestJson": request,
        "details": {},
    }
