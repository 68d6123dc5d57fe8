"""When the next commit of a partition begins. What a commit costs the brokers hardly depends on how much it stores, so
what comes shortly after one another is to be stored together; what comes alone is stored at once.

Owns the waiting. Whether somebody waits for a commit, and what it stores, it is told.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass


class Turns:
    """So many commits of a worker are under way at a time; the others wait, and grow meanwhile.

    One that takes long gives its turn up, and goes on: a broker that is away must not hold up what others can store. A
    turn that was given back rests for as long as it was held, so that brokers which have too much to do get less.
    """

    def __init__(self, at_a_time: int, longest_seconds: float, rest_seconds: float = 0.0) -> None:
        """A commit keeps its turn for `longest_seconds` at most, and a turn rests for `rest_seconds` at most."""
        self._free = at_a_time
        self._longest_seconds = longest_seconds
        self._rest_seconds = rest_seconds
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._held: dict[asyncio.Future[None], tuple[float, asyncio.TimerHandle]] = {}
        """Since when each turn is held, and what ends it."""

    def ask(self, permit: asyncio.Future[None]) -> None:
        """`permit` is done when its turn has come. Whoever finishes or cancels it has left the queue."""
        self._waiting.append(permit)
        self._hand_out()

    def give_back(self, permit: asyncio.Future[None]) -> None:
        """The turn, if it holds one."""
        held = self._held.pop(permit, None)
        if held is None:
            return
        since, timer = held
        timer.cancel()
        loop = permit.get_loop()
        rest_seconds = min(loop.time() - since, self._rest_seconds)
        if rest_seconds > 0:
            loop.call_later(rest_seconds, self._free_one)
        else:
            self._free_one()

    def _free_one(self) -> None:
        self._free += 1
        self._hand_out()

    def _hand_out(self) -> None:
        while self._free and self._waiting:
            permit = self._waiting.popleft()
            if not permit.done():
                self._free -= 1
                loop = permit.get_loop()
                self._held[permit] = (
                    loop.time(),
                    loop.call_later(self._longest_seconds, self.give_back, permit),
                )
                permit.set_result(None)


@dataclass(frozen=True, slots=True)
class Pace:
    """What a store asks of those who commit to it."""

    spacing_seconds: float = 0.0
    """From the beginning of one commit of a partition to that of its next, unless somebody waits for it."""
    turns: Turns | None = None
    """Shared by all partitions of a worker."""


class Pacing:
    """Of the commits of one partition."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._began = -math.inf
        self._permit: asyncio.Future[None] | None = None

    async def begin(self, *, urgent: bool) -> None:
        """Blocks until the next commit may begin: not at all when it is urgent, or else until `hurry` is called."""
        loop = asyncio.get_running_loop()
        pause = self._began + self._pace.spacing_seconds - loop.time()
        if not urgent and (pause > 0 or self._pace.turns is not None):
            permit = self._permit = loop.create_future()
            timer = loop.call_later(pause, self._ask, permit) if pause > 0 else None
            if timer is None:
                self._ask(permit)
            try:
                await permit
            except asyncio.CancelledError:
                self.end()
                raise
            finally:
                if timer is not None:
                    timer.cancel()
        self._began = loop.time()

    def hurry(self) -> None:
        """Somebody waits for the next commit: it may begin."""
        if self._permit is not None and not self._permit.done():
            self._permit.set_result(None)

    def end(self) -> None:
        """The commit that began last has come to its end."""
        permit, self._permit = self._permit, None
        if permit is not None and self._pace.turns is not None:
            self._pace.turns.give_back(permit)

    def _ask(self, permit: asyncio.Future[None]) -> None:
        if permit.done():
            return
        if self._pace.turns is None:
            permit.set_result(None)
        else:
            self._pace.turns.ask(permit)
