"""The right to call systems on behalf of one partition. Owns the gate in front of every call, and nothing else."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType

from service.engine.ports import OwnershipLost
from service.engine.progress import Progress


class Lease:
    """Held while the partition is ours.

        open ──hold()───────▶ held ────────resume()────────▶ open
        open ──doubt()──────▶ doubtful ────prove()─────────▶ open
        open ──lose_touch()─▶ out of touch ─regain_touch()─▶ open    (several at once: open after all of them)
          └───────────────────┴──bar(why)──▶ barred ──end(why)──▶ ended

    Open: calls start. Held: a rebalance is under way; calls that run go on, no call starts. Doubtful: the worker was
    suspended and may have been replaced; no call starts, and no further request of one that runs, until a commit has
    shown that it was not. Out of touch: the group has not been heard of for long, and the same holds until it is;
    nothing is stored either. Barred: the group has gone on without us; nothing is called ever again, and no request
    of a call that runs leaves, but what has come to an outcome may be stored by whoever is not fenced yet. Ended:
    nothing is stored either.
    """

    def __init__(self, feel_pulse: Callable[[], None] = lambda: None, progress: Progress | None = None) -> None:
        """`feel_pulse` is called before every call, and may make the lease doubtful or out of touch. `progress` is told
        of waits."""
        self._feel_pulse = feel_pulse
        self._progress = progress or Progress()
        self._held = False
        self._doubtful = False
        self._open = asyncio.Event()
        self._open.set()
        self._certain = asyncio.Event()
        self._certain.set()
        self._touch = asyncio.Event()
        self._touch.set()
        self._over = asyncio.Event()
        """Of calls: barred, or ended."""
        self._ended = asyncio.Event()
        self._why = ""
        self._until = math.inf
        self._waiting: set[asyncio.Future[None]] = set()
        self._under_way = _UnderWay()

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    @property
    def over(self) -> bool:
        """Whether nothing is called any more."""
        return self._over.is_set()

    def hold(self) -> None:
        self._held = True
        self._move_gate()

    def resume(self) -> None:
        self._held = False
        self._move_gate()

    def doubt(self) -> None:
        self._doubtful = True
        self._move_gate()

    def prove(self) -> None:
        self._doubtful = False
        self._move_gate()

    def lose_touch(self) -> None:
        if not self.over:
            self._touch.clear()
            self._move_gate()

    def regain_touch(self) -> None:
        self._touch.set()
        self._move_gate()

    def _move_gate(self) -> None:
        certain = self.over or (self._touch.is_set() and not self._doubtful)
        _set(self._certain, certain)
        _set(self._open, self.over or (certain and not self._held))

    def end(self, why: str) -> None:
        """Nothing is called or stored any more. See `bar`."""
        self._ended.set()
        self.bar(why)

    def bar(self, why: str) -> None:
        """Nothing is called any more: who waits for the gate, or for a pause to pass, is told `OwnershipLost`."""
        self._why = self._why or why
        self._over.set()
        self._touch.set()
        self._move_gate()
        for turn in self._waiting:
            if not turn.done():
                turn.set_exception(OwnershipLost(self._why))

    def limit(self, until: float) -> None:
        """The worker stops at `until`, by the loop's clock: a pause that would outlast it is not begun."""
        self._until = until

    def check_lasts(self) -> None:
        """Raises `OwnershipLost` when the worker is about to stop."""
        if self._until < math.inf:
            raise OwnershipLost("the worker stops")

    def check(self) -> None:
        """Raises `OwnershipLost` when nothing is called any more."""
        if self._over.is_set():
            raise OwnershipLost(self._why)

    async def opened(self) -> None:
        """Blocks while the lease is not open. Raises `OwnershipLost` when nothing is called any more."""
        self._feel_pulse()
        while not self._open.is_set():
            await self._open.wait()
            self._feel_pulse()
        self.check()

    @property
    def is_open(self) -> bool:
        """Whether a call may start, as far as is known since the pulse was felt last."""
        return self._open.is_set() and not self.over

    def under_way(self) -> AbstractContextManager[None]:
        """Around a call that has begun, and that a rebalance must wait for. May be entered more than once at a time."""
        return self._under_way

    async def may_leave(self) -> None:
        """Within a call, before each of its requests: waits while the lease is doubtful or out of touch, raises
        `OwnershipLost` when nothing is called any more. A lease that is merely held lets it pass: the rebalance waits
        for the call to end."""
        self._feel_pulse()
        while not self._certain.is_set():
            await self._certain.wait()
            self._feel_pulse()
        self.check()

    async def in_touch(self) -> None:
        """Before anything is stored: blocks while the group is not heard of. Raises `OwnershipLost` when the lease has
        ended."""
        self._feel_pulse()
        while not self._touch.is_set():
            await self._touch.wait()
            self._feel_pulse()
        if self._ended.is_set():
            raise OwnershipLost(self._why)

    async def pause(self, seconds: float) -> None:
        """Let `seconds` pass. Raises `OwnershipLost` as soon as nothing is called any more, or at once when that will
        be so by then."""
        if asyncio.get_running_loop().time() + seconds > self._until:
            raise OwnershipLost("the worker stops before the next attempt")
        try:
            with self._progress.expecting(seconds):
                async with asyncio.timeout(seconds):
                    await self._over.wait()
        except TimeoutError:
            return
        self.check()

    async def wait_for(self, turn: asyncio.Future[None], expected_seconds: float) -> None:
        """Blocks until `turn` has come, which may be expected within `expected_seconds`. Raises `OwnershipLost` as soon
        as nothing is called any more."""
        self.check()
        self._waiting.add(turn)
        try:
            with self._progress.expecting(expected_seconds):
                await turn
        finally:
            self._waiting.discard(turn)

    async def idle(self) -> None:
        """Blocks until no call runs."""
        await self._under_way.idle.wait()

    async def until_ended(self) -> None:
        await self._ended.wait()


def _set(event: asyncio.Event, is_set: bool) -> None:
    if is_set:
        event.set()
    else:
        event.clear()


class _UnderWay(AbstractContextManager[None]):
    """Of a lease: how many calls run. One serves all of them."""

    __slots__ = ("_calls", "idle")

    def __init__(self) -> None:
        self._calls = 0
        self.idle = asyncio.Event()
        self.idle.set()

    def __enter__(self) -> None:
        self._calls += 1
        if self._calls == 1:
            self.idle.clear()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._calls -= 1
        if not self._calls:
            self.idle.set()
