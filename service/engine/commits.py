"""The commit loop of one partition: outcomes, marks and the rows of exports go in, durable commits come out. The offset
moves here and nowhere else.

Group commit: the next commit starts when the last has ended and something waits. So a quiet partition answers at
once, and a busy one commits in bulk.

An outcome whose records the store refuses (a dead letter that is too large for its topic, a topic that is gone) is
held: its offset stays open, and it is tried again and again. What is behind it goes on, but for outcomes of the same
entity, which are held with it (`holding`).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from service.domain.operations import Plan
from service.domain.outcomes import Outcome
from service.domain.record import Partition
from service.engine.commit_metadata import MAX_BYTES, MetadataTooLong, encode
from service.engine.holding import Ended, Holding
from service.engine.offsets import Offsets, Remembered
from service.engine.ports import (
    Commit,
    CommitFailure,
    Observer,
    Outgoing,
    OwnershipLost,
    RecordsRefused,
    Store,
    StoreUnavailable,
)
from service.engine.progress import Progress

Render: TypeAlias = Callable[[Outcome], Sequence[Outgoing]]
"""The records that tell of an outcome: a result, and a dead letter where one is due."""

Check: TypeAlias = Callable[[], Awaitable[None]]

MAX_OUTCOMES = 1000
"""In one commit, so that a transaction stays short."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0
"""Between attempts at a commit that could not be stored."""

LONGEST_COMMIT_SECONDS = 90.0
"""Within which a store has stored a commit, or has given it up."""

HOLD_SECONDS = 5.0
"""Between attempts at an outcome that was refused."""


async def unchecked() -> None:
    """A `Check` that lets everything pass."""


class _Told(NamedTuple):
    """An outcome that was taken up, with the records that tell of it."""

    ended: Ended
    records: Sequence[Outgoing]
    remembered: Remembered
    """What was remembered of its record until it was taken up."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """What an export that is under way wants stored: rows, or a note."""

    offset: int
    rows: Sequence[Outgoing]
    note: str | None
    stored: asyncio.Future[None]


@dataclass(slots=True)
class _Batch:
    """What one commit stores. It is kept, and may grow, until it is stored."""

    told: list[_Told] = field(default_factory=list)
    entries: list[_Entry] = field(default_factory=list)
    marks: list[asyncio.Future[None]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.told or self.entries or self.marks)

    @property
    def rows(self) -> int:
        return sum(len(entry.rows) for entry in self.entries)

    @property
    def all_marks(self) -> int:
        return len(self.marks) + sum(entry.note is not None for entry in self.entries)

    def records(self) -> list[Outgoing]:
        """Rows first: the result of their export may be in the same commit."""
        rows = [row for entry in self.entries for row in entry.rows]
        return rows + [record for told in self.told for record in told.records]

    def hold(self, indexes: frozenset[int], holding: Holding) -> tuple[list[_Told], list[_Told]]:
        """Move the outcomes to which any of these places in `records()` belongs to what is held, and those behind them
        that it holds back. Returns both kinds."""
        start = self.rows
        kept: list[_Told] = []
        refused: list[_Told] = []
        behind: list[_Told] = []
        for told in self.told:
            end = start + len(told.records)
            if not indexes.isdisjoint(range(start, end)):
                refused.append(told)
                holding.hold(told.ended)
            elif holding.holds_back(told.ended.plan):
                behind.append(told)
                holding.hold(told.ended)
            else:
                kept.append(told)
            start = end
        self.told = kept
        return refused, behind


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
        self._progress = progress or Progress()
        self._partition = partition
        self._offsets = offsets
        self._store = store
        self._render = render
        self._settled = settled
        self._observer = observer
        self._outbox: deque[Ended] = deque()
        self._holding = Holding()
        self._release_timer: asyncio.TimerHandle | None = None
        self._entries: list[_Entry] = []
        self._marks: list[asyncio.Future[None]] = []
        self._marked = set(offsets.position().attempted)
        self._batch = _Batch()
        self.metadata_bytes = 0
        """Of the last position that was, or was to be, committed."""
        self._ended = False
        self._stored_position = (offsets.position().frontier, encode(offsets.position()))
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._proof_due: Callable[[], None] | None = None
        self._work = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def add(self, outcome: Outcome, plan: Plan | None = None) -> None:
        """Queue an outcome, with the plan that was carried out for it. Its record is finished when the commit that
        takes it up is stored."""
        self._outbox.append(Ended(outcome, plan))
        self._wake()

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
        self._wake()
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
        entry = _Entry(offset, rows, note, asyncio.get_running_loop().create_future())
        self._entries.append(entry)
        self._wake()
        await entry.stored

    def prove(self, proved: Callable[[], None]) -> None:
        """Before anything else is stored, commit once more what is stored already: only its owner can. Then call
        `proved`; if the partition is another's, `run` ends with `OwnershipLost`."""
        self._proof_due = proved
        self._wake()

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
        """Blocks until nothing waits to be stored but what is held."""
        await self._empty.wait()

    async def run(self) -> None:
        """Store what is added, until cancelled. Raises `OwnershipLost`; whoever waits for a mark is told the same."""
        try:
            while True:
                await self._work.wait()
                await self._store_proof()
                self._take()
                await self._store_batch()
                if not (self._outbox or self._marks or self._entries or self._proof_due):
                    self._work.clear()
                    self._empty.set()
        finally:
            self._ended = True
            if self._release_timer is not None:
                self._release_timer.cancel()
            entries = (entry.stored for entry in (*self._batch.entries, *self._entries))
            for stored in (*self._batch.marks, *self._marks, *entries):
                if not stored.done():
                    stored.set_exception(self._lost())
                    stored.exception()  # whoever waited may be gone already

    def _lost(self) -> OwnershipLost:
        return OwnershipLost(f"{self._partition} is no longer ours")

    def _wake(self) -> None:
        self._empty.clear()
        self._work.set()

    def _take(self) -> None:
        for _ in range(min(len(self._outbox), MAX_OUTCOMES)):
            ended = self._outbox.popleft()
            if self._holding.holds_back(ended.plan):
                self._holding.hold(ended)
                continue
            offset = ended.outcome.record.offset
            self._batch.told.append(_Told(ended, self._render(ended.outcome), self._offsets.finish(offset)))
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
            stored = await self._commit(_Batch(), *self._stored_position)
            if stored and self._proof_due is proved:  # no doubt has come since: each hands in another object
                self._proof_due = None
                proved()
            await self._check()

    async def _store_batch(self) -> None:
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

    async def _hold(self, refused: RecordsRefused) -> None:
        """Put off the outcomes whose records are refused, and what may not be stored before them; the rest of the batch
        is stored without them."""
        at_fault, behind = self._batch.hold(refused.indexes, self._holding)
        self._offsets.reopen({told.ended.outcome.record.offset: told.remembered for told in (*at_fault, *behind)})
        for told in at_fault:
            self._observer.held(told.ended.outcome, str(refused))
        if not at_fault:
            await self._put_off(str(refused))
        elif self._release_timer is None:
            self._release_timer = asyncio.get_running_loop().call_later(HOLD_SECONDS, self._release)

    def _release(self) -> None:
        """Try again what is held, before all that has come since."""
        self._release_timer = None
        self._outbox.extendleft(reversed(self._holding.release()))
        self._wake()

    async def _put_off(self, why: str) -> None:
        self._observer.commit_failed(self._partition, CommitFailure.ABORTED, why)
        await asyncio.sleep(self._pause_seconds)
        self._pause_seconds = min(LONGEST_PAUSE_SECONDS, self._pause_seconds * 2)

    async def _commit(self, batch: _Batch, offset: int, metadata: str) -> bool:
        """Whether it was stored. When it was not, that is told to the observer, and a pause is made here.

        Raises `RecordsRefused`, and `OwnershipLost`.
        """
        now = asyncio.get_running_loop().time
        started = now()
        records = batch.records()
        try:
            with self._progress.expecting(LONGEST_COMMIT_SECONDS):
                await self._store.commit(records, offset, metadata)
        except RecordsRefused:
            raise
        except StoreUnavailable as error:
            await self._put_off(str(error))
            return False
        except OwnershipLost as lost:
            self._observer.commit_failed(self._partition, lost.failure, str(lost))
            raise
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._stored_position = (offset, metadata)
        stored = Commit(len(records), batch.rows, batch.all_marks, now() - started)
        self._observer.committed(self._partition, stored)
        return True

    def _stored(self) -> None:
        batch, self._batch = self._batch, _Batch()
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
