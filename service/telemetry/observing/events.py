"""What becomes of records."""

from __future__ import annotations

import time

from service.domain.operations import Plan
from service.domain.outcomes import Outcome
from service.domain.record import Record
from service.telemetry.log_events import (
    CALL_BROKEN,
    CALL_RETRY_SCHEDULED,
    RECORD_DEAD_LETTERED,
    RECORD_DROPPED,
    RECORD_HELD,
    RECORD_SETTLED,
    Log,
    places,
)
from service.telemetry.metrics.events import EventMetrics
from service.telemetry.observing.failures import Failure, LatestFailures

REFUSED_TYPE = "none"
"""Stands for the type of a record that was refused before anything was called: its own may be anything."""


class ObservedEvents:
    """Of all records of a worker."""

    def __init__(self, metrics: EventMetrics, log: Log) -> None:
        self._event_metrics = metrics
        self._event_log = log
        self._failures = LatestFailures()

    @property
    def latest_failures(self) -> tuple[Failure, ...]:
        """Newest first. May be asked from another thread."""
        return self._failures.newest_first

    def received(self, record: Record) -> None:
        self._event_metrics.received.inc()

    def settled(self, outcome: Outcome) -> None:
        event_type = outcome.event.type if outcome.event.type and not outcome.rejected else REFUSED_TYPE
        now = time.time()
        metrics, record = self._event_metrics, outcome.record
        metrics.settled[event_type, outcome.overall].inc()
        metrics.handling_seconds[event_type,].observe(max(0.0, now - record.received_at))
        if record.sent_at is not None:
            metrics.end_to_end_seconds[event_type,].observe(max(0.0, now - record.sent_at))
        self._split(event_type, outcome, now)
        self._tell(outcome)

    def retrying(
        self, record: Record, plan: Plan, system: str, attempts: int, pause_seconds: float, message: str
    ) -> None:
        self._event_metrics.retries[system,].inc()
        self._event_log.say(
            CALL_RETRY_SCHEDULED,
            **_where(record),
            event_id=plan.event.id,
            tenant=plan.tenant,
            system=system,
            attempts=attempts,
            pause_seconds=round(pause_seconds, 3),
            message=message,
        )

    def held(self, outcome: Outcome, message: str) -> None:
        self._event_metrics.holds.inc()
        self._event_log.say(RECORD_HELD, **_what(outcome), reason=message)

    def dropped(self, record: Record, message: str) -> None:
        self._event_metrics.dropped.inc()
        self._event_log.say(RECORD_DROPPED, **_where(record), reason=message)

    def broken(self, record: Record, plan: Plan, error: Exception) -> None:
        self._event_metrics.defects.inc()
        self._event_log.say(
            CALL_BROKEN,
            **_where(record),
            event_id=plan.event.id,
            tenant=plan.tenant,
            error=type(error).__name__,
            places=places(error),
        )

    def _split(self, event_type: str, outcome: Outcome, now: float) -> None:
        phases, spent = self._event_metrics.phase_seconds, outcome.spent
        phases[event_type, "commit"].observe(max(0.0, now - outcome.finished_at))
        if outcome.rejected:
            return
        phases[event_type, "lane"].observe(spent.lane)
        phases[event_type, "gate"].observe(spent.gate)
        phases[event_type, "call"].observe(spent.call)
        phases[event_type, "pause"].observe(spent.pause)

    def _tell(self, outcome: Outcome) -> None:
        failure = outcome.first_failure
        if failure is None:
            if self._event_log.says(RECORD_SETTLED):
                self._event_log.say(RECORD_SETTLED, **_what(outcome), outcome=outcome.overall)
            return
        self._event_metrics.dead_letters[str(failure.finding.code),].inc()
        self._failures.add(outcome, failure)
        self._event_log.say(
            RECORD_DEAD_LETTERED,
            **_what(outcome),
            outcome=outcome.overall,
            code=failure.finding.code,
            system=failure.asked.system,
            target=failure.asked.target,
            status=failure.finding.status,
            message=failure.finding.message,
        )


def _where(record: Record) -> dict[str, str | int]:
    return {"topic": record.partition.topic, "partition": record.partition.number, "offset": record.offset}


def _what(outcome: Outcome) -> dict[str, str | int | None]:
    return {**_where(outcome.record), "event_id": outcome.event.id, "tenant": outcome.tenant}
