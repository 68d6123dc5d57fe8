"""Statuses of a worker, everything by keyword."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from service.domain.record import Partition
from service.engine.circuit import Reason
from service.engine.state import GateState, Membership, PartitionState, RepeatState, WorkerState
from service.telemetry.metrics.standing import Standing
from service.telemetry.observing.calls import OpenCircuit
from service.telemetry.observing.failures import Failure
from service.telemetry.readiness import Readiness
from service.telemetry.status import Status
from service.telemetry.throughput import Rates

NOW: Final = 1_700_000_000.0
"""2023-11-14 22:13:20 UTC."""
ONE, TWO = Partition("holdings.changes", 0), Partition("holdings.changes", 1)


def partition(where: Partition = ONE, *, frontier: int = 40, oldest_since: float | None = None) -> PartitionState:
    return PartitionState(where, frontier, oldest_since, 3, 300, 17, 0, False)


def repeat(
    event_id: str | None = "e1",
    *,
    entities: tuple[str, ...] = ("eholdings/diku/22-1-2",),
    entity_count: int | None = None,
    attempts: int = 2,
    message: str = "HTTP 503",
    due_in_seconds: float | None = 5.0,
) -> RepeatState:
    count = len(entities) if entity_count is None else entity_count
    return RepeatState(ONE, 42, event_id, "diku", entities, count, "eholdings", attempts, message, due_in_seconds)


def gate(
    system: str = "eholdings",
    tenant: str | None = "diku",
    *,
    reason: Reason | None = None,
    waiting: int = 0,
    probe_in_seconds: float | None = None,
) -> GateState:
    return GateState(system, tenant, reason, waiting, 100.0, 0, 240, probe_in_seconds)


def circuit(
    system: str = "eholdings",
    tenant: str | None = "diku",
    *,
    reason: str = "failing",
    message: str = "try later",
) -> OpenCircuit:
    return OpenCircuit(system, tenant, reason, NOW - 90, message)


def failure(
    event_id: str | None = "e9",
    *,
    target: str | None = "22-1-9",
    message: str | None = "no such title",
    code: str = "refused",
) -> Failure:
    return Failure(NOW - 60, TWO, 7, event_id, code, "eholdings", target, message)


def status(
    *,
    worker: WorkerState | None = None,
    ends: Mapping[Partition, int] | None = None,
    rates: Rates | None = None,
    taken_at: float = NOW,
    trouble: str | None = None,
    membership: Membership | None = None,
    circuits: tuple[OpenCircuit, ...] = (),
    settled: Mapping[str, int] | None = None,
    failures: tuple[Failure, ...] = (),
    name: str = "relay-0-7",
) -> Status:
    """A worker that is ready and has nothing to do, unless told otherwise."""
    return Status(
        now=NOW,
        worker=name,
        group="holdings-relay",
        started_at=NOW - 3700,
        trouble=trouble,
        readiness=Readiness(membership or Membership(joined=True), circuits),
        standing=Standing(worker or WorkerState(), ends or {}, taken_at, rates or Rates()),
        settled=settled or {},
        failures=failures,
    )


def busy() -> Status:
    """Something in every section."""
    repeats = tuple(repeat(f"e{number}", message="HTTP 503: the knowledge base is away") for number in range(3))
    gates = (
        gate(reason=Reason.FAILING, waiting=4, probe_in_seconds=12.0),
        gate("holdingsiq", "apidvgvmt", reason=Reason.QUOTA, waiting=1, probe_in_seconds=100.0),
    )
    return status(
        worker=WorkerState(
            (partition(oldest_since=NOW - 30), partition(TWO)),
            gates=gates,
            jobs=8,
            running=5,
            repeating=3,
            repeats=repeats,
        ),
        ends={ONE: 45, TWO: 40},
        rates=Rates(12.5, 8.25),
        circuits=(circuit(), circuit("holdingsiq", "apidvgvmt", reason="quota", message="daily limit reached")),
        settled={"succeeded": 1234, "failed": 1},
        failures=(failure(),),
    )
