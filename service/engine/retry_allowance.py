"""How many repeats a system is asked to bear, over all records. Pure: the time is handed in.

Each record bounds its own attempts; this bounds them together. When half of all calls fail, unbounded repeats would
double the load of a system that is in trouble already.
"""

from __future__ import annotations

from dataclasses import dataclass

BURST_SECONDS = 10.0
"""What nobody has used for so long may be used at once."""


@dataclass(frozen=True, slots=True)
class RetryShare:
    """What may be repeated at one system."""

    of_load: float = 0.2
    """Repeats among all attempts, at the most, while there is load. Below 1."""
    per_second: float = 10.0
    """Repeats that are allowed in any case: where there is no load, a share of it would be nothing."""


class RetryAllowance:
    """The repeats that one system may be asked for. First attempts earn it, and so does time."""

    def __init__(self, share: RetryShare, now: float) -> None:
        self._share = share
        self._earned_by_first = share.of_load / (1 - share.of_load)
        self._most = max(1.0, share.per_second * BURST_SECONDS)
        self._left = self._most
        self._at = now

    def first_attempt(self) -> None:
        """A first attempt has been made."""
        self._left = min(self._most, self._left + self._earned_by_first)

    def left(self, now: float) -> float:
        """Repeats that may be made now."""
        self._left = min(self._most, self._left + (now - self._at) * self._share.per_second)
        self._at = now
        return self._left

    def take(self, now: float) -> bool:
        """Whether a repeat may be made now; it is then counted."""
        self.left(now)
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def seconds_to_next(self) -> float:
        """After `take` said no: when to ask again at the latest."""
        return max(0.001, (1 - self._left) / self._share.per_second)
