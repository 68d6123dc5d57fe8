"""Whether the engine moves on. Pure: the clock is handed in.

Whoever waits for something that comes by itself (an answer, the end of a pause, a commit) says until when it must
have come. An engine with work to do that neither moves on nor waits for anything that may still come is stuck: a
defect, not the fault of a system or of Kafka.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType


class Progress:
    """What one worker waits for, and when it last moved on."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._moved_at = clock()
        self._expected: dict[object, float] = {}

    def moved(self) -> None:
        """Something has come to its end, or has begun."""
        self._moved_at = self.clock()

    def expecting(self, seconds: float) -> Expecting:
        """Around a wait that ends by itself within `seconds`."""
        return Expecting(self, seconds)

    def expect(self, what: object, seconds: float) -> None:
        """Begin to wait for `what`, which comes by itself within `seconds`; or begin anew."""
        self._moved_at = now = self.clock()
        self._expected[what] = now + seconds

    def came(self, what: object) -> None:
        """No longer wait for it, whether it came or not."""
        self._moved_at = self.clock()
        self._expected.pop(what, None)

    @property
    def overdue_seconds(self) -> float:
        """How long nothing has moved although everything that was waited for should have come; 0 while that is not
        so."""
        due = max(self._expected.values(), default=self._moved_at)
        return max(0.0, self.clock() - max(due, self._moved_at))


class Expecting:
    """A wait, as a context."""

    __slots__ = ("_progress", "_seconds")

    def __init__(self, progress: Progress, seconds: float) -> None:
        self._progress = progress
        self._seconds = seconds

    def __enter__(self) -> None:
        self._progress.expect(self, self._seconds)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.came(self)
