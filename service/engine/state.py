"""How a worker stands at one moment: values for whoever looks at it from outside. Changes nothing."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nlargest
from itertools import islice

from service.domain.operations import EntityKey
from service.domain.record import Partition
from service.engine.circuit import Reason
from service.engine.gates import Gate
from service.engine.job import Job
from service.engine.partition import OwnedPartition
from service.engine.retry import Repeat

MOST_REPEATS = 50
"""Records whose repeats are told one by one."""
MOST_KEYS = 3
"""Entities of a record that are named."""
MOST_KEY_CHARACTERS = 120
MOST_WORDS_CHARACTERS = 300
"""Of what a system said, and of an event's id."""
_KEYS_LOOKED_AT = 100
"""A record set may have thousands; sorting them all each second would cost more than it tells."""


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
    probe_in_seconds: float | None = None
    """From the moment of this state to the next probe, 0 when it is due and nobody has come to make it; None while the
    circuit is closed, or a probe is out."""


@dataclass(frozen=True, slots=True)
class RepeatState:
    """A record that waits for another attempt, and holds its lanes meanwhile. Texts are cut."""

    partition: Partition
    offset: int
    event_id: str | None
    tenant: str | None
    entities: tuple[str, ...]
    """Some of those that it writes."""
    entity_count: int
    """All that it writes."""
    system: str
    attempts: int
    message: str
    """What the system said to the last attempt, without secrets."""
    due_in_seconds: float | None
    """From the moment of this state to the next attempt, 0 when it is due and waits for its turn; None while an open
    circuit keeps it back."""


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
    repeating: int = 0
    """Records that wait for another attempt."""
    repeats: tuple[RepeatState, ...] = ()
    """The most tried of them, at most `MOST_REPEATS`."""


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
    circuit = gate.circuit
    is_awaited = circuit.reason is not None and not circuit.probing
    return GateState(
        system,
        tenant,
        circuit.reason,
        gate.waiting,
        gate.repeats_left,
        gate.repeats_waiting,
        gate.slots.limit,
        max(0.0, circuit.probe_at - asyncio.get_running_loop().time()) if is_awaited else None,
    )


def repeating(jobs: Iterable[Job]) -> list[tuple[Job, Repeat]]:
    """Those among the jobs that wait for another attempt."""
    return [(job, job.repeat) for job in jobs if job.repeat is not None]


def repeat_states(waiting: Iterable[tuple[Job, Repeat]]) -> tuple[RepeatState, ...]:
    """The most tried, at most `MOST_REPEATS`. To be asked in the worker's loop."""
    now = asyncio.get_running_loop().time()
    most_tried = nlargest(MOST_REPEATS, waiting, key=lambda pair: pair[1].attempts)
    return tuple(_repeat_state(job, repeat, now) for job, repeat in most_tried)


def _repeat_state(job: Job, repeat: Repeat, now: float) -> RepeatState:
    plan, record = job.plan, job.record
    return RepeatState(
        partition=record.partition,
        offset=record.offset,
        event_id=None if plan.event.id is None else cut(plan.event.id),
        tenant=plan.tenant,
        entities=tuple(map(_name, sorted(islice(plan.writes, _KEYS_LOOKED_AT))[:MOST_KEYS])),
        entity_count=len(plan.writes),
        system=repeat.system,
        attempts=repeat.attempts,
        message=cut(repeat.message),
        due_in_seconds=None if math.isinf(job.resumes_at) else max(0.0, job.resumes_at - now),
    )


def _name(key: EntityKey) -> str:
    return cut("/".join(part[:MOST_KEY_CHARACTERS] for part in key), MOST_KEY_CHARACTERS)


def cut(text: str, most: int = MOST_WORDS_CHARACTERS) -> str:
    """At most so many characters; an ellipsis says that there were more."""
    return text if len(text) <= most else text[: most - 1] + "…"
