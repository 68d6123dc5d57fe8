"""A number of slots that may change while they are taken. Owns who waits for one; decides nothing about the number."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType


class Slots:
    """As a context: blocks, in the order of arrival, until a slot is free, and gives it back."""

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

    async def __aenter__(self) -> None:
        if self.taken < self.limit and not self._waiting:
            self.taken += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # it had just been handed a slot
                self._give_back()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give_back()

    def _give_back(self) -> None:
        self.taken -= 1
        self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting and self.taken < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():  # or it was cancelled
                self.taken += 1
                turn.set_result(None)
