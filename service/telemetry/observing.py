"""Turns what the engine reports into metrics and log lines. Decides nothing."""

from __future__ import annotations

import time
import traceback

import structlog

from service.domain.outcomes import Outcome, Overall
from service.domain.record import Partition, Record
from service.engine.offsets import Position
from service.telemetry.metrics import Metrics


class Telemetry:
    """Implements `engine.ports.Observer` and the observers of calls and of metadata."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._open: dict[tuple[str, str | None], str] = {}
        self._log = structlog.get_logger()

    def received(self, record: Record) -> None:
        self._metrics.in_work.inc()

    def held(self, record: Record, message: str) -> None:
        self._metrics.held.inc()
        self._log.error("record.held", **_where(record), reason=message)

    def dropped(self, record: Record, message: str) -> None:
        self._metrics.in_work.dec()
        self._log.debug("record.dropped", **_where(record), reason=message)

    def retrying(self, record: Record, system: str, attempts: int, pause_seconds: float, message: str) -> None:
        self._metrics.retries.labels(system).inc()
        self._log.warning(
            "call.retry_scheduled",
            **_where(record),
            system=system,
            attempts=attempts,
            pause_seconds=round(pause_seconds, 3),
            message=message,
        )

    def settled(self, outcome: Outcome) -> None:
        event_type = outcome.event.type if outcome.event.type and not outcome.rejected else "none"
        self._metrics.in_work.dec()
        self._metrics.events.labels(event_type, outcome.overall).inc()
        self._metrics.event_seconds.labels(event_type).observe(max(0.0, time.time() - outcome.record.received_at))
        failure = outcome.first_failure
        if failure is None:
            self._log.debug(
                "record.settled", **_where(outcome.record), event_id=outcome.event.id, outcome=outcome.overall
            )
            return
        self._metrics.dead_letters.labels(failure.finding.code).inc()
        self._log.error(
            "record.dead_lettered",
            **_where(outcome.record),
            event_id=outcome.event.id,
            tenant=outcome.tenant,
            outcome=outcome.overall if outcome.overall is Overall.PARTIAL else Overall.FAILED,
            code=failure.finding.code,
            system=failure.asked.system,
            target=failure.asked.target,
            status=failure.finding.status,
            message=failure.finding.message,
        )

    def committed(self, partition: Partition, records: int, seconds: float) -> None:
        self._metrics.commits.inc()
        self._metrics.commit_seconds.observe(seconds)

    def commit_failed(self, partition: Partition, message: str) -> None:
        self._metrics.commit_failures.inc()
        self._log.error("commit.failed", topic=partition.topic, partition=partition.number, reason=message)

    def broken(self, record: Record, error: Exception) -> None:
        places = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
        self._log.error("call.broken", **_where(record), error=type(error).__name__, places=places)

    def suspended(self, seconds: float) -> None:
        self._metrics.suspensions.inc()
        self._log.warning("worker.suspended", seconds=round(seconds, 3))

    def stalled(self, trouble: str, stacks: list[str]) -> None:
        """The worker is not alive. Called from the watchdog's thread, once for each stall."""
        self._metrics.stalls.inc()
        self._log.error("worker.stalled", trouble=trouble, stacks=stacks)

    def source_failed(self, message: str) -> None:
        self._log.error("kafka.unavailable", reason=message)

    def circuit_opened(self, system: str, tenant: str | None, reason: str, message: str) -> None:
        if before := self._open.get((system, tenant)):
            self._metrics.circuits_open.labels(system, before).dec()
        self._metrics.circuits_open.labels(system, reason).inc()
        self._open[system, tenant] = reason
        self._log.error("circuit.opened", system=system, tenant=tenant, reason=reason, message=message)

    def circuit_closed(self, system: str, tenant: str | None) -> None:
        reason = self._open.pop((system, tenant))
        self._metrics.circuits_open.labels(system, reason).dec()
        self._log.info("circuit.closed", system=system, tenant=tenant, reason=reason)

    @property
    def refused_credentials(self) -> list[str]:
        """Systems, and tenants where they know any, that refuse our credentials now."""
        return sorted(
            f"{system}/{tenant}" if tenant else system
            for (system, tenant), reason in list(self._open.items())  # asked from another thread
            if reason == "credentials"
        )

    def partition_taken(self, partition: Partition, position: Position) -> None:
        self._metrics.partitions.inc()
        self._log.info(
            "partition.taken",
            topic=partition.topic,
            partition=partition.number,
            offset=position.frontier,
            finished_beyond=sum(end - start for start, end in position.completed),
        )

    def partition_released(self, partition: Partition, reason: str) -> None:
        self._metrics.partitions.dec()
        self._log.info("partition.released", topic=partition.topic, partition=partition.number, reason=reason)

    def partition_lost(self, partition: Partition, message: str) -> None:
        self._log.warning("partition.lost", topic=partition.topic, partition=partition.number, reason=message)

    def call_finished(self, system: str, operation: str, status: int | None, seconds: float) -> None:
        """One call of a system has ended; `status` is None when no answer came."""
        self._metrics.calls.labels(system, operation, str(status or 0)).inc()
        self._metrics.call_seconds.labels(system).observe(seconds)

    def metadata_damaged(self, partition: Partition, message: str) -> None:
        self._metrics.metadata_damaged.inc()
        self._log.warning("commit.metadata_damaged", topic=partition.topic, partition=partition.number, reason=message)


def _where(record: Record) -> dict[str, str | int]:
    return {"topic": record.partition.topic, "partition": record.partition.number, "offset": record.offset}
