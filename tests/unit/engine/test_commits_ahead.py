"""A store that cannot store records and position together anyway: records are published as they come, and the position,
which says nothing that is not published, follows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from service.domain.record import Partition
from service.engine.commit_metadata import decode
from service.engine.commits import HOLD_SECONDS, MAX_OUTCOMES, Commits
from service.engine.offsets import Offsets, Position
from service.engine.pacing import Pace
from service.engine.ports import Ahead, CommitFailure, Outgoing, OwnershipLost, RecordsRefused, StoreUnavailable
from tests.builders.outcomes import REFUSED, operation, outcome, record
from tests.fakes.events import DEAD_LETTERS, RESULTS, ROWS, render, told_by
from tests.fakes.recording import RecordingObserver

PARTITION = Partition("changes", 0)
BEAT_SECONDS = 10.0
PUBLISH_SECONDS = 1.0


@dataclass(slots=True)
class Store:
    """Implements `engine.ports.Store`. `troubles` are raised, one for each thing that is asked."""

    pace: Pace = field(default_factory=Pace)
    published: list[list[Outgoing]] = field(default_factory=list)
    positions: list[Position] = field(default_factory=list)
    refused_topics: set[str] = field(default_factory=set)
    troubles: list[Exception | None] = field(default_factory=list)

    @property
    def ahead(self) -> Ahead:
        return Ahead(self.publish, BEAT_SECONDS)

    async def publish(self, records: Sequence[Outgoing]) -> None:
        if refused := [place for place, sent in enumerate(records) if sent.topic in self.refused_topics]:
            raise RecordsRefused(refused, "the topic is gone")
        await asyncio.sleep(PUBLISH_SECONDS)
        self._fail()
        self.published.append(list(records))

    async def commit(self, records: Sequence[Outgoing], offset: int, metadata: str) -> None:
        if records:
            await self.publish(records)
        self._fail()
        self.positions.append(decode(offset, metadata))

    async def close(self) -> None: ...

    def _fail(self) -> None:
        if self.troubles and (trouble := self.troubles.pop(0)) is not None:
            raise trouble

    @property
    def results(self) -> list[list[int]]:
        """Offsets whose results were published, publication by publication."""
        return [
            [told_by(sent).offset for sent in sent_at_once if sent.topic == RESULTS] for sent_at_once in self.published
        ]


class Subject:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.offsets = Offsets(Position(0))
        self.observer = RecordingObserver()
        self.settled: list[int] = []
        self.commits = Commits(
            PARTITION,
            self.offsets,
            store,
            render,
            lambda stored: self.settled.append(stored.record.offset),
            self.observer,
        )

    def finish(self, *offsets: int, failed: bool = False) -> None:
        for offset in offsets:
            self.offsets.receive(offset)
            self.commits.add(
                outcome(operation(REFUSED) if failed else operation(), of=record(offset, partition=PARTITION))
            )


@asynccontextmanager
async def committing() -> AsyncIterator[Subject]:
    subject = Subject(Store())
    running = asyncio.create_task(subject.commits.run())
    await asyncio.sleep(0.5)  # behind a beat
    yield subject
    running.cancel()
    await asyncio.wait((running,))


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_results_are_published_as_they_come_and_the_position_follows_with_the_beat() -> None:
    async with committing() as subject:
        subject.finish(0)
        await asyncio.sleep(3)
        subject.finish(1, 2)
        await asyncio.sleep(3)
        assert (subject.store.results, subject.store.positions, subject.settled) == ([[0], [1, 2]], [], [])

        await asyncio.sleep(BEAT_SECONDS)

        assert (subject.store.positions, subject.settled) == ([Position(3)], [0, 1, 2])


async def test_the_beat_is_the_same_for_all_partitions() -> None:
    stored_at: list[float] = []
    async with committing() as one, committing() as other:
        for subject, pause in ((one, 2), (other, 3)):
            await asyncio.sleep(pause)
            subject.finish(0)
        while not (one.settled and other.settled):
            await asyncio.sleep(0.01)
            stored_at += [now()] * (len(stored_at) < len(one.settled) + len(other.settled))

    assert stored_at[0] == pytest.approx(BEAT_SECONDS, abs=0.1)
    assert stored_at[-1] == pytest.approx(BEAT_SECONDS, abs=0.1)


async def test_a_position_says_nothing_of_what_is_not_published() -> None:
    async with committing() as subject:
        subject.finish(0)
        await asyncio.sleep(BEAT_SECONDS - 0.5 - PUBLISH_SECONDS / 2)
        subject.finish(1)  # its publication is under way when the beat comes
        await asyncio.sleep(PUBLISH_SECONDS * 1.1)

        assert subject.store.results == [[0], [1]]
        assert subject.store.positions == [Position(2)]


async def test_a_mark_takes_the_position_along_at_once() -> None:
    async with committing() as subject:
        subject.finish(0)
        await asyncio.sleep(2)
        subject.offsets.receive(1)
        asked_at = now()

        await subject.commits.mark(1)

        assert now() == asked_at
        assert subject.store.positions == [Position(1, (), frozenset({1}))]
        assert subject.settled == [0]


async def test_rows_of_an_export_are_durable_with_their_number_when_that_returns() -> None:
    async with committing() as subject:
        subject.offsets.receive(0)

        await subject.commits.publish_rows(0, [Outgoing(ROWS, b"k", b"1")] * 2, "a note")

        assert [len(sent) for sent in subject.store.published] == [2]
        assert subject.store.positions == [Position(0, (), frozenset({0}), {0: 2}, {0: "a note"})]


async def test_a_drain_takes_the_position_along_at_once() -> None:
    async with committing() as subject:
        subject.finish(0)
        await asyncio.sleep(2)
        asked_at = now()

        await subject.commits.emptied()

        assert now() == asked_at
        assert (subject.store.positions, subject.settled) == ([Position(1)], [0])


async def test_nothing_counts_as_emptied_while_the_position_is_due() -> None:
    async with committing() as subject:
        subject.finish(0)
        draining = asyncio.create_task(subject.commits.emptied())
        await asyncio.sleep(PUBLISH_SECONDS / 2)

        assert not draining.done()
        await draining
        assert subject.store.positions == [Position(1)]


async def test_so_many_outcomes_take_the_position_along() -> None:
    async with committing() as subject:
        subject.finish(*range(MAX_OUTCOMES))
        await asyncio.sleep(PUBLISH_SECONDS * 1.1)

        assert subject.store.positions == [Position(MAX_OUTCOMES)]


async def test_a_publication_that_failed_is_tried_again_and_the_position_waits_for_it() -> None:
    async with committing() as subject:
        subject.store.troubles = [StoreUnavailable("made to fail")]
        subject.finish(0)
        await asyncio.sleep(PUBLISH_SECONDS * 1.05)
        assert subject.observer.commit_failures == [(CommitFailure.ABORTED, "made to fail")]
        assert subject.store.positions == []

        await subject.commits.emptied()

        assert (subject.store.results, subject.store.positions) == ([[0]], [Position(1)])


async def test_a_position_that_was_not_stored_is_tried_again_without_its_records() -> None:
    async with committing() as subject:
        subject.store.troubles = [None, StoreUnavailable("made to fail")]
        subject.finish(0)
        await subject.commits.emptied()

        assert (subject.store.results, subject.store.positions) == ([[0]], [Position(1)])
        assert subject.settled == [0]


async def test_a_partition_that_is_lost_while_it_publishes_ends_the_loop() -> None:
    subject = Subject(Store(troubles=[OwnershipLost("made to fail")]))
    running = asyncio.create_task(subject.commits.run())
    subject.finish(0)

    with pytest.raises(OwnershipLost):
        await running

    assert (subject.store.published, subject.store.positions, subject.settled) == ([], [], [])
    assert [stored.record.offset for stored in subject.commits.unstored] == [0]


async def test_an_outcome_whose_records_are_refused_is_held_and_its_offset_stays_open() -> None:
    async with committing() as subject:
        subject.finish(0)
        await asyncio.sleep(2)
        subject.store.refused_topics = {DEAD_LETTERS}
        subject.finish(1, failed=True)
        subject.finish(2)
        await subject.commits.emptied()
        assert subject.store.results == [[0], [2]]
        assert subject.store.positions == [Position(1, ((2, 3),))]
        assert subject.observer.records_held == [(1, "the topic is gone")]

        subject.store.refused_topics = set()
        await asyncio.sleep(HOLD_SECONDS)
        await subject.commits.emptied()

        assert subject.store.positions[-1] == Position(3)


async def test_a_commit_tells_of_all_that_was_published_since_the_last() -> None:
    async with committing() as subject:
        subject.finish(0)
        await asyncio.sleep(2)
        subject.finish(1, failed=True)
        await asyncio.sleep(BEAT_SECONDS)

        assert [stored.records for stored in subject.observer.commits] == [3]
