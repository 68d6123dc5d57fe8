"""The latest dead letters, for whoever looks at a worker. Owns its bound; counts nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from service.domain.outcomes import OperationOutcome, Outcome
from service.domain.record import Partition
from service.engine.state import cut

MOST_FAILURES: Final = 20


@dataclass(frozen=True, slots=True)
class Failure:
    """An event that failed, wholly or in part: what its dead letter tells. Texts are cut."""

    at: float
    """When it failed, in seconds since 1970."""
    partition: Partition
    offset: int
    event_id: str | None
    code: str
    system: str | None
    target: str | None
    message: str | None
    """What the system or the relay said, without secrets."""


class LatestFailures:
    """At most `MOST_FAILURES`. Written by one thread; `newest_first` may be read by another."""

    def __init__(self) -> None:
        self.newest_first: tuple[Failure, ...] = ()
        """Replaced as a whole, never changed."""

    def add(self, outcome: Outcome, failure: OperationOutcome) -> None:
        """The dead letter of `outcome` is stored; `failure` is what it tells of."""
        finding, asked = failure.finding, failure.asked
        told = Failure(
            outcome.finished_at,
            outcome.record.partition,
            outcome.record.offset,
            _cut(outcome.event.id),
            str(finding.code),
            asked.system,
            _cut(asked.target),
            _cut(finding.message),
        )
        self.newest_first = (told, *self.newest_first[: MOST_FAILURES - 1])


def _cut(text: str | None) -> str | None:
    return None if text is None else cut(text)
