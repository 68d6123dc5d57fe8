"""An event loop whose clock jumps to the next timer, so that a test of hours takes milliseconds. Owns no test.

It never waits: when nothing is ready it moves its clock, and when nothing ever will be ready it says so instead of
hanging. Errors that nobody heard of (a task that failed unseen) come out when it is closed. For tests without threads
and without connections to anything that is not itself in the loop.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class NothingWillHappen(Exception):
    """Every task waits for another: no timer is set, and nothing can be read."""


class UnheardErrors(Exception):
    """Errors in tasks or callbacks that no code has looked at."""


class _JumpingSelector(selectors.SelectSelector):
    """Moves the clock forward by as long as the loop would have slept."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise NothingWillHappen(f"at {self.now} s every task waits, and no timer is set")
        self.now += max(0.0, timeout)
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`time()` begins at 0 and is exact: a sleep of 3,600 s ends at 3,600."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        self._unheard: list[str] = []
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self._unheard.append(f"{context.get('message')}: {context.get('exception')!r}")

    def close(self) -> None:
        """Raises `UnheardErrors`."""
        super().close()
        if self._unheard:
            unheard, self._unheard = self._unheard, []
            raise UnheardErrors("; ".join(unheard))


def run_virtually(main: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end in a loop of its own, whatever is left of it cancelled."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
