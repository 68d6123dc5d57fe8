"""What is asked of a run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """`seconds` is how long each measurement should last, about."""

    rounds: int = 3
    seconds: float = 3.0
    keys: int = 1000

    def events(self, rate: float) -> int:
        """How many last so long at that rate."""
        return max(200, round(rate * self.seconds))
