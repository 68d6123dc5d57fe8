"""An event loop whose clock jumps to the next timer, so that a test of hours takes milliseconds. Owns no test.

It never waits: when nothing is ready it moves its clock. When nothing ever will be ready, or tasks keep each other busy
without end, it says so instead of hanging. Errors that nobody heard of (a task that failed unseen) come out when it is
closed. For tests without threads and without connections to anything that is not itself in the loop.

A context may have a gatekeeper, who decides of each of its callbacks whether it runs now: so a part of what is in the
loop can be made to stand still, timers included, while the rest goes on.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar, TypeVarTuple

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")

ROUNDING_SECONDS = 1e-6
MOST_ROUNDS = 50_000
"""Of the loop, at one and the same time."""


class Gatekeeper(Protocol):
    """Decides whether the callbacks of its context run."""

    def admits(self, step: Step) -> bool:
        """Whether `step` runs now. One that does not is the gatekeeper's to keep, and to run `again`."""
        ...


gatekeeper: contextvars.ContextVar[Gatekeeper | None] = contextvars.ContextVar("gatekeeper", default=None)
"""Of the present context."""


class Step:
    """One callback under a gatekeeper. `due` is the time of a timer; None means as soon as may be."""

    __slots__ = ("_arguments", "_callback", "_keeper", "_loop", "due", "handle")

    handle: asyncio.Handle
    """By which it can be cancelled, before it runs for the first time and after."""

    def __init__(
        self,
        loop: VirtualTimeLoop,
        keeper: Gatekeeper,
        callback: Callable[..., object],
        arguments: tuple[Any, ...],
        due: float | None = None,
    ) -> None:
        self._loop = loop
        self._keeper = keeper
        self._callback = callback
        self._arguments = arguments
        self.due = due

    def __call__(self) -> None:
        if not self.handle.cancelled() and self._keeper.admits(self):
            self._callback(*self._arguments)

    def again(self) -> None:
        """Let it come to its gatekeeper anew, after all that is ready. To be called in its own context."""
        self._loop.enqueue(self)


class NothingWillHappen(Exception):
    """Every task waits for another: no timer is set, and nothing can be read."""


class TimeStandsStill(Exception):
    """Some tasks go round and round without ever waiting for a time: with a real clock, the processor would be busy
    for nothing."""


class UnheardErrors(Exception):
    """Errors in tasks or callbacks that no code has looked at."""


class _JumpingSelector(selectors.SelectSelector):
    """Moves the clock forward by as long as the loop would have slept."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._rounds = 0
        self.timers: list[float] = []
        """A heap of the times at which timers are due; some may have been cancelled."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            self._rounds += 1
            if self._rounds > MOST_ROUNDS:
                raise TimeStandsStill(f"at {self.now} s something is always ready")
            return ready
        if timeout is None:
            raise NothingWillHappen(f"at {self.now} s every task waits, and no timer is set")
        self._rounds = 0
        self.now = self._due(self.now + max(0.0, timeout))
        return []

    def _due(self, now: float) -> float:
        """The time of the next timer, where rounding would end just before it: it would fire too early, and anew
        without end if it then sets itself again."""
        while self.timers and self.timers[0] <= now:
            heapq.heappop(self.timers)
        return self.timers[0] if self.timers and self.timers[0] - now < ROUNDING_SECONDS else now


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`time()` begins at 0 and is exact: a sleep of 3,600 s ends at 3,600."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        self._unheard: list[str] = []
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def call_soon(
        self,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        keeper = _gatekeeper_of(context)
        if keeper is None:
            return super().call_soon(callback, *args, context=context)
        step = Step(self, keeper, callback, args)
        step.handle = super().call_soon(step, context=context)
        return step.handle

    def call_at(
        self,
        when: float,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        heapq.heappush(self._jumping.timers, when)
        keeper = _gatekeeper_of(context)
        if keeper is None:
            return super().call_at(when, callback, *args, context=context)
        step = Step(self, keeper, callback, args, when)
        step.handle = timer = super().call_at(when, step, context=context)
        return timer

    def enqueue(self, step: Step) -> None:
        """Behind all that is ready."""
        super().call_soon(step)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self._unheard.append(f"{context.get('message')}: {context.get('exception')!r}")

    def close(self) -> None:
        """Raises `UnheardErrors`."""
        super().close()
        if self._unheard:
            unheard, self._unheard = self._unheard, []
            raise UnheardErrors("; ".join(unheard))


def _gatekeeper_of(context: contextvars.Context | None) -> Gatekeeper | None:
    return gatekeeper.get() if context is None else context.get(gatekeeper)


def run_virtually(main: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end in a loop of its own, whatever is left of it cancelled."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
