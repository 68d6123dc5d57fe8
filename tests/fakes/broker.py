"""A Kafka of one process: logs with holes, one consumer group with eager rebalances, and commits that are stored whole
or not at all, from whoever claimed the partition last. Owns no policy: tests say what fails and how long it takes."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, TypeAlias

from service.domain.record import Partition
from service.engine.commit_metadata import decode
from service.engine.offsets import Position
from service.engine.ports import Outgoing, OwnershipLost, RecordsRefused, StoreUnavailable

if TYPE_CHECKING:
    from tests.fakes.process import FakeProcess
    from tests.fakes.source import FakeSource

METADATA_LIMIT_BYTES = 4096
"""Kafka's `offset.metadata.max.bytes`."""

Assign: TypeAlias = "Callable[[Sequence[FakeSource], Sequence[Partition]], Mapping[FakeSource, Sequence[Partition]]]"


class CommitTrouble(Enum):
    """How a commit may fail."""

    NOT_STORED = auto()
    """And the worker knows."""
    LOST_AND_NOT_STORED = auto()
    """The worker cannot know."""
    LOST_BUT_STORED = auto()
    """The worker cannot know."""


@dataclass(frozen=True, slots=True)
class StoredCommit:
    """What one commit has made durable."""

    partition: Partition
    records: tuple[Outgoing, ...]
    offset: int
    metadata: str
    owner: str


def in_turn(members: Sequence[FakeSource], partitions: Sequence[Partition]) -> Mapping[FakeSource, Sequence[Partition]]:
    """Partitions dealt out one by one."""
    return {member: partitions[index :: len(members)] for index, member in enumerate(members)}


class FakeBroker:
    """`delay` says how long a verb ("fetch", "claim", "commit") takes, `commit_trouble` what befalls a commit."""

    def __init__(self, *partitions: Partition) -> None:
        self.logs: dict[Partition, list[tuple[int, bytes]]] = {partition: [] for partition in partitions}
        self.commits: list[StoredCommit] = []
        self.committed: dict[Partition, tuple[int, str]] = {}
        self.members: list[FakeSource] = []
        self.assign: Assign = in_turn
        self.delay: Callable[[str], float] = lambda verb: 0.001
        self.commit_trouble: Callable[[Partition], CommitTrouble | None] = lambda partition: None
        self.refused_topics: set[str] = set()
        """What is to be published there makes its commit fail."""
        self._fences: dict[Partition, int] = dict.fromkeys(partitions, 0)
        self._somebody_left = asyncio.Event()
        self._rebalance_wanted = False
        self._rebalancing: asyncio.Task[None] | None = None

    @property
    def partitions(self) -> list[Partition]:
        return sorted(self.logs)

    @property
    def published(self) -> list[Outgoing]:
        """Everything published, in the order in which it was stored."""
        return [record for commit in self.commits for record in commit.records]

    def append(self, partition: Partition, value: bytes, offset: int | None = None) -> int:
        """The record's offset: the next one, or a later one, which leaves a hole."""
        log = self.logs[partition]
        following = log[-1][0] + 1 if log else 0
        place = following if offset is None else offset
        if place < following:
            raise ValueError(f"{place} is below {following}")
        log.append((place, value))
        for member in self.members:
            member.notice()
        return place

    def recreate(self, partition: Partition) -> None:
        """Its topic is deleted and made anew: an empty log, nothing committed, and members that read past its end are
        set back to its beginning."""
        self.logs[partition] = []
        self.committed.pop(partition, None)
        for member in self.members:
            member.set_back(partition)

    def position(self, partition: Partition) -> Position:
        """What a new owner would read."""
        return decode(*self.committed.get(partition, (0, "")))

    # ── the group ───────────────────────────────────────────────────────────────────────────────────────────────────

    def join(self, member: FakeSource) -> None:
        self.members.append(member)
        self.rebalance()

    def leave(self, member: FakeSource) -> None:
        """Gone for the group, whether it knows or not."""
        if member in self.members:
            self.members.remove(member)
            self._somebody_left.set()
            self.rebalance()

    def rebalance(self) -> None:
        """Begin a rebalance, or let the one under way begin anew."""
        self._rebalance_wanted = True
        if self._rebalancing is None or self._rebalancing.done():
            self._rebalancing = asyncio.get_running_loop().create_task(self._rebalance(), context=contextvars.Context())

    async def balanced(self) -> None:
        """Blocks until no rebalance is under way."""
        if self._rebalancing is not None:
            await asyncio.wait((self._rebalancing,))
            self._rebalancing.result()

    async def _rebalance(self) -> None:
        """Eager: everybody gives up everything, then all is dealt out anew. The dead hold it up until they count as
        gone."""
        while self._rebalance_wanted:
            self._rebalance_wanted = False
            await asyncio.gather(*(member.give_up(member.membership) for member in self.members))
            while any(member.is_dead for member in self.members):
                self._somebody_left.clear()
                await self._somebody_left.wait()
            if not self._rebalance_wanted and self.members:
                shares = self.assign(tuple(self.members), self.partitions)
                await asyncio.gather(*(member.take(shares[member], member.membership) for member in shares))

    # ── stores ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def fence(self, partition: Partition) -> int:
        """From now on nobody but the holder of this number stores anything for the partition."""
        self._fences[partition] += 1
        return self._fences[partition]

    def is_fenced(self, partition: Partition, fence: int) -> bool:
        return self._fences[partition] != fence

    def store(self, commit: StoredCommit) -> None:
        if len(commit.metadata) > METADATA_LIMIT_BYTES:
            raise ValueError(f"{len(commit.metadata)} bytes of metadata")
        self.commits.append(commit)
        self.committed[commit.partition] = (commit.offset, commit.metadata)


class FakeStore:
    """Implements `engine.ports.Store` for the owner that holds `fence`."""

    def __init__(self, broker: FakeBroker, partition: Partition, fence: int, process: FakeProcess) -> None:
        self._broker = broker
        self._partition = partition
        self._fence = fence
        self._process = process
        self.closed = False

    async def commit(self, records: Sequence[Outgoing], offset: int, metadata: str) -> None:
        await self._process.breathe()
        written = tuple(records)
        await asyncio.sleep(self._broker.delay("commit"))
        await self._process.breathe()
        if self._broker.is_fenced(self._partition, self._fence):
            raise OwnershipLost(f"another worker has taken {self._partition}")
        if refused := [place for place, sent in enumerate(written) if sent.topic in self._broker.refused_topics]:
            raise RecordsRefused(refused, "the topic is gone")
        match self._broker.commit_trouble(self._partition):
            case None:
                self._store(written, offset, metadata)
            case CommitTrouble.NOT_STORED:
                raise StoreUnavailable("made to fail")
            case CommitTrouble.LOST_AND_NOT_STORED:
                raise OwnershipLost("whether it was stored is unknown: it was not")
            case CommitTrouble.LOST_BUT_STORED:
                self._store(written, offset, metadata)
                raise OwnershipLost("whether it was stored is unknown: it was")
        await asyncio.sleep(self._broker.delay("commit"))
        await self._process.breathe()

    async def close(self) -> None:
        await self._process.breathe()
        await asyncio.sleep(self._broker.delay("close"))
        self.closed = True

    def _store(self, records: tuple[Outgoing, ...], offset: int, metadata: str) -> None:
        self._broker.store(StoredCommit(self._partition, records, offset, metadata, self._process.name))
