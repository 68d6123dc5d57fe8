"""Outcomes whose records are refused: they are held, and with them what is behind them and touches the same entity. All
else goes on, and they are tried again."""

from __future__ import annotations

import asyncio

import pytest

from service.engine.commits import HOLD_SECONDS
from service.engine.offsets import Position
from service.engine.ports import Outgoing, OwnershipLost
from tests.fakes.committing import COMMIT_SECONDS, PARTITION, Subject, committing
from tests.fakes.events import DEAD_LETTERS, RESULTS, ROWS


async def _commit_around_a_refused_letter(subject: Subject) -> None:
    """Three outcomes, the first of which needs a dead letter."""
    subject.broker.refused_topics = {DEAD_LETTERS}
    subject.receive(0, 1, 2)
    subject.add(0, failed=True)
    subject.add(1, 2)
    await subject.commits.emptied()


async def test_a_dead_letter_that_cannot_be_stored_keeps_its_offset_and_holds_up_nothing_else() -> None:
    async with committing() as subject:
        await _commit_around_a_refused_letter(subject)

        assert subject.results == [[1, 2]]
        assert subject.broker.position(PARTITION) == Position(0, ((1, 3),))
        assert subject.settled == [1, 2]
        assert subject.observer.records_held == [(0, "the topic is gone")]


async def test_a_held_outcome_is_stored_once_the_topic_takes_it() -> None:
    async with committing() as subject:
        await _commit_around_a_refused_letter(subject)
        subject.broker.refused_topics.clear()
        await asyncio.sleep(HOLD_SECONDS + 1)
        await subject.commits.emptied()

        assert subject.results == [[1, 2], [0]]
        assert subject.broker.position(PARTITION) == Position(3)
        assert subject.settled == [1, 2, 0]


async def test_a_held_outcome_is_tried_again_and_again_and_counts_as_unfinished() -> None:
    async with committing() as subject:
        await _commit_around_a_refused_letter(subject)
        await asyncio.sleep(HOLD_SECONDS * 10)

        assert 9 <= len(subject.observer.records_held) <= 11
        assert subject.offsets.unfinished == 1
        assert [outcome.record.offset for outcome in subject.commits.unstored] == [0]


async def test_what_comes_later_is_stored_while_an_outcome_is_held() -> None:
    async with committing() as subject:
        await _commit_around_a_refused_letter(subject)
        subject.receive(3)
        subject.add(3)
        await subject.commits.emptied()

        assert subject.results == [[1, 2], [3]]
        assert subject.broker.position(PARTITION) == Position(0, ((1, 4),))


async def test_what_touches_the_same_entity_is_not_stored_before_what_is_held() -> None:
    """Else a crash would repeat the calls for the held record after those for the later one."""
    async with committing() as subject:
        subject.broker.refused_topics = {DEAD_LETTERS}
        subject.receive(0, 1, 2, 3, 4)
        subject.add(0, failed=True, writes="ab")
        subject.add(1, writes="b")
        subject.add(2, writes="c")
        await subject.commits.emptied()
        subject.add(3, writes="a")
        subject.add(4, reads="c")
        await subject.commits.emptied()

        assert subject.results == [[2], [4]]
        assert subject.broker.position(PARTITION) == Position(0, ((2, 3), (4, 5)))
        assert subject.commits.held == 3
        assert [outcome.record.offset for outcome in subject.commits.unstored] == [0, 1, 3]


async def test_what_waited_behind_a_held_outcome_is_stored_with_it_and_in_order() -> None:
    async with committing() as subject:
        subject.broker.refused_topics = {DEAD_LETTERS}
        subject.receive(0, 1, 2, 3)
        subject.add(0, failed=True, writes="a")
        subject.add(1, writes="ab")
        subject.add(2, failed=True, writes="b")
        await subject.commits.emptied()
        subject.broker.refused_topics.clear()
        await asyncio.sleep(HOLD_SECONDS - 0.01)
        subject.add(3, writes="b")
        await asyncio.sleep(1)
        await subject.commits.emptied()

        assert [offset for results in subject.results for offset in results] == [0, 1, 2, 3]
        assert subject.broker.position(PARTITION) == Position(4)


async def test_what_is_held_is_tried_again_before_what_has_come_since() -> None:
    async with committing() as subject:
        subject.broker.refused_topics = {DEAD_LETTERS}
        subject.receive(0, 1, 2)
        subject.add(0, failed=True, writes="a")
        await subject.commits.emptied()
        await asyncio.sleep(HOLD_SECONDS - COMMIT_SECONDS / 2)
        subject.add(1, writes="c")  # its commit is under way when what is held is released, so both lie in the outbox
        await asyncio.sleep(COMMIT_SECONDS / 10)
        subject.add(2, writes="a")
        await asyncio.sleep(3 * COMMIT_SECONDS)

        assert subject.results == [[1]]


async def test_rows_lie_before_a_result_of_the_same_commit() -> None:
    async with committing() as subject:
        subject.receive(0, 1)
        publishing = asyncio.create_task(subject.commits.publish_rows(0, [Outgoing(ROWS, b"k", b"1")]))
        await asyncio.sleep(0)
        subject.add(1)
        await publishing

        assert [sent.topic for sent in subject.broker.commits[-1].records] == [ROWS, RESULTS]


async def test_those_who_only_read_an_entity_do_not_wait_for_each_other() -> None:
    async with committing() as subject:
        subject.broker.refused_topics = {DEAD_LETTERS}
        subject.receive(0, 1, 2)
        subject.add(0, failed=True, writes="a", reads="s")
        subject.add(1, writes="b", reads="s")
        subject.add(2, writes="s")
        await subject.commits.emptied()

        assert subject.results == [[1]]
        assert subject.commits.held == 2


async def test_a_mark_survives_that_its_outcome_is_held() -> None:
    async with committing() as subject:
        subject.broker.refused_topics = {RESULTS}
        subject.receive(0)
        await subject.commits.mark(0)
        subject.add(0)
        await subject.commits.emptied()
        subject.receive(1)
        await subject.commits.mark(1)

        assert subject.broker.position(PARTITION).attempted == {0, 1}


async def test_rows_and_note_of_an_export_survive_that_its_outcome_is_held() -> None:
    async with committing() as subject:
        subject.broker.refused_topics = {RESULTS}
        subject.receive(0)
        await subject.commits.keep(0, "id=7")
        await subject.commits.publish_rows(0, [Outgoing(ROWS, b"k", b"1")])
        subject.add(0)
        await subject.commits.emptied()
        subject.receive(1)
        await subject.commits.mark(1)

        assert subject.broker.position(PARTITION) == Position(0, (), frozenset({0, 1}), {0: 1}, {0: "id=7"})


async def test_rows_of_an_export_that_are_refused_are_tried_again_until_they_are_taken() -> None:
    async with committing() as subject:
        subject.broker.refused_topics = {ROWS}
        subject.receive(0)
        publishing = asyncio.create_task(subject.commits.publish_rows(0, [Outgoing(ROWS, b"k", b"1")]))
        await asyncio.sleep(60)

        assert not publishing.done()
        assert subject.broker.commits == []
        subject.broker.refused_topics.clear()
        await publishing
        assert [sent.value for sent in subject.broker.published] == [b"1"]
        assert subject.broker.position(PARTITION).progress == {0: 1}


async def test_rows_and_their_number_are_stored_together_and_a_note_is_a_mark() -> None:
    async with committing() as subject:
        subject.receive(0)
        await subject.commits.keep(0, "id=7")
        await subject.commits.publish_rows(0, [Outgoing(ROWS, b"k", str(number).encode()) for number in range(5)])

        assert subject.broker.position(PARTITION) == Position(0, (), frozenset({0}), {0: 5}, {0: "id=7"})
        subject.add(0)
        await subject.commits.emptied()
        assert subject.broker.position(PARTITION) == Position(1)


async def test_an_export_is_told_that_its_partition_is_lost() -> None:
    async with committing() as subject:
        subject.receive(0)
        publishing = asyncio.create_task(subject.commits.publish_rows(0, [Outgoing(ROWS, b"k", b"1")]))
        await asyncio.sleep(0)
        subject.broker.fence(PARTITION)

        with pytest.raises(OwnershipLost):
            await publishing
        with pytest.raises(OwnershipLost):
            await subject.commits.keep(0, "too late")
