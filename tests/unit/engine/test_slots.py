"""Slots whose number changes while they are taken."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.engine.slots import Slots
from tests.fakes.virtual_time import run_virtually


class Users:
    """Those who want slots of one number."""

    def __init__(self, limit: int) -> None:
        self.slots = Slots(limit)
        self.inside: list[int] = []
        self.served: list[int] = []
        self._leave: dict[int, asyncio.Event] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def come(self) -> None:
        number = len(self._tasks)
        self._leave[number] = asyncio.Event()
        self._tasks[number] = asyncio.create_task(self._use(number))

    def go(self, place: int) -> None:
        if self.inside:
            self._leave[self.inside[place % len(self.inside)]].set()

    def give_up(self, place: int) -> None:
        alive = [task for task in self._tasks.values() if not task.done()]
        if alive:
            alive[place % len(alive)].cancel()

    async def leave_all(self) -> None:
        """Nobody is left behind: the loop itself holds no task that waits."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def want(self) -> list[int]:
        return [number for number, task in self._tasks.items() if not task.done() and number not in self.inside]

    async def _use(self, number: int) -> None:
        async with self.slots:
            self.inside.append(number)
            self.served.append(number)
            try:
                await self._leave[number].wait()
            finally:
                self.inside.remove(number)


MOVES = st.one_of(
    st.tuples(st.just("come"), st.just(0)),
    st.tuples(st.sampled_from(("go", "give up")), st.integers(0, 9)),
    st.tuples(st.just("resize"), st.integers(1, 5)),
    st.tuples(st.just("let run"), st.just(0)),
)


@given(st.integers(1, 5), st.lists(MOVES, max_size=40))
@example(1, [("come", 0), ("come", 0), ("let run", 0), ("come", 0), ("resize", 3)])
def test_whoever_comes_goes_or_gives_up_slots_are_used_as_far_as_there_are_any_in_the_order_of_arrival(
    limit: int, moves: list[tuple[str, int]]
) -> None:
    async def live() -> None:
        users = Users(limit)
        for what, number in moves:
            before = users.slots.taken
            match what:
                case "come":
                    users.come()
                case "go":
                    users.go(number)
                case "give up":
                    users.give_up(number)
                case "resize":
                    users.slots.resize(number)
                case _:
                    await asyncio.sleep(1)
                    assert len(users.inside) <= max(users.slots.limit, before)
        await asyncio.sleep(1)
        assert users.slots.taken == len(users.inside)
        assert users.slots.waiting == len(users.want())
        assert not users.want() or len(users.inside) >= users.slots.limit, "nobody waits beside a free slot"
        assert not (users.want() and users.served) or max(users.served) < min(users.want()), "nobody is overtaken"
        await users.leave_all()
        assert (users.slots.taken, users.slots.waiting) == (0, 0)

    run_virtually(live())


async def test_one_who_gives_up_with_a_slot_just_handed_to_it_passes_it_on() -> None:
    users = Users(1)
    for _ in range(3):
        users.come()
    await asyncio.sleep(1)
    users.go(0)
    while users.inside:  # noqa: ASYNC110 - asked, not told
        await asyncio.sleep(0)
    users.give_up(0)

    await asyncio.sleep(1)

    assert users.inside == [2]
    await users.leave_all()


async def test_lowered_it_throws_nobody_out_and_lets_nobody_in_until_enough_have_left() -> None:
    users = Users(3)
    for _ in range(5):
        users.come()
    await asyncio.sleep(1)
    users.slots.resize(1)
    for left in (2, 1, 1):
        users.go(0)
        await asyncio.sleep(1)
        assert len(users.inside) == left

    assert users.served == [0, 1, 2, 3]
    await users.leave_all()


@pytest.mark.parametrize("limit", [4, 5])
async def test_raised_it_lets_in_at_once_who_waits(limit: int) -> None:
    users = Users(1)
    for _ in range(5):
        users.come()
    await asyncio.sleep(1)

    users.slots.resize(limit)
    await asyncio.sleep(1)

    assert len(users.inside) == limit
    await users.leave_all()
