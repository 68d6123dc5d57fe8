"""Notices that the group has not been heard of for long: its broker is away, or no heartbeat gets through.

The group expels whoever it does not hear of for a session, and deals out what that one had. Who is expelled is told by
the next heartbeat only, and until then nothing else would keep it from calling. So it stops by itself, well before its
session is over, until the group has confirmed that it is a member.
"""

from __future__ import annotations

from collections.abc import Callable

SHARE_OF_SESSION = 1 / 2
"""Of the session time-out: no session ends before that, and a heartbeat that is merely late does no harm."""


class Hearing:
    """Listened with regularly by a task, and before every call."""

    def __init__(
        self,
        limit_seconds: float,
        silent_seconds: Callable[[], float],
        lost: Callable[[float], None],
        regained: Callable[[], None],
    ) -> None:
        """`silent_seconds` tells for how long nothing has been heard. `lost` is told that when it is too long, and
        `regained` is called when it is not so any more; either before `listen` returns."""
        self._limit_seconds = limit_seconds
        self._silent_seconds = silent_seconds
        self._lost = lost
        self._regained = regained
        self.is_lost = False

    def listen(self) -> None:
        seconds = self._silent_seconds()
        if (seconds > self._limit_seconds) is self.is_lost:
            return
        self.is_lost = not self.is_lost
        if self.is_lost:
            self._lost(seconds)
        else:
            self._regained()
