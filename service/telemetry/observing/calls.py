"""Calls of the systems, and which systems are not called."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus

from service.telemetry.log_events import CIRCUIT_CLOSED, CIRCUIT_OPENED, Log
from service.telemetry.metrics.calls import CallMetrics

NO_ANSWER = 0
_KNOWN = frozenset(status.value for status in HTTPStatus)


@dataclass(frozen=True, slots=True)
class OpenCircuit:
    """A system that one tenant does not ask for now."""

    system: str
    tenant: str | None
    reason: str
    since: float
    """Seconds since 1970: when it opened for this reason."""
    message: str
    """What the system said to the call that opened it."""

    @property
    def name(self) -> str:
        return f"{self.system}/{self.tenant}" if self.tenant else self.system


class ObservedCalls:
    """Implements `systems.http.CallObserver`, and what the engine tells of circuits."""

    def __init__(self, metrics: CallMetrics, log: Log) -> None:
        self._call_metrics = metrics
        self._call_log = log
        self._open: dict[tuple[str, str | None], OpenCircuit] = {}

    def call_finished(self, system: str, operation: str, status: int | None, seconds: float) -> None:
        labels = (system, operation, NO_ANSWER if status is None else _bounded(status))
        self._call_metrics.calls[labels].inc()
        self._call_metrics.seconds[labels].observe(seconds)

    def call_saved(self, system: str, operation: str) -> None:
        self._call_metrics.saved[system, operation].inc()

    def batch_sent(self, system: str, records: int) -> None:
        self._call_metrics.batch_records[system,].observe(records)

    def circuit_opened(self, system: str, tenant: str | None, reason: str, message: str) -> None:
        if before := self._open.get((system, tenant)):
            self._call_metrics.circuits_open[system, before.reason].dec()
        self._call_metrics.circuits_open[system, reason].inc()
        self._call_metrics.circuit_openings[system, reason].inc()
        self._open[system, tenant] = OpenCircuit(system, tenant, reason, time.time(), message)
        self._call_log.say(CIRCUIT_OPENED, system=system, tenant=tenant, reason=reason, message=message)

    def circuit_closed(self, system: str, tenant: str | None) -> None:
        circuit = self._open.pop((system, tenant))
        self._call_metrics.circuits_open[system, circuit.reason].dec()
        open_seconds = round(time.time() - circuit.since, 3)
        self._call_log.say(
            CIRCUIT_CLOSED, system=system, tenant=tenant, reason=circuit.reason, open_seconds=open_seconds
        )

    @property
    def open_circuits(self) -> list[OpenCircuit]:
        """By system and tenant. May be asked from another thread."""
        return sorted(self._open.copy().values(), key=lambda circuit: circuit.name)


def _bounded(status: int) -> int:
    """A system may answer with any number, and each would be a label of its own."""
    return status if status in _KNOWN else status - status % 100
