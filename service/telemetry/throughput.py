"""How many events a second are settled, from their number each time somebody looks. Counts nothing itself."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

SHORT_SECONDS: Final = 10.0
LONG_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Rates:
    """Events settled per second, lately; None while nothing can be told yet."""

    short: float | None = None
    """Over the last `SHORT_SECONDS`, or since the start."""
    long: float | None = None
    """Over the last `LONG_SECONDS`, or since the start."""


class Throughput:
    """Remembers the looks of the last `LONG_SECONDS`."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int]] = deque()

    def note(self, now: float, settled: int) -> Rates:
        """`settled` events there are at `now`, in seconds by a clock that only goes on."""
        looks = self._looks
        looks.append((now, settled))
        while len(looks) > 2 and looks[1][0] <= now - LONG_SECONDS:
            looks.popleft()
        return Rates(self._rate(SHORT_SECONDS), self._rate(LONG_SECONDS))

    def _rate(self, seconds: float) -> float | None:
        now, settled = self._looks[-1]
        begin, before = next((look for look in reversed(self._looks) if look[0] <= now - seconds), self._looks[0])
        return (settled - before) / (now - begin) if now > begin else None
