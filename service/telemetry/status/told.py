"""The status as JSON: the same as the page, for tools. Times are texts in UTC; what is not known is null."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeAlias

from service import __version__
from service.engine.state import PartitionState, RepeatState
from service.telemetry.observing.failures import Failure
from service.telemetry.status.snapshot import CircuitStatus, QuotaStatus, Status

Told: TypeAlias = dict[str, object]


def to_json(status: Status) -> Told:
    """What `/status` answers."""
    worker, rates = status.standing.worker, status.standing.rates
    return {
        "worker": status.worker,
        "version": __version__,
        "group": status.group,
        "startedAt": _time(status.started_at),
        "at": _time(status.now),
        "takenAt": _time(status.taken_at),
        "alive": status.trouble is None,
        "trouble": status.trouble,
        "ready": status.readiness.ready,
        "reasons": status.readiness.reasons,
        "throughput": {
            "perSecondShort": rates.short,
            "perSecondLong": rates.long,
            "settled": dict(status.settled),
            "inWork": worker.jobs,
            "running": worker.running,
        },
        "lag": status.lag,
        "partitions": [_partition(status, state) for state in status.partitions],
        "repeating": worker.repeating,
        "repeats": [_repeat(status, repeat) for repeat in worker.repeats],
        "openCircuits": [_circuit(circuit) for circuit in status.circuits],
        "quotas": [_quota(quota) for quota in status.quotas],
        "latestFailures": [_failure(failure) for failure in status.failures],
    }


def _partition(status: Status, state: PartitionState) -> Told:
    return {
        "topic": state.partition.topic,
        "partition": state.partition.number,
        "lag": status.standing.lag(state),
        "oldestUnfinishedSeconds": round(status.standing.oldest_seconds(state), 3),
        "inMemory": state.unsettled,
        "onHold": state.held,
        "paused": state.rests,
    }


def _repeat(status: Status, repeat: RepeatState) -> Told:
    return {
        "entities": list(repeat.entities),
        "entityCount": repeat.entity_count,
        "system": repeat.system,
        "tenant": repeat.tenant,
        "attempts": repeat.attempts,
        "message": repeat.message,
        "nextAttemptAt": _time(status.next_attempt_at(repeat)),
        "eventId": repeat.event_id,
        "topic": repeat.partition.topic,
        "partition": repeat.partition.number,
        "offset": repeat.offset,
    }


def _circuit(circuit: CircuitStatus) -> Told:
    return {
        "system": circuit.system,
        "tenant": circuit.tenant,
        "reason": circuit.reason,
        "message": circuit.message,
        "since": _time(circuit.since),
        "probing": circuit.probing,
        "nextProbeAt": _time(circuit.probe_at),
        "waiting": circuit.waiting,
    }


def _quota(quota: QuotaStatus) -> Told:
    return {
        "system": quota.system,
        "tenant": quota.tenant,
        "spentSince": _time(quota.spent_since),
        "nextProbeAt": _time(quota.probe_at),
    }


def _failure(failure: Failure) -> Told:
    return {
        "at": _time(failure.at),
        "code": failure.code,
        "system": failure.system,
        "target": failure.target,
        "eventId": failure.event_id,
        "message": failure.message,
        "topic": failure.partition.topic,
        "partition": failure.partition.number,
        "offset": failure.offset,
    }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
