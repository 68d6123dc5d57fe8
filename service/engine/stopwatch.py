"""Where the time of one record goes. Pure: the time is handed in."""

from __future__ import annotations

from enum import IntEnum

from service.domain.outcomes import TimeSpent


class Phase(IntEnum):
    """What a record is at. The places of `TimeSpent`'s fields."""

    LANE = 0
    GATE = 1
    CALL = 2
    PAUSE = 3


class Stopwatch:
    """Counts every moment in exactly one phase, so that the phases add up to the whole. Begins in the lanes."""

    __slots__ = ("_phase", "_seconds", "_since")

    def __init__(self, now: float) -> None:
        self._phase = Phase.LANE
        self._since = now
        self._seconds = [0.0, 0.0, 0.0, 0.0]

    def turn(self, phase: Phase, now: float) -> None:
        """From now on the record is at `phase`."""
        self._seconds[self._phase] += now - self._since
        self._phase, self._since = phase, now

    def read(self, now: float) -> TimeSpent:
        """What has passed until now."""
        self.turn(self._phase, now)
        return TimeSpent(*self._seconds)
