"""The stores of a worker on the fake broker, one for each delivery mode. As in the real ones, each commit is several
requests: a worker that stops between two of them leaves behind what it has sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeAlias

from service.domain.record import Partition
from service.engine.pacing import Pace
from service.engine.ports import Ahead, CommitFailure, Outgoing, OwnershipLost, RecordsRefused, StoreUnavailable
from tests.fakes.broker import CommitTrouble, FakeBroker, Membership, WrongGeneration
from tests.fakes.process import FakeProcess
from tests.fakes.transactions import Fenced, MetadataTooLarge, StoredCommit

UNPACED = Pace()
AHEAD_SECONDS = 0.1
Publishing: TypeAlias = Callable[[Partition, Sequence[Outgoing]], None]


class FakeStore:
    """Implements `engine.ports.Store` in transactions, for the claimant that holds `fence`."""

    def __init__(
        self,
        broker: FakeBroker,
        partition: Partition,
        fence: int,
        process: FakeProcess,
        pace: Pace = UNPACED,
    ) -> None:
        self.pace = pace
        self.ahead = None
        self._broker = broker
        self._partition = partition
        self._fence = fence
        self._process = process
        self.closed = False

    async def commit(self, records: Sequence[Outgoing], offset: int, metadata: str) -> None:
        if refused := [place for place, sent in enumerate(records) if sent.topic in self._broker.refused_topics]:
            raise RecordsRefused(refused, "the topic is gone")
        try:
            await self._commit(tuple(records), offset, metadata)
        except (Fenced, MetadataTooLarge) as error:  # after either, aiokafka's producer is of no use
            raise OwnershipLost(str(error)) from error

    async def close(self) -> None:
        await self._process.breathe()
        await asyncio.sleep(self._broker.delay("close"))
        self.closed = True

    async def _commit(self, records: tuple[Outgoing, ...], offset: int, metadata: str) -> None:
        transactions, partition, fence = self._broker.transactions, self._partition, self._fence
        trouble = self._broker.commit_trouble(partition)
        share = 0.5 if records else 1.0
        if records:
            await self._ask(lambda: transactions.write(partition, fence, records), share)
        await self._ask(lambda: transactions.write_offset(partition, fence, offset, metadata), share)
        if trouble is CommitTrouble.NOT_STORED:
            await self._ask(lambda: transactions.abort(partition, fence))
            raise StoreUnavailable("made to fail")
        if trouble is CommitTrouble.FENCED:
            await self._ask(lambda: transactions.bar(partition))
        if trouble is CommitTrouble.LOST_AND_NOT_STORED:
            await self._ask(lambda: None)
            raise OwnershipLost("whether it was stored is unknown: it was not", CommitFailure.UNKNOWN)
        await self._ask(lambda: transactions.end(partition, fence, self._process.name))
        if trouble is CommitTrouble.LOST_BUT_STORED:
            raise OwnershipLost("whether it was stored is unknown: it was", CommitFailure.UNKNOWN)

    async def _ask(self, effect: Callable[[], None], share: float = 1.0) -> None:
        """Takes `share` of the broker's usual time."""
        await self._process.breathe()
        await self._broker.answer("commit", effect, share)


class FakeSharedStore:
    """Implements `engine.ports.Store` without transactions: publishes, then commits as the member that the worker
    believes it is. `membership` is asked first, and raises `OwnershipLost` where the worker itself knows that
    it has lost it; `publishing` is told before records leave."""

    def __init__(
        self,
        broker: FakeBroker,
        partition: Partition,
        membership: Callable[[Partition], Membership],
        process: FakeProcess,
        publishing: Publishing,
    ) -> None:
        self.pace = UNPACED
        self.ahead = Ahead(self.publish, AHEAD_SECONDS)
        self._broker = broker
        self._partition = partition
        self._membership = membership
        self._process = process
        self._publishing = publishing
        self._published: list[Outgoing] = []
        """Of which no position is known to be stored."""
        self._position = broker.committed.get(partition, (0, ""))
        self.closed = False

    async def publish(self, records: Sequence[Outgoing]) -> None:
        broker = self._broker
        if refused := [place for place, sent in enumerate(records) if sent.topic in broker.refused_topics]:
            raise RecordsRefused(refused, "the topic is gone")
        sent = tuple(record._replace() for record in records)  # its own in each attempt: the judge tells them apart
        await self._process.breathe()
        self._membership(self._partition)
        self._publishing(self._partition, sent)
        await broker.answer("commit", lambda: broker.publish(sent))
        self._published += sent

    async def commit(self, records: Sequence[Outgoing], offset: int, metadata: str) -> None:
        broker, trouble = self._broker, self._broker.commit_trouble(self._partition)
        if records:
            await self.publish(records)
        position = (offset, metadata)
        told = () if position == self._position else tuple(self._published)  # a proof says nothing new
        commit = StoredCommit(self._partition, told, offset, metadata, self._process.name)
        await self._process.breathe()
        membership = self._membership(self._partition)
        try:
            await self._process.breathe()
            await broker.answer("commit", lambda: self._arrive(commit, membership, trouble))
        except WrongGeneration as error:
            raise OwnershipLost(str(error)) from error
        except MetadataTooLarge as error:
            raise StoreUnavailable(str(error)) from error
        if trouble is not None:
            raise StoreUnavailable("made to fail")
        self._position = position
        if told:
            self._published.clear()

    async def close(self) -> None:
        await self._process.breathe()
        self.closed = True

    def _arrive(self, commit: StoredCommit, membership: Membership, trouble: CommitTrouble | None) -> None:
        if trouble is CommitTrouble.FENCED:
            raise WrongGeneration("made to fail")
        if trouble in (None, CommitTrouble.LOST_BUT_STORED):
            self._broker.commit(commit, membership)
