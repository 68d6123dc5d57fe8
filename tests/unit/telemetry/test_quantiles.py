"""Quantiles out of buckets, against the observations themselves."""

from __future__ import annotations

import math
from bisect import bisect_left

from hypothesis import example, given
from hypothesis import strategies as st

from service.telemetry.quantiles import Buckets, difference, quantile

BOUNDS = (0.1, 0.5, 1.0, 5.0, math.inf)
OBSERVED = st.lists(st.floats(0, 5), min_size=1, max_size=50)


def buckets_of(observed: list[float]) -> Buckets:
    return [(bound, sum(value <= bound for value in observed)) for bound in BOUNDS]


def bounds_around(value: float) -> tuple[float, float]:
    place = bisect_left(BOUNDS, value)
    return (BOUNDS[place - 1] if place else 0.0), BOUNDS[place]


@given(OBSERVED, st.floats(0.01, 1))
@example([0.0, 0.0, 0.0], 1.0)
def test_a_quantile_lies_in_the_bucket_of_the_observation_at_that_rank(observed: list[float], share: float) -> None:
    exact = sorted(observed)[math.ceil(share * len(observed)) - 1]
    low, high = bounds_around(exact)

    assert low <= quantile(buckets_of(observed), share) <= high


def test_within_a_bucket_it_is_linear() -> None:
    assert quantile([(1.0, 0), (2.0, 4), (math.inf, 4)], 0.5) == 1.5


def test_beyond_the_last_bound_no_more_than_that_bound_is_claimed() -> None:
    assert quantile([(1.0, 1), (math.inf, 100)], 0.99) == 1.0


def test_nothing_observed_is_zero() -> None:
    assert quantile(buckets_of([]), 0.99) == 0.0


@given(OBSERVED, OBSERVED)
def test_a_difference_holds_what_came_in_between(before: list[float], since: list[float]) -> None:
    assert difference(buckets_of(before + since), buckets_of(before)) == buckets_of(since)
    assert difference(buckets_of(since), None) == buckets_of(since)
