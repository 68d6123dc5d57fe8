"""The commit loop of one partition: outcomes, marks and the rows of exports go in, durable commits come out. The offset
moves here and nowhere else.

Group commit: the next commit starts when the last has ended, something waits, and the store's pace allows it
(`pacing`). So a quiet partition answers at once, and a busy one commits in bulk. For what somebody waits for, a mark,
the rows of an export, a proof, a drain, no pace is kept.

A store that cannot store records and position together anyway publishes records at once, and the position follows, at a
pace of its own.

An outcome whose records the store refuses (a dead letter that is too large for its topic, a topic that is gone) is
held: its offset stays open, and it is tried again and again. What is behind it goes on, but for outcomes of the same
entity, which are held with it (`holding`).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from service.domain.operations import Plan
from service.domain.outcomes import Outcome
from service.domain.record import Partition
from service.engine.commit_batch import Batch, Entry, Told
from service.engine.commit_metadata import MAX_BYTES, MetadataTooLong, encode
from service.engine.holding import Ended, Holding
from service.engine.offsets import Offsets
from service.engine.pacing import Pacing
from service.engine.ports import (
    Ahead,
    CommitFailure,
    Observer,
    Outgoing,
    OwnershipLost,
    RecordsRefused,
    Store,
)
from service.engine.progress import Progress
from service.engine.storing import Storing

Render: TypeAlias = Callable[[Outcome], Sequence[Outgoing]]
"""The records that tell of an outcome: a result, and a dead letter where one is due."""

Check: TypeAlias = Callable[[], Awaitable[None]]

MAX_OUTCOMES = 1000
"""In one commit, so that a transaction stays short."""

HOLD_SECONDS = 5.0
"""Between attempts at an outcome that was refused."""


async def unchecked() -> None:
    """A `Check` that lets everything pass."""


class Commits:
    """One partition's outbox, and the loop that empties it."""

    def __init__(
        self,
        partition: Partition,
        offsets: Offsets,
        store: Store,
        render: Render,
        settled: Callable[[Outcome], None],
        observer: Observer,
        check: Check = unchecked,
        progress: Progress | None = None,
    ) -> None:
        """`check` is awaited before anything is stored; it may block, ask for a proof, or raise `OwnershipLost`.
        `progress` is told of commits under way."""
        self._check = check
        self._partition = partition
        self._offsets = offsets
        self._storing = Storing(partition, store, observer, progress or Progress())
        self._render = render
        self._settled = settled
        self._observer = observer
        self._outbox: deque[Ended] = deque()
        self._holding = Holding()
        self._release_timer: asyncio.TimerHandle | None = None
        self._entries: list[Entry] = []
        self._marks: list[asyncio.Future[None]] = []
        self._marked = set(offsets.position().attempted)
        self._batch = Batch()
        self._pacing = Pacing(store.pace)
        self._ahead = store.ahead
        self._position_timer: asyncio.TimerHandle | None = None
        self._position_due = False
        self._emptying = 0
        """How many wait for everything to be stored."""
        self.metadata_bytes = 0
        """Of the last position that was, or was to be, committed."""
        self._ended = False
        self._stored_position = (offsets.position().frontier, encode(offsets.position()))
        self._proof_due: Callable[[], None] | None = None
        self._work = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def add(self, outcome: Outcome, plan: Plan | None = None) -> None:
        """Queue an outcome, with the plan that was carried out for it. Its record is finished when the commit that
        takes it up is stored."""
        self._outbox.append(Ended(outcome, plan))
        self._wake(urgently=len(self._outbox) >= MAX_OUTCOMES)

    async def mark(self, offset: int) -> None:
        """Make it durable that a call which must not happen twice may leave for `offset`. Raises `OwnershipLost`.

        Returns at once when the mark is there already.
        """
        if offset in self._marked:
            return
        if self._ended:
            raise self._lost()
        self._offsets.attempt(offset)
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._marks.append(stored)
        self._wake(urgently=True)
        await stored
        self._marked.add(offset)

    async def keep(self, offset: int, note: str) -> None:
        """Make `note`, and with it a mark, durable for `offset`. Raises `OwnershipLost`."""
        await self._enter(offset, (), note)
        self._marked.add(offset)

    async def publish_rows(self, offset: int, rows: Sequence[Outgoing], note: str | None = None) -> None:
        """Publish rows of the export at `offset`, count them, and keep `note` where one is given; all or nothing.
        Raises `OwnershipLost`."""
        await self._enter(offset, rows, note)

    async def _enter(self, offset: int, rows: Sequence[Outgoing], note: str | None) -> None:
        if self._ended:
            raise self._lost()
        entry = Entry(offset, rows, note, asyncio.get_running_loop().create_future())
        self._entries.append(entry)
        self._wake(urgently=True)
        await entry.stored

    def prove(self, proved: Callable[[], None]) -> None:
        """Before anything else is stored, commit once more what is stored already: only its owner can. Then call
        `proved`; if the partition is another's, `run` ends with `OwnershipLost`."""
        self._proof_due = proved
        self._wake(urgently=True)

    @property
    def taken(self) -> int:
        """Outcomes that are being stored."""
        return len(self._batch.told)

    @property
    def held(self) -> int:
        """Outcomes that cannot be stored for now, and those that wait behind them."""
        return len(self._holding)

    @property
    def stored_frontier(self) -> int:
        """Of the last position that is known to be stored."""
        return self._stored_position[0]

    @property
    def unstored(self) -> list[Outcome]:
        """Outcomes that were added, and are not known to be stored."""
        batch, outbox = self._batch.told, self._outbox
        return [
            *(told.ended.outcome for told in batch),
            *self._holding.outcomes,
            *(ended.outcome for ended in outbox),
        ]

    async def emptied(self) -> None:
        """Blocks until nothing waits to be stored but what is held. Meanwhile no pace is kept."""
        self._emptying += 1
        try:
            if not self._empty.is_set():
                self._wake(urgently=True)
            await self._empty.wait()
        finally:
            self._emptying -= 1

    async def run(self) -> None:
        """Store what is added, until cancelled. Raises `OwnershipLost`; whoever waits for a mark is told the same."""
        try:
            while True:
                await self._work.wait()
                await self._pacing.begin(urgent=self._urgent)
                try:
                    await self._store_proof()
                    self._take()
                    await self._store_batch()
                finally:
                    self._pacing.end()
                if not (self._outbox or self._marks or self._entries or self._proof_due):
                    self._work.clear()
                    if not self._batch:
                        self._empty.set()
        finally:
            self._ended = True
            for timer in (self._release_timer, self._position_timer):
                if timer is not None:
                    timer.cancel()
            entries = (entry.stored for entry in (*self._batch.entries, *self._entries))
            for stored in (*self._batch.marks, *self._marks, *entries):
                if not stored.done():
                    stored.set_exception(self._lost())
                    stored.exception()  # whoever waited may be gone already

    def _lost(self) -> OwnershipLost:
        return OwnershipLost(f"{self._partition} is no longer ours")

    def _wake(self, *, urgently: bool = False) -> None:
        self._empty.clear()
        self._work.set()
        if urgently:
            self._pacing.hurry()

    @property
    def _urgent(self) -> bool:
        """Whether somebody waits for the next commit, or it is as large as one may be."""
        waited_for = self._marks or self._entries or self._proof_due or self._emptying
        return bool(waited_for) or len(self._outbox) >= MAX_OUTCOMES

    def _take(self) -> None:
        for _ in range(min(len(self._outbox), MAX_OUTCOMES)):
            ended = self._outbox.popleft()
            if self._holding.holds_back(ended.plan):
                self._holding.hold(ended)
                continue
            offset = ended.outcome.record.offset
            self._batch.told.append(Told(ended, self._render(ended.outcome), self._offsets.finish(offset)))
            self._marked.discard(offset)
        for entry in self._entries:
            if entry.rows:
                self._offsets.publish_rows(entry.offset, len(entry.rows))
            if entry.note is not None:
                self._offsets.keep(entry.offset, entry.note)
                self._offsets.attempt(entry.offset)
        self._batch.entries.extend(self._entries)
        self._entries.clear()
        self._batch.marks.extend(self._marks)
        self._marks.clear()

    async def _store_proof(self) -> None:
        """Where one is due. A store without transactions publishes before anybody checks whose partition it is."""
        await self._check()
        while (proved := self._proof_due) is not None:
            stored = await self._commit(Batch(), *self._stored_position)
            if stored and self._proof_due is proved:  # no doubt has come since: each hands in another object
                self._proof_due = None
                proved()
            await self._check()

    async def _store_batch(self) -> None:
        if self._ahead is not None:
            await self._publish(self._ahead)
            if not self._position_is_due:
                self._let_position_follow(self._ahead.seconds)
                return
        while self._batch:
            await self._store_proof()
            position = self._offsets.position()
            try:
                metadata = encode(position)
                self.metadata_bytes = len(metadata)
            except MetadataTooLong as error:
                self.metadata_bytes = MAX_BYTES
                message = f"the position does not fit its metadata: {error}"
                self._observer.commit_failed(self._partition, CommitFailure.METADATA, message)
                await self._wait_for_more()
                continue
            try:
                stored = await self._commit(self._batch, position.frontier, metadata)
            except RecordsRefused as refused:
                await self._hold(refused)
            else:
                if stored:
                    self._stored()

    async def _publish(self, ahead: Ahead) -> None:
        """What of the batch is not published yet. The position says nothing of it before."""
        while not self._batch.is_published:
            await self._store_proof()
            try:
                await self._storing.publish(self._batch, ahead)
            except RecordsRefused as refused:
                await self._hold(refused)

    @property
    def _position_is_due(self) -> bool:
        batch = self._batch
        waited_for = batch.marks or batch.entries or self._emptying
        return self._position_due or bool(waited_for) or len(batch.told) >= MAX_OUTCOMES

    def _let_position_follow(self, beat_seconds: float) -> None:
        """With the next beat, which is the same for all partitions: their positions then go in one request."""
        if self._batch and self._position_timer is None:
            loop = asyncio.get_running_loop()
            next_beat = (loop.time() // beat_seconds + 1) * beat_seconds
            self._position_timer = loop.call_at(next_beat, self._make_position_due)

    def _make_position_due(self) -> None:
        self._position_timer = None
        self._position_due = True
        self._wake()

    async def _hold(self, refused: RecordsRefused) -> None:
        """Put off the outcomes whose records are refused, and what may not be stored before them; the rest of the batch
        is stored without them."""
        at_fault, behind = self._batch.hold(refused.indexes, self._holding)
        self._offsets.reopen({told.ended.outcome.record.offset: told.remembered for told in (*at_fault, *behind)})
        for told in at_fault:
            self._observer.held(told.ended.outcome, str(refused))
        if not at_fault:
            await self._storing.put_off(str(refused))
        elif self._release_timer is None:
            self._release_timer = asyncio.get_running_loop().call_later(HOLD_SECONDS, self._release)

    def _release(self) -> None:
        """Try again what is held, before all that has come since."""
        self._release_timer = None
        self._outbox.extendleft(reversed(self._holding.release()))
        self._wake()

    async def _commit(self, batch: Batch, offset: int, metadata: str) -> bool:
        """Whether it was stored. Raises as `Storing.commit` does."""
        stored = await self._storing.commit(batch, offset, metadata)
        if stored:
            self._stored_position = (offset, metadata)
        return stored

    def _stored(self) -> None:
        batch, self._batch = self._batch, Batch()
        self._position_due = False
        if self._position_timer is not None:
            self._position_timer.cancel()
            self._position_timer = None
        for stored in (*batch.marks, *(entry.stored for entry in batch.entries)):
            if not stored.done():
                stored.set_result(None)
        for told in batch.told:
            self._settled(told.ended.outcome)

    async def _wait_for_more(self) -> None:
        """Until another outcome may have moved the frontier. The batch then grows beyond `MAX_OUTCOMES`: by growing
        alone can it come to fit."""
        if not self._outbox:
            self._work.clear()
            await self._work.wait()
        self._take()
