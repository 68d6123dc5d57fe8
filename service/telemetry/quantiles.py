"""Quantiles out of the buckets of a histogram. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

Buckets: TypeAlias = Sequence[tuple[float, float]]
"""Upper bounds, ascending, the last of them infinite; and how many observations are at or below each."""


def quantile(buckets: Buckets, share: float) -> float:
    """The value below which `share` (0 to 1) of the observations lie; 0 where there are none.

    As Prometheus' `histogram_quantile` does it: linear within a bucket, and for what lies beyond the last finite bound
    that bound, for more is not known.
    """
    rank = share * buckets[-1][1]
    if not rank:
        return 0.0
    lower, below = 0.0, 0.0
    for upper, up_to in buckets:
        if up_to >= rank:
            if math.isinf(upper):
                return lower
            return min(upper, lower + (upper - lower) * (rank - below) / (up_to - below))  # or it is rounded up
        lower, below = upper, up_to
    return lower


def difference(later: Buckets, earlier: Buckets | None) -> Buckets:
    """What came between two readings of one histogram; `earlier` is None where it did not exist yet."""
    if earlier is None:
        return later
    return [(bound, now - before) for (bound, now), (_, before) in zip(later, earlier, strict=True)]
