"""What a record that is refused before anything is called ends as. Owns how faults are told apart by
operation."""

from __future__ import annotations

import time

from service.domain.answers import failed
from service.domain.codes import Code
from service.domain.operations import Asked
from service.domain.outcomes import Fault, OperationOutcome, Outcome, Rejection
from service.domain.record import Record


def reject(record: Record, rejection: Rejection) -> Outcome:
    """The outcome of a record that is refused before anything is called."""
    return Outcome(
        record,
        rejection.event,
        rejection.tenant,
        rejection.traceparent,
        _rejected_operations(rejection),
        time.time(),
        True,
    )


_PARTS = {"eholdings": "eholdings", "inventory": "inventory", "holdings-sources": "holdingsSource"}
_LISTS = {"transfer-item": "itemTransfers", "transfer-holdings": "holdingTransfers"}


def _rejected_operations(rejection: Rejection) -> tuple[OperationOutcome, ...]:
    """An entry for each thing asked for, the faults with the first that they are about; one without a name where
    nothing can be told."""
    finding = failed(rejection.code, None, rejection.message)
    by_part: dict[str, list[Fault]] = {}
    for fault in rejection.faults:
        by_part.setdefault(_part_of(fault), []).append(fault)
    entries: list[OperationOutcome] = []
    for asked in rejection.asked:
        part = _LISTS.get(asked.operation or "") or _PARTS.get(asked.system or "", "")
        mine = by_part.pop(part, None)
        entries.append(OperationOutcome(asked, finding, faults=tuple(mine)) if mine else not_attempted(asked))
    if not entries:
        return (OperationOutcome(Asked(None, None, None), finding, faults=rejection.faults),)
    left = [fault for fault in rejection.faults if _part_of(fault) in by_part]
    first = next((i for i, entry in enumerate(entries) if entry.finding.code is not Code.NOT_ATTEMPTED), 0)
    if left or entries[first].finding.code is Code.NOT_ATTEMPTED:
        entries[first] = OperationOutcome(entries[first].asked, finding, faults=(*entries[first].faults, *left))
    return tuple(entries)


def _part_of(fault: Fault) -> str:
    return fault.path.removeprefix("data.").partition(".")[0].partition("[")[0]


def not_attempted(asked: Asked) -> OperationOutcome:
    """Of what was asked for in vain because of something else in its event."""
    return OperationOutcome(
        asked, failed(Code.NOT_ATTEMPTED, None, "not attempted: another operation of the event had failed")
    )
