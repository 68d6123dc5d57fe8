"""The one outcome that every record ends in, and the reasons for a record that is refused before anything is called."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from service.domain.answers import Finding, Verdict
from service.domain.codes import Code
from service.domain.operations import Asked, EventIdentity
from service.domain.record import Record

UNREAD = EventIdentity()
"""Of a record that could not be read."""


class Overall(StrEnum):
    """The outcome of a whole event."""

    SUCCEEDED = "succeeded"
    UNCHANGED = "unchanged"
    PARTIAL = "partial"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an event. `path` is dotted from the event's root, indexes in brackets."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that is refused before anything is called: unreadable, of an unknown type, too large, or invalid."""

    code: Code
    message: str
    event: EventIdentity = UNREAD
    tenant: str | None = None
    traceparent: str | None = None
    faults: tuple[Fault, ...] = ()
    asked: tuple[Asked, ...] = ()
    """What the event asked for, as far as it can be told."""


class OperationOutcome(NamedTuple):
    """One entry of `operations` in a result."""

    asked: Asked
    finding: Finding
    attempts: int = 0
    duration_ms: int = 0
    faults: tuple[Fault, ...] = ()


class TimeSpent(NamedTuple):
    """Where the time of one record went, from its receipt to its outcome, in seconds."""

    lane: float = 0.0
    """Behind earlier events of the same entities."""
    gate: float = 0.0
    """For a slot, for an open circuit, or for its turn to repeat."""
    call: float = 0.0
    """In attempts: calls, and what adapters do around them."""
    pause: float = 0.0
    """Between attempts: back-off, or until an export is looked at again."""


NO_TIME: Final = TimeSpent()
_ALONE: Final = {
    Verdict.SUCCEEDED: Overall.SUCCEEDED,
    Verdict.UNCHANGED: Overall.UNCHANGED,
    Verdict.FAILED: Overall.FAILED,
}
"""Of an event with one operation, which most are."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one record. `operations` is never empty."""

    record: Record
    event: EventIdentity
    tenant: str | None
    traceparent: str | None
    operations: tuple[OperationOutcome, ...]
    finished_at: float
    """Seconds since 1970."""
    rejected: bool = False
    """Whether the record was refused before anything was called."""
    spent: TimeSpent = NO_TIME

    @property
    def overall(self) -> Overall:
        """`partial` when some of what was asked holds now and some does not."""
        if len(self.operations) == 1:
            return _ALONE[self.operations[0].finding.verdict]
        verdicts = [operation.finding.verdict for operation in self.operations]
        failures = verdicts.count(Verdict.FAILED)
        if failures == len(verdicts):
            return Overall.FAILED
        if failures:
            return Overall.PARTIAL
        if Verdict.SUCCEEDED in verdicts:
            return Overall.SUCCEEDED
        return Overall.UNCHANGED

    @property
    def first_failure(self) -> OperationOutcome | None:
        """The first operation that failed by itself: what the dead letter tells of."""
        for operation in self.operations:
            code = operation.finding.code
            if code is not None and code is not Code.NOT_ATTEMPTED:
                return operation
        return None
