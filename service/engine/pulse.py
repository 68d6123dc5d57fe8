"""Notices that the worker was suspended: a frozen node, SIGSTOP, a loop that was blocked. The clock is handed in.

Whoever sleeps for long may have been replaced meanwhile. So the pulse is felt before every call: when far more time has
passed since it was last felt than ever should, every partition must be proved to be ours again before a call leaves.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Final

SHARE_OF_SESSION = 1 / 3
"""Of the session time-out: with the last heartbeat before the suspension it is still well within the session."""


suspend_aware_clock: Final[Callable[[], float]] = (
    partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)
"""Seconds that go on while the machine sleeps, where the system can tell them. Read before every call and request."""


class Pulse:
    """Felt regularly by a task, and before every call."""

    def __init__(self, limit_seconds: float, clock: Callable[[], float], jumped: Callable[[float], None]) -> None:
        """`jumped` is told the seconds that were missed, before `feel` returns."""
        self._limit_seconds = limit_seconds
        self._clock = clock
        self._jumped = jumped
        self._felt_at = clock()

    @property
    def interval_seconds(self) -> float:
        """How often a task must feel it, at least."""
        return self._limit_seconds / 4

    def feel(self) -> None:
        now = self._clock()
        missed, self._felt_at = now - self._felt_at, now
        if missed > self._limit_seconds:
            self._jumped(missed)
