"""A member of the fake broker's consumer group."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Literal, TypeAlias

from service.domain.record import Partition, Record
from service.engine.pacing import Pace, Turns
from service.engine.ports import AssignmentListener, Claim, Outgoing, OwnershipLost, SourceUnavailable
from tests.fakes.broker import NOBODY, FakeBroker, Membership
from tests.fakes.process import FakeProcess
from tests.fakes.stores import FakeSharedStore, FakeStore, Publishing

SPACING_SECONDS, REST_SECONDS, TURNS, LONGEST_TURN_SECONDS = 0.025, 0.05, 2, 0.25
Delivery: TypeAlias = Literal["exactly_once", "at_least_once"]


class FakeSource:
    """Implements `engine.ports.Source`. `troubles["claim"].append(error)` makes the next claim raise it; likewise
    "start" and "fetch". As with aiokafka, an assignment sets every partition back to its committed offset and lets it
    flow."""

    def __init__(
        self,
        broker: FakeBroker,
        process: FakeProcess,
        fetch_records: int = 500,
        delivery: Delivery = "exactly_once",
    ) -> None:
        self.troubles: dict[str, deque[Exception]] = defaultdict(deque)
        self.process = process
        self.publishing: Publishing = lambda partition, records: None
        """Told before records leave that are published outside of a transaction."""
        self.stores: list[FakeStore | FakeSharedStore] = []
        self.epochs: dict[Partition, int] = {}
        self.paused: set[Partition] = set()
        self.records_fetched = 0
        self.fetched_at = 0.0
        """When it was last asked for records."""
        self.keeps_pauses = False
        """Whether a pause outlives an assignment, as one does that is asked for just when the assignment is made."""
        self._broker = broker
        self._process = process
        self.fetch_records = fetch_records
        self._delivery = delivery
        self._pace = Pace(SPACING_SECONDS, Turns(TURNS, LONGEST_TURN_SECONDS, REST_SECONDS))
        self._known_as = NOBODY
        self._listener: AssignmentListener | None = None
        self.positions: dict[Partition, int] = {}
        self._assignments = 0
        self._news = asyncio.Event()
        self._telling = asyncio.Lock()
        self._touch = asyncio.Event()
        self._touch.set()
        self._unheard_since: float | None = None
        self.membership = 0
        """Counts the times of joining; whoever joins again hears nothing more of an earlier time."""
        process.silenced.append(self._fall_silent)
        process.woken.append(self._wake)

    async def start(self, listener: AssignmentListener) -> None:
        await self._process.breathe()
        self._fail("start")
        self._listener = listener
        self.membership += 1
        self._join()

    async def fetch(self, timeout_seconds: float) -> Sequence[Record]:
        self.fetched_at = asyncio.get_running_loop().time()
        await self._process.breathe()
        await asyncio.sleep(self._broker.delay("fetch"))
        self._fail("fetch")
        self._check_joined()
        records = self._collect()
        if not records:
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_seconds):
                    await self._news.wait()
            records = self._collect()
        await self._process.breathe()
        self.records_fetched += len(records)
        return records

    async def claim(self, partition: Partition) -> Claim:
        """The last owner is fenced, where there are fences, and then the position is read."""
        await self._process.breathe()
        self._fail("claim")
        store = await self._open(partition)
        await self._process.breathe()
        position = await self._broker.answer("claim", lambda: self._broker.position(partition), 0.5)
        if partition not in self.epochs:
            raise OwnershipLost(f"{partition} went away meanwhile")
        self.positions[partition] = position.frontier
        self.stores.append(store)
        return Claim(position, store)

    @property
    def in_touch(self) -> bool:
        """Whether what the group tells gets through."""
        return self._touch.is_set()

    def silent_seconds(self) -> float:
        return 0.0 if self._unheard_since is None else asyncio.get_running_loop().time() - self._unheard_since

    def seek(self, partition: Partition, offset: int) -> None:
        self._check_joined()
        if partition not in self.epochs:
            raise LookupError(f"{partition} is not assigned")
        self.positions[partition] = offset
        self.notice()

    def pause(self, partitions: Sequence[Partition]) -> None:
        self._check_joined()
        self.paused.update(self.epochs.keys() & set(partitions))

    def resume(self, partitions: Sequence[Partition]) -> None:
        self._check_joined()
        self.paused.difference_update(partitions)
        self.notice()

    async def stop(self) -> None:
        """As aiokafka does, lets the listener come to its end first."""
        await self._process.breathe()
        self._listener = None
        self._unheard_since = None
        async with self._telling:
            self._forget()
        self._broker.leave(self)

    # ── what the broker does to a member ────────────────────────────────────────────────────────────────────────────

    def notice(self) -> None:
        """There may be something to fetch."""
        self._news.set()

    def set_back(self, partition: Partition) -> None:
        """The log is shorter than what was read of it."""
        if partition in self.positions:
            self.positions[partition] = 0

    def lose_touch(self) -> None:
        """Nothing gets through between the group and us any more; all else goes on."""
        self._touch.clear()
        self._go_unheard()
        self._broker.lose_touch(self, self._touch)

    async def regain_touch(self) -> None:
        self._touch.set()
        await self._find_out_later()

    async def give_up(self, membership: int) -> None:
        """A rebalance begins."""
        await self._touch.wait()
        async with self._telling:
            if self._listener is not None and self.membership == membership and self.epochs:
                await self._tell(self._listener.revoking())

    async def take(self, partitions: Sequence[Partition], membership: int, generation: int) -> None:
        """A rebalance ends. What was ours before keeps its epoch. News that were held up confirm nothing but what was
        so when they were sent."""
        sent_at, held_up = asyncio.get_running_loop().time(), not self._touch.is_set()
        await self._touch.wait()
        async with self._telling:
            if self._listener is not None and self.membership == membership:
                self._unheard_since = sent_at if held_up else None
                await self._tell(self._assigned(self._listener, partitions, generation))

    async def find_out(self) -> None:
        """A member that the group has expelled hears of it, and joins again as a new one. One that is suspended does
        when it is awake again."""
        membership = self.membership
        if self not in self._broker.members:
            if self._listener is not None and not self._process.silent:
                self._known_as = NOBODY
                await self._process.call(_at_once(self._listener.expelled))
            await self.give_up(membership)
        stays = self._listener is not None and self.membership == membership and not self._process.silent
        if stays and self not in self._broker.members:
            self._forget()
            self._join()

    async def _assigned(self, listener: AssignmentListener, partitions: Sequence[Partition], generation: int) -> None:
        self._assignments += 1
        self._known_as = Membership(self._known_as.member_id, generation)
        self.epochs = {partition: self.epochs.get(partition, self._assignments) for partition in partitions}
        self._flow()
        self.positions = {partition: self._broker.position(partition).frontier for partition in partitions}
        await listener.assigned(dict(self.epochs))
        self.notice()

    async def _tell(self, news: Coroutine[Any, Any, None]) -> None:
        """In the worker's process. What the listener raises because the worker leaves is lost, as aiokafka loses it."""
        with suppress(SourceUnavailable):
            await self._process.call(news)

    def _join(self) -> None:
        self._known_as = Membership(self._broker.join(self), -1)

    def _go_unheard(self) -> None:
        if self._unheard_since is None:
            self._unheard_since = asyncio.get_running_loop().time()

    def _fall_silent(self) -> None:
        self._go_unheard()
        if self in self._broker.members:
            self._broker.miss(self)

    def _wake(self) -> None:
        """The next heartbeat tells whether the group has gone on without us. Until it is answered, the last that was
        heard is as old as the sleep."""
        if self._listener is not None:
            self._broker.spawn(self._find_out_later())

    async def _find_out_later(self) -> None:
        await asyncio.sleep(self._broker.delay("find out"))
        await self._touch.wait()
        if self not in self._broker.members:
            await self.find_out()
        elif not self._process.silent:
            self._unheard_since = None

    async def _open(self, partition: Partition) -> FakeStore | FakeSharedStore:
        if self._delivery == "at_least_once":
            return FakeSharedStore(self._broker, partition, self._membership_for, self._process, self._publishing)
        fence = await self._broker.answer("claim", lambda: self._fence(partition), 0.5)
        return FakeStore(self._broker, partition, fence, self._process, self._pace)

    def _publishing(self, partition: Partition, records: Sequence[Outgoing]) -> None:
        self.publishing(partition, records)

    def _fence(self, partition: Partition) -> int:
        self._broker.claimants[partition] = self._process.name
        return self._broker.fence(partition)

    def _membership_for(self, partition: Partition) -> Membership:
        if partition not in self.epochs or self._known_as is NOBODY:
            raise OwnershipLost(f"{partition} is ours no more")
        return self._known_as

    def _check_joined(self) -> None:
        if self._listener is None:
            raise SourceUnavailable("the worker has left its group")

    def _forget(self) -> None:
        self.epochs = {}
        self._known_as = NOBODY
        self._flow()
        self.positions = {}

    def _flow(self) -> None:
        if not self.keeps_pauses:
            self.paused.clear()

    def _fail(self, verb: str) -> None:
        if self.troubles[verb]:
            raise self.troubles[verb].popleft()

    def _collect(self) -> list[Record]:
        flowing = [partition for partition in self.epochs if partition not in self.paused]
        records: list[Record] = []
        for partition in flowing:
            share = max(1, self.fetch_records // len(flowing))
            log = self._broker.logs[partition]
            due = [entry for entry in log if entry[0] >= self.positions[partition]][:share]
            for offset, value in due:
                headers = self._broker.headers.get((partition, offset), ())
                records.append(Record(partition, offset, None, value, headers, self.epochs[partition], 0.0))
                self.positions[partition] = offset + 1
        return records


async def _at_once(act: Callable[[], None]) -> None:
    act()
