"""A Kafka of one process: logs with holes, one consumer group with eager rebalances and sessions, and commits, in
transactions that the last claimant of a partition alone may end, or plain, of the present generation alone.

Owns no policy: tests say what fails and how long it takes. `tests/contract/test_brokers.py` holds it to a real broker.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from service.domain.record import Headers, Partition
from service.engine.commit_metadata import MetadataDamaged, decode
from service.engine.offsets import Position
from service.engine.ports import Outgoing
from tests.fakes.output import Output
from tests.fakes.transactions import Refused, StoredCommit, Transactions, check_length

if TYPE_CHECKING:
    from tests.fakes.source import FakeSource

Result = TypeVar("Result")

Assign: TypeAlias = "Callable[[Sequence[FakeSource], Sequence[Partition]], Mapping[FakeSource, Sequence[Partition]]]"


class CommitTrouble(Enum):
    """How a commit may fail."""

    NOT_STORED = auto()
    """And the worker knows."""
    LOST_AND_NOT_STORED = auto()
    """The worker cannot know."""
    LOST_BUT_STORED = auto()
    """The worker cannot know."""
    FENCED = auto()
    """The broker takes nothing from this worker any more, though nobody has taken its place yet."""


class WrongGeneration(Refused):
    """The member is not, or not any more, one of the group's present generation."""


@dataclass(frozen=True, slots=True)
class Membership:
    """What a member says of itself with a plain commit."""

    member_id: int
    generation: int


NOBODY = Membership(-1, -1)


def in_turn(members: Sequence[FakeSource], partitions: Sequence[Partition]) -> Mapping[FakeSource, Sequence[Partition]]:
    """Partitions dealt out one by one."""
    return {member: partitions[index :: len(members)] for index, member in enumerate(members)}


class FakeBroker:
    """`delay` says how long a verb ("fetch", "claim", "commit", "close", "find out") takes, `commit_trouble` what
    befalls a commit."""

    def __init__(self, *partitions: Partition, session_seconds: float = 45.0) -> None:
        self.logs: dict[Partition, list[tuple[int, bytes]]] = {partition: [] for partition in partitions}
        self.headers: dict[tuple[Partition, int], Headers] = {}
        """Of the records that have any."""
        self.output = Output()
        self.transactions = Transactions(self.output, self._store)
        self.commits: list[StoredCommit] = []
        self.committed: dict[Partition, tuple[int, str]] = {}
        self.members: list[FakeSource] = []
        self.session_seconds = session_seconds
        """A member that is not heard of for so long is no member any more."""
        self.assign: Assign = in_turn
        self.delay: Callable[[str], float] = lambda verb: 0.001
        self.commit_trouble: Callable[[Partition], CommitTrouble | None] = lambda partition: None
        self.refused_topics: set[str] = set()
        """What is to be published there makes its commit fail."""
        self.generation = 0
        self.claimants: dict[Partition, str] = {}
        """Who was the last to claim a partition, where there are transactions."""
        self.assigned: dict[Partition, FakeSource] = {}
        """To whom the group has dealt out each partition, as long as that one is a member."""
        self.stored: Callable[[StoredCommit], None] = lambda commit: None
        """Told of every commit, before it counts."""
        self._memberships: dict[FakeSource, Membership] = {}
        self._gone: dict[FakeSource, asyncio.Future[None]] = {}
        self._member_ids = 0
        self._rebalance_wanted = False
        self._rebalancing: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def partitions(self) -> list[Partition]:
        return sorted(self.logs)

    @property
    def published(self) -> list[Outgoing]:
        """Everything published, in the order in which it was stored."""
        return self.output.published

    def append(self, partition: Partition, value: bytes, offset: int | None = None, headers: Headers = ()) -> int:
        """The record's offset: the next one, or a later one, which leaves a hole."""
        log = self.logs[partition]
        following = log[-1][0] + 1 if log else 0
        place = following if offset is None else offset
        if place < following:
            raise ValueError(f"{place} is below {following}")
        log.append((place, value))
        if headers:
            self.headers[partition, place] = headers
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
        """What a new owner would read. Metadata that is damaged is ignored."""
        offset, metadata = self.committed.get(partition, (0, ""))
        try:
            return decode(offset, metadata)
        except MetadataDamaged:
            return Position(offset)

    async def answer(self, verb: str, effect: Callable[[], Result], share: float = 1.0) -> Result:
        """What `effect` returns or raises, after `share` of the time that the verb takes. It happens when half of that
        has passed, whether or not the asker is still there by then to hear of it."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Result] = loop.create_future()
        seconds = self.delay(verb) * share
        here = contextvars.Context()

        def arrive() -> None:
            try:
                result = effect()
            except Refused as refusal:
                loop.call_later(seconds / 2, _tell, answered, answered.set_exception, refusal, context=here)
            else:
                loop.call_later(seconds / 2, _tell, answered, answered.set_result, result, context=here)

        loop.call_later(seconds / 2, arrive, context=here)
        return await answered

    # ── the group ───────────────────────────────────────────────────────────────────────────────────────────────────

    def join(self, member: FakeSource) -> int:
        """The member's id: whoever joins again gets a new one."""
        self._member_ids += 1
        self.members.append(member)
        self._memberships[member] = Membership(self._member_ids, -1)
        self._gone[member] = asyncio.get_running_loop().create_future()
        if member.process.silent:
            self.miss(member)
        self.rebalance()
        return self._member_ids

    def leave(self, member: FakeSource) -> None:
        """Gone for the group, whether it knows or not."""
        if member in self.members:
            self.members.remove(member)
            del self._memberships[member]
            self.assigned = {partition: owner for partition, owner in self.assigned.items() if owner is not member}
            self._gone.pop(member).set_result(None)
            self.rebalance()

    def miss(self, member: FakeSource) -> None:
        """From now on nothing is heard of the member."""
        self.spawn(self._expel(member))

    def lose_touch(self, member: FakeSource, touch: asyncio.Event) -> None:
        """From now on nothing is heard of the member until `touch` is set, and it hears nothing of the group."""
        self.spawn(self._expel_unless_touched(member, touch))

    def rebalance(self) -> None:
        """Begin a rebalance, or let the one under way begin anew."""
        self._rebalance_wanted = True
        if self._rebalancing is None or self._rebalancing.done():
            self._rebalancing = self.spawn(self._rebalance())

    async def balanced(self) -> None:
        """Blocks until no rebalance is under way."""
        if self._rebalancing is not None:
            await asyncio.wait((self._rebalancing,))
            self._rebalancing.result()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """In no worker's process."""
        task = asyncio.get_running_loop().create_task(work, context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _expel(self, member: FakeSource) -> None:
        """Unless it is heard of again before its session is over."""
        member_id, wakings = self._memberships[member].member_id, member.process.wakings
        await asyncio.sleep(self.session_seconds)
        is_heard_of = not member.process.silent or member.process.wakings != wakings
        if not is_heard_of and member in self.members and self._memberships[member].member_id == member_id:
            self.leave(member)

    async def _expel_unless_touched(self, member: FakeSource, touch: asyncio.Event) -> None:
        member_id = self._memberships[member].member_id
        try:
            async with asyncio.timeout(self.session_seconds):
                await touch.wait()
        except TimeoutError:
            if member in self.members and self._memberships[member].member_id == member_id:
                self.leave(member)

    async def _rebalance(self) -> None:
        """Eager: everybody gives up everything, then all is dealt out anew. One that is silent holds it up until its
        session is over."""
        while self._rebalance_wanted:
            self._rebalance_wanted = False
            await asyncio.gather(*(self._heard(member, member.give_up(member.membership)) for member in self.members))
            if self._rebalance_wanted or not self.members:
                continue
            self.generation += 1
            for member, membership in self._memberships.items():
                self._memberships[member] = Membership(membership.member_id, self.generation)
            shares = self.assign(tuple(self.members), self.partitions)
            self.assigned = {partition: member for member, share in shares.items() for partition in share}
            generation = self.generation
            await asyncio.gather(
                *(self._heard(member, member.take(shares[member], member.membership, generation)) for member in shares)
            )

    async def _heard(self, member: FakeSource, news: Coroutine[Any, Any, None]) -> None:
        """Until the member has taken the news, or is no member any more."""
        gone = self._gone.get(member)
        if gone is None:
            news.close()
            return
        hearing = self.spawn(news)
        await asyncio.wait((hearing, gone), return_when=asyncio.FIRST_COMPLETED)
        if not gone.done() and member.process.killed:
            await gone
        if hearing.done():
            hearing.result()

    # ── commits ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def fence(self, partition: Partition) -> int:
        """See `Transactions.fence`."""
        return self.transactions.fence(partition)

    def publish(self, records: Sequence[Outgoing]) -> None:
        for record in records:
            self.output.publish(record)

    def commit(self, commit: StoredCommit, membership: Membership) -> None:
        """Only from a member of the present generation. Whoever holds up a rebalance may still commit."""
        if membership.generation != self.generation or membership not in self._memberships.values():
            raise WrongGeneration(f"{commit.owner} is not of generation {self.generation}")
        check_length(commit.metadata)
        self._store(commit)

    def _store(self, commit: StoredCommit) -> None:
        self.stored(commit)
        self.commits.append(commit)
        self.committed[commit.partition] = (commit.offset, commit.metadata)


def _tell(answered: asyncio.Future[Any], tell: Callable[[Any], None], what: object) -> None:
    if not answered.done():
        tell(what)
