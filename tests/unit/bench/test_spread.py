"""How several rounds of a figure are told."""

from __future__ import annotations

import statistics

import pytest

from bench.spread import Spread


def test_rounds_are_told_by_their_median_and_their_bounds() -> None:
    assert Spread.of([3.0, 1.0, 2.0]).told() == "2 (1–3)"
    assert Spread.of([0.0104, 0.0121]).told(1, scale=1000) == "11.2 (10.4–12.1)"


def test_rounds_that_say_the_same_are_told_once() -> None:
    assert Spread.of([5.01, 5.02]).told() == "5"


def test_there_is_no_spread_of_nothing() -> None:
    with pytest.raises(statistics.StatisticsError):
        Spread.of([])
