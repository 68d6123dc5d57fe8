"""The commit loop of one partition: in bulk, whole, again after a failure, and never for a partition that is lost."""

from __future__ import annotations

import asyncio

import pytest

from service.domain.outcomes import Overall
from service.engine.commit_metadata import MAX_BYTES
from service.engine.commits import MAX_OUTCOMES
from service.engine.offsets import Position
from service.engine.ports import CommitFailure, Outgoing, OwnershipLost
from tests.fakes.broker import CommitTrouble
from tests.fakes.committing import COMMIT_SECONDS, PARTITION, committing, failing
from tests.fakes.events import told_by


async def test_nothing_is_committed_while_nothing_waits() -> None:
    async with committing() as subject:
        subject.receive(0, 1)
        await asyncio.sleep(3600)

        assert subject.broker.commits == []


async def test_a_quiet_partition_commits_at_once_and_a_busy_one_in_bulk() -> None:
    async with committing() as subject:
        subject.receive(*range(6))
        subject.add(0)
        await asyncio.sleep(0.1)
        subject.add(1, 2)
        await asyncio.sleep(0.1)
        subject.add(3)
        await subject.commits.emptied()

        assert subject.results == [[0], [1, 2, 3]]
        assert subject.positions == [1, 4]
        assert asyncio.get_running_loop().time() == pytest.approx(2 * COMMIT_SECONDS)


async def test_one_commit_takes_a_bounded_number_of_outcomes() -> None:
    async with committing() as subject:
        subject.receive(*range(MAX_OUTCOMES + 5))
        subject.add(*range(MAX_OUTCOMES + 5))
        await subject.commits.emptied()

        assert [len(results) for results in subject.results] == [MAX_OUTCOMES, 5]


async def test_a_position_says_finished_only_of_what_it_publishes() -> None:
    async with committing() as subject:
        subject.receive(0, 1, 2)
        subject.add(0)
        await asyncio.sleep(0.1)
        subject.add(1)  # while the commit of 0 is under way
        await asyncio.sleep(COMMIT_SECONDS * 0.7)

        assert subject.broker.position(PARTITION) == Position(1)
        await subject.commits.emptied()
        assert subject.broker.position(PARTITION) == Position(2)


async def test_what_is_finished_beyond_the_frontier_rides_in_the_metadata() -> None:
    async with committing() as subject:
        subject.receive(0, 1, 2, 3)
        subject.add(1, 3)
        await subject.commits.emptied()

        assert subject.broker.position(PARTITION) == Position(0, ((1, 2), (3, 4)))
        assert subject.commits.metadata_bytes == len(subject.broker.commits[-1].metadata) > 0


async def test_an_outcome_counts_as_settled_only_once_its_commit_is_stored() -> None:
    async with committing() as subject:
        subject.receive(0)
        subject.add(0)
        await asyncio.sleep(COMMIT_SECONDS / 2)

        assert (subject.settled, subject.commits.taken) == ([], 1)
        await subject.commits.emptied()
        assert (subject.settled, subject.commits.taken) == ([0], 0)


async def test_a_failed_outcome_is_published_with_its_dead_letter_in_one_commit() -> None:
    async with committing() as subject:
        subject.receive(0)
        subject.add(0, failed=True)
        await subject.commits.emptied()

        (commit,) = subject.broker.commits
        assert [told_by(sent).overall for sent in commit.records] == [Overall.FAILED, Overall.FAILED]
        assert [sent.topic for sent in commit.records] == ["holdings.results", "holdings.dead-letters"]


async def test_a_commit_that_was_not_stored_is_written_again_with_the_same_records_and_then_what_came_since() -> None:
    async with committing() as subject:
        subject.broker.commit_trouble = failing(CommitTrouble.NOT_STORED, CommitTrouble.NOT_STORED)
        subject.receive(0, 1)
        subject.add(0)
        await asyncio.sleep(0.1)
        subject.add(1)
        await subject.commits.emptied()

        assert [offset for results in subject.results for offset in results] == [0, 1]
        assert subject.settled == [0, 1]
        assert subject.observer.commit_failures == [(CommitFailure.ABORTED, "made to fail")] * 2
        assert subject.broker.position(PARTITION) == Position(2)


async def test_pauses_between_failed_commits_grow_up_to_a_bound() -> None:
    async with committing() as subject:
        subject.broker.delay = lambda verb: 0.0
        subject.broker.commit_trouble = lambda partition: CommitTrouble.NOT_STORED
        subject.receive(0)
        subject.add(0)
        await asyncio.sleep(1)
        after_a_second = len(subject.observer.commit_failures)
        await asyncio.sleep(600)

        assert 2 <= after_a_second <= 5
        assert 100 <= len(subject.observer.commit_failures) <= 140


@pytest.mark.parametrize("trouble", [CommitTrouble.LOST_BUT_STORED, CommitTrouble.LOST_AND_NOT_STORED])
async def test_a_commit_of_which_nobody_knows_ends_the_loop_and_is_not_repeated(trouble: CommitTrouble) -> None:
    async with committing() as subject:
        subject.broker.commit_trouble = failing(trouble)
        subject.receive(0, 1)
        subject.add(0)

        with pytest.raises(OwnershipLost):
            await subject.running

        assert subject.settled == []
        assert len(subject.broker.commits) <= 1


async def test_a_fenced_owner_publishes_nothing_more() -> None:
    async with committing() as subject:
        subject.receive(0)
        subject.broker.fence(PARTITION)
        subject.add(0)

        with pytest.raises(OwnershipLost, match="another worker"):
            await subject.running

        assert subject.broker.commits == []


async def test_a_mark_is_durable_when_it_returns() -> None:
    async with committing() as subject:
        subject.receive(0, 1)
        await subject.commits.mark(1)

        assert subject.broker.position(PARTITION) == Position(0, (), frozenset({1}))
        assert subject.broker.published == []


async def test_a_mark_that_is_there_already_costs_nothing() -> None:
    async with committing() as subject:
        subject.receive(0)
        await subject.commits.mark(0)
        await subject.commits.mark(0)

        assert len(subject.broker.commits) == 1


async def test_a_mark_that_was_inherited_costs_nothing() -> None:
    async with committing(Position(0, (), frozenset({0}))) as subject:
        subject.receive(0)
        await subject.commits.mark(0)

        assert subject.broker.commits == []


async def test_a_mark_goes_when_its_record_is_finished() -> None:
    async with committing() as subject:
        subject.receive(0, 1)
        await subject.commits.mark(1)
        subject.add(1)
        await subject.commits.emptied()

        assert subject.broker.position(PARTITION) == Position(0, ((1, 2),))


async def test_a_mark_waits_for_a_commit_that_begins_after_it() -> None:
    async with committing() as subject:
        subject.receive(0, 1)
        subject.add(0)
        await asyncio.sleep(0.1)

        await subject.commits.mark(1)

        assert len(subject.broker.commits) == 2
        assert subject.broker.position(PARTITION).attempted == {1}


async def test_a_mark_is_not_given_while_its_commit_fails() -> None:
    async with committing() as subject:
        subject.broker.commit_trouble = lambda partition: CommitTrouble.NOT_STORED
        subject.receive(0)
        marking = asyncio.create_task(subject.commits.mark(0))
        await asyncio.sleep(60)
        assert not marking.done()

        subject.broker.commit_trouble = failing()
        await marking

        assert subject.broker.position(PARTITION).attempted == {0}


async def test_whoever_waits_for_a_mark_is_told_that_the_partition_is_lost() -> None:
    async with committing() as subject:
        subject.receive(0, 1)
        subject.broker.fence(PARTITION)
        marking = [asyncio.create_task(subject.commits.mark(0))]
        await asyncio.sleep(0.1)
        marking.append(asyncio.create_task(subject.commits.mark(1)))  # not in the commit under way

        outcomes = await asyncio.gather(*marking, return_exceptions=True)

        assert [type(told) for told in outcomes] == [OwnershipLost, OwnershipLost]
        await asyncio.wait((subject.running,))
        assert isinstance(subject.running.exception(), OwnershipLost)


async def test_whoever_asks_for_a_mark_after_the_loop_has_ended_is_told_so() -> None:
    async with committing() as subject:
        subject.receive(0, 1)
        subject.broker.fence(PARTITION)
        subject.add(0)
        await asyncio.wait((subject.running,))

        with pytest.raises(OwnershipLost):
            await subject.commits.mark(1)
        assert isinstance(subject.running.exception(), OwnershipLost)


async def test_a_position_that_does_not_fit_waits_until_the_frontier_has_moved() -> None:
    async with committing() as subject:
        scattered = [1000 * index + index % 7 for index in range(1, 1600)]
        subject.receive(0, *[place for offset in scattered for place in (offset, offset + 500)])
        subject.add(*scattered)
        await asyncio.sleep(60)
        stuck = len(subject.broker.commits)
        failure, message = subject.observer.commit_failures[-1]
        assert failure is CommitFailure.METADATA
        assert "does not fit" in message
        assert subject.commits.metadata_bytes == MAX_BYTES

        subject.add(0, *[offset + 500 for offset in scattered])
        await subject.commits.emptied()

        assert stuck <= 1
        assert sorted(subject.settled) == sorted([0, *scattered, *[offset + 500 for offset in scattered]])
        assert subject.broker.position(PARTITION) == Position(scattered[-1] + 501)


async def test_emptied_waits_for_what_is_added_and_for_what_is_being_stored() -> None:
    async with committing() as subject:
        subject.receive(0, 1)
        await subject.commits.emptied()
        subject.add(0)
        await asyncio.sleep(0.1)
        subject.add(1)

        await subject.commits.emptied()

        assert subject.settled == [0, 1]


async def test_a_proof_commits_what_is_stored_already_before_anything_new() -> None:
    async with committing(Position(5)) as subject:
        subject.receive(5)
        proved: list[list[int]] = []
        subject.add(5)
        subject.commits.prove(lambda: proved.append(subject.positions))
        await subject.commits.emptied()

        assert proved == [[5]], "proved by the position that was stored, with no record"
        assert subject.positions == [5, 6]
        assert subject.results == [[], [5]]


async def test_a_proof_of_a_partition_that_another_has_taken_ends_the_loop_unproved() -> None:
    async with committing() as subject:
        proved: list[bool] = []
        subject.broker.fence(PARTITION)

        subject.commits.prove(lambda: proved.append(True))

        with pytest.raises(OwnershipLost):
            await subject.running
        assert not proved
        assert not subject.broker.commits


async def test_a_doubt_that_comes_while_another_is_being_proved_needs_a_proof_of_its_own() -> None:
    """The commit under way may have been stored before the second suspension."""
    async with committing(Position(5)) as subject:
        proved: list[tuple[str, int]] = []
        subject.commits.prove(lambda: proved.append(("first", len(subject.broker.commits))))
        await asyncio.sleep(COMMIT_SECONDS * 0.75)  # stored, and not yet answered
        subject.commits.prove(lambda: proved.append(("second", len(subject.broker.commits))))
        await subject.commits.emptied()

        assert proved == [("second", 2)]


async def test_a_proof_that_could_not_be_stored_is_tried_again() -> None:
    async with committing(Position(5)) as subject:
        subject.broker.commit_trouble = failing(CommitTrouble.NOT_STORED)
        proved: list[bool] = []
        subject.commits.prove(lambda: proved.append(True))
        await subject.commits.emptied()

        assert proved == [True]
        assert subject.positions == [5]


async def test_the_pulse_is_felt_before_anything_is_stored_and_a_proof_that_it_asks_for_goes_first() -> None:
    """Without transactions a record is published before the broker asks whose the partition is."""
    slept = [True]

    async def feel() -> None:
        if slept and slept.pop():
            subject.commits.prove(lambda: None)

    async with committing(check=feel) as subject:
        subject.receive(0)
        subject.add(0)
        await subject.commits.emptied()

        assert subject.results == [[], [0]]


@pytest.mark.parametrize(
    ("trouble", "failure"),
    [
        (CommitTrouble.FENCED, CommitFailure.FENCED),
        (CommitTrouble.LOST_BUT_STORED, CommitFailure.UNKNOWN),
        (CommitTrouble.LOST_AND_NOT_STORED, CommitFailure.UNKNOWN),
    ],
)
async def test_a_commit_that_ends_the_loop_is_told_with_its_kind(
    trouble: CommitTrouble, failure: CommitFailure
) -> None:
    async with committing() as subject:
        subject.broker.commit_trouble = failing(trouble)
        subject.receive(0)
        subject.add(0)
        await asyncio.wait((subject.running,))

        assert [kind for kind, _ in subject.observer.commit_failures] == [failure]
        assert isinstance(subject.running.exception(), OwnershipLost)


async def test_a_commit_tells_what_it_has_stored() -> None:
    async with committing() as subject:
        subject.receive(0, 1, 2)
        subject.add(0, failed=True)
        await subject.commits.emptied()
        await subject.commits.mark(1)
        await subject.commits.keep(2, "a note")
        await subject.commits.publish_rows(2, [Outgoing("rows", b"k", b"v")] * 3)

        told = [(stored.records, stored.rows, stored.marks) for stored in subject.observer.commits]
        assert told == [(2, 0, 0), (0, 0, 1), (0, 0, 1), (3, 3, 0)]
        assert {stored.seconds for stored in subject.observer.commits} == {COMMIT_SECONDS}
