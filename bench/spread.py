"""Several rounds of one figure, and how they are told. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Spread:
    """Of one figure over all rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """Raises `statistics.StatisticsError` where there is none."""
        given = list(values)
        return cls(statistics.median(given), min(given), max(given))

    def told(self, digits: int = 0, *, scale: float = 1.0) -> str:
        """`median (low–high)`; the median alone where all rounds say the same."""
        median, low, high = (f"{value * scale:.{digits}f}" for value in (self.median, self.low, self.high))
        return median if low == high else f"{median} ({low}–{high})"
