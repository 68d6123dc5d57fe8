"""Troubles inside storage on request: what no fault of the HTTP layer in front of the module can produce.

Owns matching and counting of the faults. What the module makes of a failed storage call is the module's business
(execution, deleting, upserting), not told here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from service.sandbox.exchange import JsonValue
from service.sandbox.inventory.refusals import (
    CONNECTION_CLOSED,
    LookupFailure,
    NoAnswer,
    Refusal,
    already_exists,
    conflict,
    error_entry,
    invalid,
    no_such_holdings,
    plain,
)
from service.sandbox.inventory.schemas import SCHEMAS, Entity
from service.sandbox.inventory.shapes import JsonObject
from service.sandbox.inventory.tables import Row
from service.sandbox.seeds import StateError, array_at, object_at, require_known, text_at
from service.sandbox.storage_text import fold

OPERATIONS: Final = ("create", "update", "delete", "lookup")
_SERVER_ERROR = "Internal Server Error, Please contact System Administrator or try again"


@dataclass(slots=True)
class StorageFault:
    """One trouble: storage fails `operation` on the record of this HRID (instance, holdings record or item; "*" is
    any).

    `status_code` 0 is a dropped connection; `message` None takes the words storage has for that status; `times` None
    never ends.
    """

    hrid: str
    operation: str
    status_code: int
    message: str | None = None
    times: int | None = 1

    def as_state(self) -> JsonObject:
        """The entry of the state key `storageFaults` that makes this fault again."""
        return {
            "hrid": self.hrid,
            "operation": self.operation,
            "statusCode": self.status_code,
            "message": self.message,
            "times": self.times,
        }


class StorageFaults:
    """The faults waiting to happen, oldest first; those used up are gone."""

    def __init__(self) -> None:
        self.waiting: list[StorageFault] = []

    def hit(self, operation: str, hrids: Iterable[str]) -> StorageFault | None:
        """Uses up one occurrence of the oldest fault that waits for this operation on one of the records."""
        if not self.waiting:
            return None
        touched = set(hrids)
        for fault in self.waiting:
            if fault.operation == operation and (fault.hrid == "*" or fault.hrid in touched):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        self.waiting.remove(fault)
                return fault
        return None

    def raise_on_lookup(self, hrids: Iterable[str]) -> None:
        """Raises LookupFailure when the look-up of these records is to fail."""
        fault = self.hit("lookup", hrids)
        if fault is not None:
            raise LookupFailure(fault.status_code, _failure_text(fault))

    def raise_on_write(self, operation: str, entity: Entity, records: Sequence[JsonObject], row: Row | None) -> None:
        """Raises Refusal when the write of these records is to fail, NoAnswer when its connection is dropped.

        `row` is what is stored of the first record, None when nothing is.
        """
        fault = self.hit(operation, (str(record.get("hrid")) for record in records))
        if fault is None:
            return
        if fault.status_code == 0:
            raise NoAnswer
        raise _refused_write(fault, operation, entity, records[0], row)

    def raise_on_delete(self, hrid: str) -> None:
        """Raises Refusal when the deletion of this record is to fail; a dropped connection is a refusal of status 0."""
        fault = self.hit("delete", (hrid,))
        if fault is not None:
            raise plain(fault.status_code, _failure_text(fault))


def faults_from_state(entries: JsonValue) -> list[StorageFault]:
    """Reads the state key `storageFaults`. Raises ValueError that names the field."""
    faults = array_at(entries, "storageFaults")
    return [_fault_from_state(entry, f"storageFaults[{index}]") for index, entry in enumerate(faults)]


def _fault_from_state(entry: JsonValue, where: str) -> StorageFault:
    fault = object_at(entry, where)
    require_known(fault, ("hrid", "operation", "statusCode", "message", "times"), where)
    hrid = text_at(fault.get("hrid"), f"{where}.hrid")
    operation, status, message, times = (fault.get(name) for name in ("operation", "statusCode", "message", "times"))
    if not isinstance(operation, str) or operation not in OPERATIONS:
        raise StateError(f"{where}.operation", f"one of {', '.join(OPERATIONS)}")
    if isinstance(status, bool) or not isinstance(status, int) or not (status == 0 or 400 <= status <= 599):
        raise StateError(f"{where}.statusCode", "0 (dropped connection) or 400 to 599")
    if message is not None and not isinstance(message, str):
        raise StateError(f"{where}.message", "a string")
    if "times" not in fault:
        times = 1
    if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
        raise StateError(f"{where}.times", "a number of at least 1, or null for every time")
    return StorageFault(hrid, operation, status, message, times)


def _failure_text(fault: StorageFault) -> str:
    if fault.status_code == 0:
        return fault.message or CONNECTION_CLOSED
    default = "Not found" if fault.status_code == 404 else _SERVER_ERROR
    return f"{fault.status_code}: {fault.message or default}"


def _refused_write(fault: StorageFault, operation: str, entity: Entity, record: JsonObject, row: Row | None) -> Refusal:
    status = fault.status_code
    if fault.message is not None:
        return invalid(error_entry(fault.message)) if status == 422 else plain(status, fault.message)
    if status == 409:
        version = row.version if row is not None else 1
        return conflict(str(record.get("id")), version + 1, version)
    if status == 422 and operation == "update" and entity is Entity.ITEM:
        return no_such_holdings(str(record.get("holdingsRecordId")))
    if status == 422:
        return already_exists(SCHEMAS[entity].table, fold(str(record.get("hrid"))))
    return plain(status, _SERVER_ERROR)
