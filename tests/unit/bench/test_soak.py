"""When memory counts as flat."""

from __future__ import annotations

import pytest

from bench.soak import BOUND_MIB, growth_of


def test_memory_that_goes_up_and_down_is_flat() -> None:
    growth = growth_of([90.0, 91.0, 90.0, 91.0, 90.0, 91.0, 90.0, 91.0, 90.0, 91.0], 60)

    assert growth.is_flat
    assert abs(growth.mib) < 1


def test_a_leak_is_told_by_its_slope() -> None:
    growth = growth_of([90.0 + 0.5 * minute for minute in range(30)], 60)

    assert not growth.is_flat
    assert growth.mib_per_hour == pytest.approx(30)
    assert growth.mib == pytest.approx(0.5 * 23)


def test_what_a_worker_takes_at_first_does_not_count() -> None:
    assert growth_of([60.0, 75.0, *([90.0] * 8)], 60).mib == pytest.approx(0)


def test_it_may_grow_up_to_the_bound() -> None:
    step = BOUND_MIB / 7

    assert growth_of([0.0, 0.0, *(step * minute for minute in range(8))], 60).is_flat
    assert not growth_of([0.0, 0.0, *((step + 0.01) * minute for minute in range(8))], 60).is_flat


def test_two_samples_do_not_tell() -> None:
    with pytest.raises(ValueError, match="2 samples"):
        growth_of([1.0, 2.0], 60)
