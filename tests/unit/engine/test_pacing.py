"""When commits begin: at once where it is quiet or somebody waits for them, and together where it is busy."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from service.engine.commits import MAX_OUTCOMES
from service.engine.pacing import Pace, Pacing, Turns
from tests.fakes.committing import COMMIT_SECONDS, Subject, committing

SPACING_SECONDS = 10.0
SPACED = Pace(SPACING_SECONDS)


def now() -> float:
    return asyncio.get_running_loop().time()


async def _one_commit(subject: Subject) -> None:
    """The first, after which the next one is due in `SPACING_SECONDS - COMMIT_SECONDS`."""
    subject.receive(*range(2 * MAX_OUTCOMES))
    subject.add(0)
    await asyncio.sleep(COMMIT_SECONDS)
    assert subject.results == [[0]]


async def test_the_first_commit_of_a_quiet_partition_begins_at_once() -> None:
    async with committing(pace=SPACED) as subject:
        await _one_commit(subject)
        await asyncio.sleep(SPACING_SECONDS)
        subject.add(1)
        await asyncio.sleep(COMMIT_SECONDS)

        assert subject.results == [[0], [1]]


async def test_what_comes_soon_after_a_commit_is_stored_together() -> None:
    async with committing(pace=SPACED) as subject:
        await _one_commit(subject)
        for offset in range(1, 8):
            subject.add(offset)
            await asyncio.sleep(1)
        await asyncio.sleep(SPACING_SECONDS)

        assert subject.results == [[0], [1, 2, 3, 4, 5, 6, 7]]


async def test_a_mark_does_not_wait_for_company_and_takes_along_what_does() -> None:
    async with committing(pace=SPACED) as subject:
        await _one_commit(subject)
        subject.add(1)
        await asyncio.sleep(1)
        asked_at = now()

        await subject.commits.mark(5)

        assert now() - asked_at == pytest.approx(COMMIT_SECONDS)
        assert subject.results == [[0], [1]]


async def test_a_drain_does_not_wait_for_company() -> None:
    async with committing(pace=SPACED) as subject:
        await _one_commit(subject)
        subject.add(1)
        await asyncio.sleep(1)
        asked_at = now()

        await subject.commits.emptied()

        assert now() - asked_at == pytest.approx(COMMIT_SECONDS)


async def test_what_ends_during_a_drain_is_stored_at_once_too() -> None:
    async with committing(pace=SPACED) as subject:
        await _one_commit(subject)
        subject.add(1)
        draining = asyncio.create_task(subject.commits.emptied())
        await asyncio.sleep(COMMIT_SECONDS / 2)
        subject.add(2)
        asked_at = now()

        await draining

        assert now() - asked_at == pytest.approx(1.5 * COMMIT_SECONDS)
        assert subject.results == [[0], [1], [2]]


async def test_a_proof_does_not_wait_for_company() -> None:
    async with committing(pace=SPACED) as subject:
        await _one_commit(subject)
        subject.add(1)
        proved = asyncio.Event()

        subject.commits.prove(proved.set)
        asked_at = now()
        await proved.wait()

        assert now() - asked_at == pytest.approx(COMMIT_SECONDS)


async def test_a_commit_that_is_as_large_as_one_may_be_does_not_wait_for_company() -> None:
    async with committing(pace=SPACED) as subject:
        await _one_commit(subject)
        subject.add(*range(1, MAX_OUTCOMES + 1))
        await asyncio.sleep(COMMIT_SECONDS * 1.1)

        assert [len(results) for results in subject.results] == [1, MAX_OUTCOMES]


async def _busy(turns: Turns, partitions: int, stack: AsyncExitStack) -> list[Subject]:
    """So many partitions, each of which stores one outcome."""
    subjects = [await stack.enter_async_context(committing(pace=Pace(turns=turns))) for _ in range(partitions)]
    for subject in subjects:
        subject.receive(0, 1)
        subject.add(0)
    return subjects


async def test_so_many_partitions_commit_at_a_time_and_the_others_grow_meanwhile() -> None:
    async with AsyncExitStack() as stack:
        subjects = await _busy(Turns(1, longest_seconds=60), 3, stack)
        await asyncio.sleep(COMMIT_SECONDS / 2)
        for subject in subjects:
            subject.add(1)
        await asyncio.sleep(COMMIT_SECONDS * 10)

        assert [subject.results for subject in subjects] == [[[0], [1]], [[0, 1]], [[0, 1]]]


async def test_a_commit_that_takes_long_gives_its_turn_up_and_goes_on() -> None:
    async with AsyncExitStack() as stack:
        first, second = await _busy(Turns(1, longest_seconds=5), 2, stack)
        first.broker.delay = lambda verb: 1_000.0
        await asyncio.sleep(5 + COMMIT_SECONDS * 1.1)

        assert (first.results, second.results) == ([], [[0]])
        await first.commits.emptied()
        assert first.results == [[0]]


async def test_a_turn_rests_as_long_as_it_was_held_up_to_a_bound() -> None:
    turns = Turns(1, longest_seconds=1_000, rest_seconds=50)
    began: list[float] = []
    for held_seconds in (3, 100, 0):
        pacing = Pacing(Pace(turns=turns))
        await pacing.begin(urgent=False)
        began.append(now())
        await asyncio.sleep(held_seconds)
        pacing.end()

    assert began == pytest.approx([0, 3 + 3, 6 + 100 + 50])


async def test_a_mark_does_not_wait_for_its_turn() -> None:
    async with AsyncExitStack() as stack:
        first, second = await _busy(Turns(1, longest_seconds=1_000), 2, stack)
        first.broker.delay = lambda verb: 100.0
        await asyncio.sleep(1)
        asked_at = now()

        await second.commits.mark(1)

        assert now() - asked_at == pytest.approx(COMMIT_SECONDS)
        assert second.results == [[0]]


@pytest.mark.parametrize(
    "has_its_turn", [False, True], ids=["before its turn", "in the moment in which its turn comes"]
)
async def test_a_partition_that_is_given_up_leaves_its_turn_to_others(has_its_turn: bool) -> None:
    turns = Turns(1, longest_seconds=1_000)
    under_way, waiting, third = (Pacing(Pace(turns=turns)) for _ in range(3))
    await under_way.begin(urgent=False)
    given_up = asyncio.create_task(waiting.begin(urgent=False))
    next_one = asyncio.create_task(third.begin(urgent=False))
    await asyncio.sleep(1)

    if has_its_turn:
        under_way.end()
        given_up.cancel()
    else:
        given_up.cancel()
        under_way.end()

    await asyncio.wait_for(next_one, 1)
