"""One owned partition: its lease, its offsets, its commits, and what of it is in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from service.domain.operations import Plan
from service.domain.outcomes import Outcome
from service.domain.record import Partition, Record
from service.engine.commits import Commits, Render
from service.engine.job import Job
from service.engine.journal import ExportJournal, RenderRows
from service.engine.lease import Lease
from service.engine.offsets import Offsets, Receipt
from service.engine.ports import Claim, Observer, OwnershipLost
from service.engine.progress import Progress

RELEASE_SECONDS = 10.0
"""How long the store of a partition that is given up may take to close."""


class OwnedPartition:
    """Made when a partition has been claimed, closed when it is ours no more."""

    def __init__(
        self,
        partition: Partition,
        epoch: int,
        claim: Claim,
        render: Render,
        observer: Observer,
        feel_pulse: Callable[[], None] = lambda: None,
        progress: Progress | None = None,
        relieved: Callable[[Partition], None] = lambda partition: None,
    ) -> None:
        """`relieved` is called whenever one record less is in memory."""
        self._relieved = relieved
        self.partition = partition
        self.epoch = epoch
        self.lease = Lease(feel_pulse, progress)
        self.jobs: set[Job] = set()
        """Entered into the lanes and not left."""
        self.unsettled_bytes = 0
        self._claim = claim
        self._offsets = Offsets(claim.position)
        self._observer = observer
        self._commits = Commits(
            partition, self._offsets, claim.store, render, self._settled, observer, self._check, progress
        )
        self._task: asyncio.Task[None] | None = None

    @property
    def unsettled(self) -> int:
        """Records in memory: received, and not settled."""
        return self._offsets.unfinished + self._commits.taken

    @property
    def metadata_bytes(self) -> int:
        """How long the metadata of the last commit was."""
        return self._commits.metadata_bytes

    @property
    def stored_frontier(self) -> int:
        """The lowest offset that is not known to be finished and stored."""
        return self._commits.stored_frontier

    @property
    def oldest_since(self) -> float | None:
        """See `Offsets.oldest_since`."""
        return self._offsets.oldest_since

    @property
    def held(self) -> int:
        """Outcomes that cannot be stored for now."""
        return self._commits.held

    @property
    def next_offset(self) -> int:
        return self._offsets.next_offset

    def start(self, lost: Callable[[OwnedPartition, str], None]) -> None:
        """Run the commit loop. `lost` is called, once, when it ends by itself."""
        self._task = asyncio.create_task(self._commits.run(), name=f"commits {self.partition}")

        def ended(task: asyncio.Task[None]) -> None:
            if task.cancelled():
                return
            error = task.exception()
            if self.lease.ended:  # it was given up, and has noticed before it was cancelled
                return
            self.lease.end(str(error))
            lost(self, str(error) if isinstance(error, OwnershipLost) else f"{type(error).__name__}: {error}")

        self._task.add_done_callback(ended)

    def receive(self, record: Record) -> Receipt:
        """What to do with the record."""
        receipt = self._offsets.receive(record.offset, record.known_since)
        if receipt is Receipt.NEW:
            self.unsettled_bytes += record.size_bytes
        return receipt

    def doubt(self) -> None:
        """The worker was suspended: no call and no record goes out before a commit has proved the partition ours."""
        self.lease.doubt()
        self._commits.prove(self.lease.prove)

    def was_attempted(self, record: Record) -> bool:
        return self._offsets.was_attempted(record.offset)

    def journal(self, record: Record, plan: Plan, render: RenderRows) -> ExportJournal:
        """What the record's export makes durable."""
        return ExportJournal(record, plan, self._offsets, self._commits, self.lease, render)

    async def mark(self, record: Record) -> None:
        """See `CallContext.mark`."""
        self.lease.check()
        await self._commits.mark(record.offset)
        await self.lease.may_leave()  # the worker may have slept while the mark was stored

    def settle(self, outcome: Outcome, plan: Plan | None = None) -> None:
        """The only caller of `Commits.add`. An outcome that comes after the lease has ended is dropped: the next owner
        of the partition finds the record unfinished."""
        if self.lease.ended:
            self._observer.dropped(outcome.record, "it was finished after its partition had been lost")
        else:
            self._commits.add(outcome, plan)

    def _settled(self, outcome: Outcome) -> None:
        self.unsettled_bytes -= outcome.record.size_bytes
        self._observer.settled(outcome)
        self._relieved(self.partition)

    async def emptied(self) -> None:
        """Blocks until every outcome is stored, or the lease has ended."""
        if self._task is None or self._task.done():
            return
        waiting = asyncio.ensure_future(self._commits.emptied())
        try:
            await asyncio.wait((waiting, self._task), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()

    def abandon(self, why: str) -> None:
        """Store nothing more from now on: our offsets are not those of the partition any more."""
        self.lease.end(why)
        if self._task is not None:
            self._task.cancel()

    async def _check(self) -> None:
        """Before anything is stored. Blocks while the group is not heard of. Raises `OwnershipLost` when the partition
        has been given up."""
        await self.lease.in_touch()

    async def close(self, why: str) -> None:
        """Give the partition up: no call starts, nothing more is stored."""
        self.lease.end(why)
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait((self._task,))
        for outcome in self._commits.unstored:
            self._observer.dropped(outcome.record, why)
        async with asyncio.timeout(RELEASE_SECONDS):
            await self._claim.store.close()
