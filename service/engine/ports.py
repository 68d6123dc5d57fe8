"""What the engine needs of the world. Adapters in `kafka` and `systems` implement these; fakes in the tests do too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeAlias

from service.domain.answers import Answer, Finding, Joint
from service.domain.exports import ExportRow
from service.domain.operations import Plan, Step
from service.domain.outcomes import Outcome
from service.domain.record import Headers, Partition, Record
from service.engine.offsets import Position
from service.engine.pacing import Pace

MAX_NOTE_BYTES = 200
"""Of what an export may keep in the metadata of a commit, in UTF-8."""


class CommitFailure(StrEnum):
    """Why a commit came to nothing."""

    ABORTED = "aborted"
    """Nothing was stored; the same commit is tried again."""
    FENCED = "fenced"
    """Another worker has taken the partition, or the membership is gone."""
    UNKNOWN = "unknown"
    """Whether it was stored cannot be told."""
    SPOILT = "spoilt"
    """A broker refused a record of it for good; a new producer is needed."""
    METADATA = "metadata"
    """The position does not fit the metadata of a commit."""


class OwnershipLost(Exception):
    """The worker no longer owns the partition: nothing may be called, published or committed for it any more."""

    def __init__(self, message: str = "", failure: CommitFailure = CommitFailure.FENCED) -> None:
        """`failure` tells what became of the commit that showed it; without meaning where there was none."""
        super().__init__(message)
        self.failure = failure


MayLeave: TypeAlias = Callable[[], Awaitable[None]]
"""Awaited right before a request leaves. Blocks while it is in doubt whether the partition is ours, and raises
`OwnershipLost` when it is not."""


async def freely() -> None:
    """The `MayLeave` of a request that is made for no partition."""


class Journal(Protocol):
    """What is durable of an export that is under way: it outlives the worker, in the metadata of the commit.

    Every coroutine returns once what it was given is durable, and raises `OwnershipLost`, which the adapter lets pass.
    """

    @property
    def note(self) -> str:
        """What was kept last, by whichever worker; empty when nothing was."""
        ...

    @property
    def rows(self) -> int:
        """How many rows were published, by whichever worker: the first so many of the file."""
        ...

    async def keep(self, note: str) -> None:
        """Remember `note`, of at most `MAX_NOTE_BYTES`. It is also a mark: see `CallContext.mark`. A rebalance waits
        for it, as it does for the call that asks for an export."""
        ...

    async def publish(self, rows: Sequence[ExportRow], note: str | None = None) -> None:
        """Publish the next rows, count them in `rows`, and keep `note` where one is given: all of it or nothing. Blocks
        while a rebalance is under way."""
        ...


class CallContext(NamedTuple):
    """What an adapter may know and must do around one attempt."""

    traceparent: str | None
    """W3C trace context to carry on as an HTTP header; None when the event had none."""

    uncertain: bool
    """Whether an earlier attempt, in this process or before a crash, may have been applied although its answer was
    lost."""

    mark: Callable[[], Awaitable[None]]
    """Awaited before a call that must not happen twice leaves: returns once the mark is durable.
    Raises `OwnershipLost`, which the adapter lets pass."""

    attempt: int = 1
    """Which attempt at the step this is, from 1. Some refusals are worth exactly one repeat."""

    may_leave: MayLeave = freely
    """Of every request of the attempt, so that a worker which was suspended between two of them, and replaced, does not
    make the second. The adapter lets `OwnershipLost` pass."""

    journal: Journal | None = None
    """Given with exports, and with nothing else."""

    replayed_since: float | None = None
    """Of a replayed dead letter: seconds since 1970 before which no attempt at the event was made, 0 when nothing is
    known. None of any other event."""


class Systems(Protocol):
    """All systems behind one door."""

    def unconfigured(self, step: Step) -> Finding | None:
        """A `failed` finding with `system-not-configured` or `tenant-not-configured` when the step cannot be carried
        out here at all; None when it can. Asked before anything of the event is called."""
        ...

    async def attempt(self, step: Step, context: CallContext) -> Answer:
        """One attempt at the step. Never raises but `OwnershipLost` and cancellation; every trouble is an answer."""
        ...

    async def attempt_together(self, steps: Sequence[Step], context: CallContext) -> Joint:
        """One attempt at several updates of one eholdings resource, in their order. Asked only for steps of which
        `engine.company` says that they may leave together, and never when an attempt at one of them may have been
        applied already. Raises as `attempt` does."""
        ...


class Outgoing(NamedTuple):
    """A record to publish. `topic` is the contract's name, without the prefix."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class StoreUnavailable(Exception):
    """Nothing of the commit was stored, and the same commit may be tried again."""


class RecordsRefused(StoreUnavailable):
    """Nothing of the commit was stored, because of some of its records: too large for their topic, or their topic is
    gone or closed to us. The others may be stored without them."""

    def __init__(self, indexes: Iterable[int], message: str) -> None:
        super().__init__(message)
        self.indexes = frozenset(indexes)
        """Places of those records among the ones that were to be published."""


class Ahead(NamedTuple):
    """How records are published before their position is stored."""

    publish: Callable[[Sequence[Outgoing]], Awaitable[None]]
    """Blocks until the records are durable. Raises as `Store.commit` does."""

    seconds: float
    """How long the position may follow them."""


class Store(Protocol):
    """Where the outcomes of one owned partition go, together with its position."""

    @property
    def pace(self) -> Pace:
        """How it is to be used, so that it costs the brokers little."""
        ...

    @property
    def ahead(self) -> Ahead | None:
        """Given where records may be published before the commit that their position belongs to."""
        ...

    async def commit(self, records: Sequence[Outgoing], offset: int, metadata: str) -> None:
        """Publish `records` and commit `offset` with `metadata`; one after the other, or both or neither, as the
        delivery mode says. Blocks until that is durable.

        Raises `StoreUnavailable` when it may be repeated, or `RecordsRefused` when it may be without some records, and
        `OwnershipLost` when another owner has taken over or it cannot be told whether the commit was stored.
        """
        ...

    async def close(self) -> None:
        """Let go of connections. An open transaction is left to the next owner, who ends it by claiming the
        partition."""
        ...


@dataclass(frozen=True, slots=True)
class Claim:
    """A partition taken: what its last owner left, and where to store what comes."""

    position: Position
    store: Store


class AssignmentListener(Protocol):
    """Whoever must know which partitions are ours."""

    async def revoking(self) -> None:
        """A rebalance begins. Until the next call of `assigned`, any of the partitions may turn out to be lost.
        The group waits while this runs."""
        ...

    def expelled(self) -> None:
        """The group has gone on without us: whatever was ours may be another's by now. `assigned` follows once it has
        let us in again, and `revoking` may come before it."""
        ...

    async def assigned(self, epochs: Mapping[Partition, int]) -> None:
        """The partitions that are ours now. One that keeps its epoch was ours all the while."""
        ...


class Source(Protocol):
    """The consumer group's view of the input topics."""

    async def start(self, listener: AssignmentListener) -> None:
        """Join the group. Raises `SourceUnavailable`."""
        ...

    async def fetch(self, timeout_seconds: float) -> Sequence[Record]:
        """Records that have come in, in the order of each partition; empty after `timeout_seconds`. Must be called
        again and again even when every partition is paused. Raises `SourceUnavailable`."""
        ...

    async def claim(self, partition: Partition) -> Claim:
        """Fence the last owner, *then* read what it committed, then read on from there.
        Raises `SourceUnavailable`, or `OwnershipLost` when the partition went away meanwhile."""
        ...

    def silent_seconds(self) -> float:
        """How long ago the group has confirmed last that we are a member of its present generation, or let us into a
        new one; counted from the question, not from the answer. 0 while we have asked to join and are none yet."""
        ...

    def seek(self, partition: Partition, offset: int) -> None:
        """Read on from `offset`."""
        ...

    def pause(self, partitions: Sequence[Partition]) -> None: ...

    def resume(self, partitions: Sequence[Partition]) -> None: ...

    async def stop(self) -> None:
        """Leave the group. May be followed by `start`."""
        ...


class SourceUnavailable(Exception):
    """Kafka cannot be had, or refuses us. The message says what and where."""


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit has stored."""

    records: int
    """Published with it: results, dead letters and rows of exports. 0 of a commit that proves or marks."""
    rows: int
    """Of exports, among the records."""
    marks: int
    """Marks before calls that must not happen twice, the notes of exports among them."""
    seconds: float


class Observer(Protocol):
    """Told what happened, after the fact. Must not block and must not raise."""

    def received(self, record: Record) -> None: ...

    def retrying(
        self, record: Record, plan: Plan, system: str, attempts: int, pause_seconds: float, message: str
    ) -> None: ...

    def settled(self, outcome: Outcome) -> None:
        """The outcome and the offset are stored."""
        ...

    def committed(self, partition: Partition, commit: Commit) -> None: ...

    def commit_failed(self, partition: Partition, failure: CommitFailure, message: str) -> None: ...

    def held(self, outcome: Outcome, message: str) -> None:
        """It cannot be stored for now: the offset stays, and it is tried again."""
        ...

    def dropped(self, record: Record, message: str) -> None:
        """Given up without an outcome: the next owner of its partition does it."""
        ...

    def broken(self, record: Record, plan: Plan, error: Exception) -> None:
        """An adapter raised what it must not. The error's words may hold secrets; its type and place do not."""
        ...

    def suspended(self, seconds: float) -> None:
        """The worker was not heard of for so long; every partition is proved ours before a call leaves."""
        ...

    def out_of_touch(self, seconds: float) -> None:
        """The group was not heard of for so long; nothing is called or stored until it is."""
        ...

    def in_touch_again(self) -> None:
        """Counterpart of `out_of_touch`, or the worker has left its group."""
        ...

    def source_failed(self, message: str) -> None: ...

    def circuit_opened(self, system: str, tenant: str | None, reason: str, message: str) -> None: ...

    def circuit_closed(self, system: str, tenant: str | None) -> None: ...

    def partition_taken(self, partition: Partition, position: Position) -> None: ...

    def partition_released(self, partition: Partition, reason: str) -> None:
        """Counterpart of `partition_taken`, whatever the reason."""
        ...

    def partition_lost(self, partition: Partition, message: str) -> None: ...
