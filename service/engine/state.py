"""How a worker stands at one moment: values for whoever looks at it from outside. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from service.domain.record import Partition
from service.engine.circuit import Reason
from service.engine.gates import Gate
from service.engine.partition import OwnedPartition


@dataclass(frozen=True, slots=True)
class PartitionState:
    """An input partition that is ours."""

    partition: Partition
    stored_frontier: int
    """The lowest offset that is not known to be finished and stored."""
    oldest_since: float | None
    """Since when its lowest unfinished record is known, in seconds since 1970; None when nothing is unfinished."""
    unsettled: int
    unsettled_bytes: int
    metadata_bytes: int
    """Of the last commit."""
    held: int
    """Outcomes that cannot be stored for now."""
    rests: bool
    """Whether its intake is paused."""


@dataclass(frozen=True, slots=True)
class GateState:
    """A system as one tenant sees it."""

    system: str
    tenant: str | None
    reason: Reason | None
    """Why its circuit is open; None while it is closed."""
    waiting: int
    """Who waits for the open circuit."""
    repeats_left: float
    repeats_waiting: int
    slots: int
    """Calls that may be under way at a time now."""


@dataclass(frozen=True, slots=True)
class Membership:
    """Where a worker stands in its consumer group."""

    joined: bool = False
    rejoining: bool = False
    """Whether it is about to leave the group, or has left it, to join it anew."""
    stopping: bool = False
    partitions: tuple[Partition, ...] = ()
    """Those that are ours."""
    claims: tuple[Partition, ...] = ()
    """Those that are being claimed."""

    @property
    def ready(self) -> bool:
        """Whether it is a member with every partition claimed, and takes records."""
        return self.joined and not (self.rejoining or self.stopping or self.claims)


@dataclass(frozen=True, slots=True)
class WorkerState:
    """The worker as a whole."""

    partitions: tuple[PartitionState, ...] = ()
    claims: tuple[Partition, ...] = ()
    """Partitions that are being claimed."""
    gates: tuple[GateState, ...] = ()
    jobs: int = 0
    """Records that wait in lanes or are worked on."""
    running: int = 0
    """Those that are worked on."""
    lanes: int = 0
    """Entities in use."""
    exports_since: tuple[float, ...] = ()
    """Of the exports that run: since when each is known, in seconds since 1970."""


def partition_state(owned: OwnedPartition, *, rests: bool) -> PartitionState:
    return PartitionState(
        owned.partition,
        owned.stored_frontier,
        owned.oldest_since,
        owned.unsettled,
        owned.unsettled_bytes,
        owned.metadata_bytes,
        owned.held,
        rests,
    )


def gate_state(gate: Gate) -> GateState:
    """To be asked in the worker's loop."""
    system, tenant = gate.key
    return GateState(
        system, tenant, gate.circuit.reason, gate.waiting, gate.repeats_left, gate.repeats_waiting, gate.slots.limit
    )
