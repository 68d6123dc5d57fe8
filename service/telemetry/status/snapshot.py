"""All that is shown of one worker, at one moment. Pure: what it is made of is handed in, immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from service.engine.state import GateState, PartitionState, RepeatState, cut
from service.telemetry.metrics.standing import Standing
from service.telemetry.observing.calls import OpenCircuit
from service.telemetry.observing.failures import Failure
from service.telemetry.readiness import Readiness
from service.telemetry.reporter import WITH_A_DAILY_QUOTA

STALE_SECONDS: Final = 5.0
"""A state is taken once a second; one that is so old says that the loop is held up."""


@dataclass(frozen=True, slots=True)
class CircuitStatus:
    """A system that is not asked for now, save by probes."""

    system: str
    tenant: str | None
    reason: str
    since: float
    message: str
    """What the system said to the call that opened it, cut."""
    waiting: int
    """Attempts that wait for it."""
    probing: bool
    """Whether a probe is out."""
    probe_at: float | None
    """When the next probe is due; None while one is out, or before the state of the circuit was looked at."""


@dataclass(frozen=True, slots=True)
class QuotaStatus:
    """The daily quota of a system, as far as known: the systems tell that it is spent, and never how much is left."""

    system: str
    tenant: str | None
    spent_since: float | None
    """None while it is not known to be spent."""
    probe_at: float | None


@dataclass(frozen=True, slots=True)
class Status:
    """A snapshot. All times in seconds since 1970."""

    now: float
    worker: str
    group: str
    started_at: float
    trouble: str | None
    """Why the worker is not alive; None when it makes progress."""
    readiness: Readiness
    standing: Standing
    settled: Mapping[str, int]
    """Events since the start, by outcome."""
    failures: tuple[Failure, ...]
    """The latest, newest first."""

    @property
    def taken_at(self) -> float | None:
        """When the worker last looked at its state; None before the first time."""
        return self.standing.at or None

    @property
    def stale_seconds(self) -> float | None:
        """How old the state is, where it is older than it should be."""
        if self.taken_at is None or self.readiness.membership.stopping:
            return None
        age_seconds = self.now - self.taken_at
        return age_seconds if age_seconds > STALE_SECONDS else None

    @property
    def lag(self) -> int | None:
        """Over all partitions; None while the end of one is not known, and where there is none."""
        lags = [self.standing.lag(state) for state in self.standing.worker.partitions]
        known = [lag for lag in lags if lag is not None]
        return sum(known) if lags and len(known) == len(lags) else None

    @property
    def partitions(self) -> list[PartitionState]:
        """Those that lag most come first; before them those whose lag is not known."""

        def backwards(state: PartitionState) -> tuple[float, str, int]:
            lag = self.standing.lag(state)
            return (float("-inf") if lag is None else -lag, *state.partition)

        return sorted(self.standing.worker.partitions, key=backwards)

    @property
    def circuits(self) -> list[CircuitStatus]:
        """The open ones, by system and tenant."""
        gates = {(gate.system, gate.tenant): gate for gate in self.standing.worker.gates}
        return [
            self._circuit(circuit, gates.get((circuit.system, circuit.tenant)))
            for circuit in self.readiness.open_circuits
        ]

    @property
    def quotas(self) -> list[QuotaStatus]:
        """Of each system with a daily quota, and each tenant whose events went there, by name."""
        spent = {(c.system, c.tenant): c for c in self.circuits if c.reason == "quota"}
        keys = {(gate.system, gate.tenant) for gate in self.standing.worker.gates} | spent.keys()
        found: list[QuotaStatus] = []
        for system, tenant in sorted(keys, key=lambda key: (key[0], key[1] or "")):
            if system in WITH_A_DAILY_QUOTA:
                circuit = spent.get((system, tenant))
                since, probe_at = (circuit.since, circuit.probe_at) if circuit else (None, None)
                found.append(QuotaStatus(system, tenant, since, probe_at))
        return found

    def next_attempt_at(self, repeat: RepeatState) -> float | None:
        """None while an open circuit keeps it back."""
        return None if repeat.due_in_seconds is None else self.standing.at + repeat.due_in_seconds

    def _circuit(self, circuit: OpenCircuit, gate: GateState | None) -> CircuitStatus:
        probe_in_seconds = gate.probe_in_seconds if gate else None
        return CircuitStatus(
            circuit.system,
            circuit.tenant,
            circuit.reason,
            circuit.since,
            cut(circuit.message),
            gate.waiting if gate else 0,
            gate is not None and gate.reason is not None and probe_in_seconds is None,
            None if probe_in_seconds is None else self.standing.at + probe_in_seconds,
        )
