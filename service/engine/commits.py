"""The commit loop of one partition: outcomes and marks go in, durable commits come out. The offset moves here and
nowhere else.

Group commit: the next commit starts when the last has ended and something waits. So a quiet partition answers at
once, and a busy one commits in bulk.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from service.domain.outcomes import Outcome
from service.domain.record import Partition
from service.engine.commit_metadata import MAX_BYTES, MetadataTooLong, encode
from service.engine.offsets import Offsets
from service.engine.ports import Observer, Outgoing, OwnershipLost, Store, StoreUnavailable

Render: TypeAlias = Callable[[Outcome], Sequence[Outgoing]]
"""The records that tell of an outcome: a result, and a dead letter where one is due."""

MAX_OUTCOMES = 1000
"""In one commit, so that a transaction stays short."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0
"""Between attempts at a commit that could not be stored."""


@dataclass(slots=True)
class _Batch:
    """What one commit stores. It is kept, and may grow, until it is stored."""

    outcomes: list[Outcome] = field(default_factory=list)
    records: list[Outgoing] = field(default_factory=list)
    marks: list[asyncio.Future[None]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.outcomes or self.marks)


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
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """`check` is called before anything is stored; it may ask for a proof, or raise `OwnershipLost`."""
        self._check = check
        self._partition = partition
        self._offsets = offsets
        self._store = store
        self._render = render
        self._settled = settled
        self._observer = observer
        self._outbox: deque[Outcome] = deque()
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

    def add(self, outcome: Outcome) -> None:
        """Queue an outcome. Its record is finished when the commit that takes it up is stored."""
        self._outbox.append(outcome)
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

    def prove(self, proved: Callable[[], None]) -> None:
        """Before anything else is stored, commit once more what is stored already: only its owner can. Then call
        `proved`; if the partition is another's, `run` ends with `OwnershipLost`."""
        self._proof_due = proved
        self._wake()

    @property
    def taken(self) -> int:
        """Outcomes that are being stored."""
        return len(self._batch.outcomes)

    @property
    def unstored(self) -> list[Outcome]:
        """Outcomes that were added, and are not known to be stored."""
        return [*self._batch.outcomes, *self._outbox]

    async def emptied(self) -> None:
        """Blocks until nothing waits to be stored."""
        await self._empty.wait()

    async def run(self) -> None:
        """Store what is added, until cancelled. Raises `OwnershipLost`; whoever waits for a mark is told the same."""
        try:
            while True:
                await self._work.wait()
                await self._store_proof()
                self._take()
                await self._store_batch()
                if not (self._outbox or self._marks or self._proof_due):
                    self._work.clear()
                    self._empty.set()
        finally:
            self._ended = True
            for stored in (*self._batch.marks, *self._marks):
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
            outcome = self._outbox.popleft()
            self._offsets.finish(outcome.record.offset)
            self._marked.discard(outcome.record.offset)
            self._batch.outcomes.append(outcome)
            self._batch.records.extend(self._render(outcome))
        self._batch.marks.extend(self._marks)
        self._marks.clear()

    async def _store_proof(self) -> None:
        """Where one is due. A store without transactions publishes before anybody checks whose partition it is."""
        self._check()
        while (proved := self._proof_due) is not None:
            stored = await self._commit((), *self._stored_position)
            if stored and self._proof_due is proved:  # no doubt has come since: each hands in another object
                self._proof_due = None
                proved()
            self._check()

    async def _store_batch(self) -> None:
        while self._batch:
            await self._store_proof()
            position = self._offsets.position()
            try:
                metadata = encode(position)
                self.metadata_bytes = len(metadata)
            except MetadataTooLong as error:
                self.metadata_bytes = MAX_BYTES
                self._observer.commit_failed(self._partition, f"the position does not fit its metadata: {error}")
                await self._wait_for_more()
                continue
            if await self._commit(self._batch.records, position.frontier, metadata):
                self._stored()

    async def _commit(self, records: Sequence[Outgoing], offset: int, metadata: str) -> bool:
        """Whether it was stored. When it was not, that is told to the observer, and a pause is made here."""
        now = asyncio.get_running_loop().time
        started = now()
        try:
            await self._store.commit(records, offset, metadata)
        except StoreUnavailable as error:
            self._observer.commit_failed(self._partition, str(error))
            await asyncio.sleep(self._pause_seconds)
            self._pause_seconds = min(LONGEST_PAUSE_SECONDS, self._pause_seconds * 2)
            return False
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._stored_position = (offset, metadata)
        self._observer.committed(self._partition, len(records), now() - started)
        return True

    def _stored(self) -> None:
        batch, self._batch = self._batch, _Batch()
        for stored in batch.marks:
            if not stored.done():
                stored.set_result(None)
        for outcome in batch.outcomes:
            self._settled(outcome)

    async def _wait_for_more(self) -> None:
        """Until another outcome may have moved the frontier. The batch then grows beyond `MAX_OUTCOMES`: by growing
        alone can it come to fit."""
        if not self._outbox:
            self._work.clear()
            await self._work.wait()
        self._take()
