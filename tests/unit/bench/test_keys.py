"""Which entities the events of a benchmark touch."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.keys import DRAWS, hottest_share, uniform, zipf


def test_uniform_keys_come_equally_often_and_in_no_order() -> None:
    drawn = uniform(5000, 1000, seed=1)

    assert set(Counter(drawn).values()) == {5}
    assert drawn[:1000] != sorted(drawn[:1000])


def test_of_more_keys_than_events_none_comes_twice_and_another_seed_draws_others() -> None:
    first, second = uniform(1000, 1_000_000, seed=1), uniform(1000, 1_000_000, seed=2)

    assert len(set(first)) == 1000
    assert len(set(first) & set(second)) < 10


def test_the_nth_key_of_zipf_comes_an_nth_as_often_as_the_first() -> None:
    drawn = Counter(zipf(200_000, 1000, seed=1))

    for key in (1, 3, 9):
        assert drawn[0] / drawn[key] == pytest.approx(key + 1, rel=0.1)
    assert max(drawn) <= 999


@pytest.mark.parametrize("name", DRAWS)
def test_the_hottest_key_has_the_share_that_is_told(name: str) -> None:
    drawn = DRAWS[name](100_000, 100, 1)

    most = max(Counter(drawn).values())

    assert most / len(drawn) == pytest.approx(hottest_share(DRAWS[name], 100), rel=0.05)


@pytest.mark.parametrize("name", DRAWS)
def test_a_seed_gives_the_same_keys_each_time_and_another_gives_others(name: str) -> None:
    draw = DRAWS[name]

    assert draw(1000, 100, 7) == draw(1000, 100, 7) != draw(1000, 100, 8)
