"""Records and outcomes as the engine makes them, everything by keyword."""

from __future__ import annotations

from service.domain.answers import Finding, failed, succeeded, unchanged
from service.domain.codes import Code
from service.domain.operations import Asked, EventIdentity
from service.domain.outcomes import Fault, OperationOutcome, Outcome
from service.domain.record import Headers, Partition, Record

CHANGES = Partition("holdings.changes", 3)
UPDATE = Asked("eholdings", "update", "1-2-3")
OK = succeeded(200)
SAME = unchanged(200)
REFUSED = failed(Code.REFUSED, 422, "Start date must precede end date")
NOT_ATTEMPTED = failed(Code.NOT_ATTEMPTED, None, "not attempted: another operation of the event had failed")
RECEIVED_AT, FINISHED_AT = 1_700_000_000.0, 1_700_000_001.25


def record(
    offset: int = 42,
    *,
    partition: Partition = CHANGES,
    key: bytes | None = b"1-2-3",
    value: bytes | None = b'{"id": "e1"}',
    headers: Headers = (),
    epoch: int = 1,
) -> Record:
    return Record(partition, offset, key, value, headers, epoch, RECEIVED_AT)


def operation(
    finding: Finding = OK,
    asked: Asked = UPDATE,
    *,
    attempts: int = 1,
    duration_ms: int = 31,
    faults: tuple[Fault, ...] = (),
) -> OperationOutcome:
    return OperationOutcome(asked, finding, attempts, duration_ms, faults)


def outcome(
    *operations: OperationOutcome,
    of: Record | None = None,
    event: EventIdentity | None = None,
    tenant: str | None = "diku",
    traceparent: str | None = None,
    rejected: bool = False,
) -> Outcome:
    """One that succeeded, unless `operations` say otherwise."""
    return Outcome(
        of or record(),
        event or EventIdentity("e1", "/ils", "holdings.changed"),
        tenant,
        traceparent,
        operations or (operation(),),
        FINISHED_AT,
        rejected,
    )
