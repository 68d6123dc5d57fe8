"""What counts as latency that a worker adds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.latencies import added, percentile


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (0.991, 100), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_the_value_of_the_nearest_rank(share: float, value: float) -> None:
    assert percentile(range(1, 101), share) == value


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_so_large_a_share_of_the_values_is_not_above_the_percentile_and_no_smaller_value_will_do(
    values: list[float], share: float
) -> None:
    values.sort()

    found = percentile(values, share)

    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) < share * len(values)


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 0.0), ([1.0], 1.1)])
def test_there_is_no_percentile_of_nothing_nor_outside_of_its_range(values: list[float], share: float) -> None:
    with pytest.raises(ValueError, match="no percentile"):
        percentile(values, share)


def test_latency_counts_from_the_intended_moment_and_without_the_calls() -> None:
    intended = {1: 10.0, 2: 10.1}
    seen = {1: 10.030, 2: 10.150}

    latencies = added(intended, seen, call_seconds=0.020)

    assert latencies.p50 == pytest.approx(0.010)
    assert latencies.p99 == latencies.longest == pytest.approx(0.030)


def test_a_worker_that_stands_still_is_charged_for_every_event_that_should_have_come_meanwhile() -> None:
    """One a millisecond for a second, and nothing is answered before the end of it."""
    intended = {number: number / 1000 for number in range(1000)}
    seen = dict.fromkeys(intended, 1.0)

    latencies = added(intended, seen, call_seconds=0.0)

    assert latencies.p50 == pytest.approx(0.500)
    assert latencies.p99 == pytest.approx(0.990)


def test_an_event_without_a_result_is_not_passed_over_unless_it_is_left_out() -> None:
    intended = {1: 0.0, 2: 0.0}

    with pytest.raises(KeyError):
        added(intended, {1: 0.5}, 0.0)

    assert added(intended, {1: 0.5}, 0.0, left_out={2}).longest == 0.5
