"""A number of slots that may change while they are taken. Owns who waits for one; decides nothing about the number."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType


class Slots:
    """As a context: `take`, and `give_back`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken = 0
        """More than the limit for a while after that was lowered: nobody is thrown out."""
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        """How many wait for a slot."""
        return sum(not turn.done() for turn in self._waiting)

    def resize(self, limit: int) -> None:
        """From now on there are so many."""
        self.limit = limit
        self._hand_out()

    @property
    def has_free(self) -> bool:
        """Whether one may be taken at once: there is one, and nobody waits."""
        return self.taken < self.limit and not self._waiting

    async def take(self) -> None:
        """Blocks, in the order of arrival, until a slot is free."""
        if self.has_free:
            self.taken += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # it had just been handed a slot
                self.give_back()
            raise

    def give_back(self) -> None:
        """Counterpart of `take`."""
        self.taken -= 1
        if self._waiting:
            self._hand_out()

    async def __aenter__(self) -> None:
        await self.take()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_back()

    def _hand_out(self) -> None:
        while self._waiting and self.taken < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():  # or it was cancelled
                self.taken += 1
                turn.set_result(None)


def take_at_once(first: Slots, second: Slots) -> bool:
    """Whether a slot of each was taken, which needs no wait. None is where not both have one."""
    if not (first.has_free and second.has_free):
        return False
    first.taken += 1
    second.taken += 1
    return True


async def take_in_turn(first: Slots, second: Slots) -> None:
    """Blocks until a slot of each is taken, the first of `first`. Who is cancelled has none."""
    await first.take()
    try:
        await second.take()
    except BaseException:
        first.give_back()
        raise


def give_back(first: Slots, second: Slots) -> None:
    """What either of the two above has taken."""
    second.give_back()
    first.give_back()
