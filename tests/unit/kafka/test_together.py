"""What several ask for at about the same time is done in one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import wraps
from typing import Any

import pytest

from service.kafka.together import Together
from tests.fakes.virtual_time import run_virtually

WORK_SECONDS = 1.0


def virtually(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """In virtual time."""

    @wraps(test)
    def run() -> None:
        run_virtually(test())

    return run


class Works:
    """Doubles numbers, and keeps what it was asked for at a time. Negative ones fail, 0 makes all fail."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.began: list[float] = []

    async def __call__(self, numbers: Sequence[int]) -> Sequence[int | BaseException]:
        self.asked.append(list(numbers))
        self.began.append(asyncio.get_running_loop().time())
        await asyncio.sleep(WORK_SECONDS)
        if 0 in numbers:
            raise ZeroDivisionError
        return [ValueError(number) if number < 0 else 2 * number for number in numbers]


@virtually
async def test_what_is_asked_while_a_request_is_under_way_goes_with_the_next() -> None:
    works = Works()
    together: Together[int, int] = Together(works)
    first = asyncio.create_task(together(1))
    await asyncio.sleep(WORK_SECONDS / 2)

    answers = await asyncio.gather(first, together(2), together(3))

    assert [*answers] == [2, 4, 6]
    assert works.asked == [[1], [2, 3]]


@virtually
async def test_the_first_waits_a_moment_for_others() -> None:
    works = Works()
    together: Together[int, int] = Together(works, linger_seconds=5)

    first = asyncio.create_task(together(1))
    await asyncio.sleep(4)
    await asyncio.gather(first, together(2))

    assert works.asked == [[1, 2]]


@virtually
async def test_requests_begin_so_far_apart_and_the_first_at_once() -> None:
    works = Works()
    together: Together[int, int] = Together(works, spacing_seconds=10)

    for number in (1, 2):
        await together(number)
    await asyncio.sleep(60)
    await together(3)

    assert works.began == pytest.approx([0, 10, 11 + 60])


@virtually
async def test_each_has_its_own_answer_or_error() -> None:
    together: Together[int, int] = Together(Works(), linger_seconds=1)

    answers = await asyncio.gather(together(1), together(-1), return_exceptions=True)

    assert answers[0] == 2
    assert isinstance(answers[1], ValueError)


@virtually
async def test_what_fails_as_a_whole_fails_for_all_and_the_next_goes_on() -> None:
    together: Together[int, int] = Together(Works(), linger_seconds=1)

    answers = await asyncio.gather(together(1), together(0), return_exceptions=True)

    assert [type(answer) for answer in answers] == [ZeroDivisionError, ZeroDivisionError]
    assert await together(3) == 6


@virtually
async def test_who_is_cancelled_holds_up_nobody() -> None:
    works = Works()
    together: Together[int, int] = Together(works, linger_seconds=5)
    leaving, staying = asyncio.create_task(together(1)), asyncio.create_task(together(2))
    await asyncio.sleep(1)

    leaving.cancel()

    assert await staying == 4
    assert works.asked == [[2]]


@virtually
async def test_who_waits_when_it_is_closed_is_told_so() -> None:
    together: Together[int, int] = Together(Works())
    under_way = asyncio.create_task(together(1))
    await asyncio.sleep(WORK_SECONDS / 2)
    waiting = asyncio.create_task(together(2))
    await asyncio.sleep(0)

    await together.close()
    await asyncio.wait((under_way, waiting))

    assert under_way.cancelled()
    assert waiting.cancelled()
