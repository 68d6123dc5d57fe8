"""Watches the worker from a thread of its own, so that a blocked event loop is seen too. Decides nothing but whether
the worker is alive, and tells where everybody stands when it is not.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from types import FrameType

LIMIT_SECONDS = 20.0
"""A loop that is blocked, or an engine that does not move on, for longer is told."""
LOOK_SECONDS = 1.0
OVERSLEPT_SECONDS = 5.0
"""A look that comes later than this was itself held up: the whole process was suspended, and nobody is to blame."""
MOST_STACKS = 50

Report = Callable[[str, list[str]], None]
"""Told once for each stall: what is the matter, and the stacks."""


class Watchdog:
    """From `start` to `stop`, looks every second. The loop tells it by `beat` that it runs, and how the engine is."""

    def __init__(
        self,
        report: Report,
        *,
        limit_seconds: float = LIMIT_SECONDS,
        look_seconds: float = LOOK_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`report` is called from the watchdog's thread."""
        self._report = report
        self._limit_seconds = limit_seconds
        self._look_seconds = look_seconds
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._beat_at = self._looked_at = clock()
        self._stalled_seconds = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self.trouble: str | None = None
        """What is the matter now; None while the worker is alive."""

    def start(self) -> None:
        """To be called from the loop that is watched."""
        self._loop = asyncio.get_running_loop()
        self.beat(0.0)
        self._thread.start()

    def stop(self) -> None:
        """Blocks for a moment, until the thread has ended."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def beat(self, stalled_seconds: float) -> None:
        """The loop runs; the engine has not moved on for `stalled_seconds` although it should have."""
        self._beat_at = self._clock()
        self._stalled_seconds = stalled_seconds

    def look(self) -> None:
        """One look. Reports when a stall begins; forgets it when it is over."""
        now = self._clock()
        overslept = now - self._looked_at > OVERSLEPT_SECONDS
        self._looked_at = now
        if overslept:
            self._beat_at = now
            return
        before, self.trouble = self.trouble, self._find_trouble(now)
        if self.trouble is not None and before is None:
            self._report(self.trouble, stacks(self._loop))

    def _find_trouble(self, now: float) -> str | None:
        if now - self._beat_at > self._limit_seconds:
            return "the event loop is blocked"
        if self._stalled_seconds > self._limit_seconds:
            return "there is work, and the engine does not move on"
        return None

    def _watch(self) -> None:
        while not self._ended.wait(self._look_seconds):
            self.look()


def stacks(loop: asyncio.AbstractEventLoop | None) -> list[str]:
    """Where every thread and every task of `loop` stands, innermost last; tasks that stand at the same place once, with
    their number. Code places only: no value ever gets into it."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    told = [f"thread {names.get(ident, ident)}: {_places(frame)}" for ident, frame in sys._current_frames().items()]
    tasks = Counter(_task_places(task) for task in asyncio.all_tasks(loop)) if loop is not None else Counter[str]()
    told += [f"{count} tasks: {places}" for places, count in tasks.most_common(MOST_STACKS)]
    return told


def _places(frame: FrameType) -> str:
    return " > ".join(f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_stack(frame))


def _task_places(task: asyncio.Task[object]) -> str:
    """`Task.get_stack` knows the outermost coroutine alone of a task that waits."""
    return " > ".join(f"{f.f_code.co_filename}:{f.f_lineno} {f.f_code.co_name}" for f in _awaiting(task.get_coro()))


def _awaiting(outermost: object) -> Iterator[FrameType]:
    """The frames of a coroutine, of what it awaits, and so on, as far as Python tells."""
    awaited = outermost
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is None:
            return
        yield frame
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
