"""How many repeats a system is asked to bear."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.engine.retry_allowance import BURST_SECONDS, RetryAllowance, RetryShare

SHARES = st.builds(RetryShare, st.floats(0, 0.9), st.floats(0.1, 100))
ATTEMPTS = st.lists(st.tuples(st.floats(0, 2), st.booleans()), max_size=300)
"""Each so many seconds after the last: a first attempt, or the wish for a repeat."""


@given(SHARES, ATTEMPTS)
def test_repeats_stay_within_their_share_of_the_load_and_what_time_allows(
    share: RetryShare, attempts: list[tuple[float, bool]]
) -> None:
    now, firsts, repeats = 0.0, 0, 0
    allowance = RetryAllowance(share, now)
    for seconds, is_first in attempts:
        now += seconds
        if is_first:
            firsts += 1
            allowance.first_attempt()
        else:
            repeats += allowance.take(now)

        by_load = firsts * share.of_load / (1 - share.of_load)
        by_time = max(1, BURST_SECONDS * share.per_second) + now * share.per_second
        assert repeats <= by_load + by_time + 1e-6


def test_under_load_a_fifth_of_all_attempts_are_repeats_at_the_most() -> None:
    share = RetryShare(of_load=0.2, per_second=0.001)
    allowance = RetryAllowance(share, 0.0)
    repeats = 0
    for _ in range(4000):
        allowance.first_attempt()
        repeats += allowance.take(0.0) + allowance.take(0.0)

    assert repeats / (4000 + repeats) == pytest.approx(0.2, abs=0.001)


@given(SHARES, st.integers(0, 200))
def test_whoever_asks_again_at_the_time_named_is_allowed(share: RetryShare, wishes: int) -> None:
    allowance, now = RetryAllowance(share, 0.0), 0.0
    for _ in range(wishes):
        if not allowance.take(now):
            now += allowance.seconds_to_next() * 1.000001
            assert allowance.take(now)


def test_what_is_not_used_is_not_saved_up_for_ever() -> None:
    allowance = RetryAllowance(RetryShare(0.2, 10.0), 0.0)
    for _ in range(100_000):
        allowance.first_attempt()

    assert sum(allowance.take(86_400.0) for _ in range(1000)) == 10 * BURST_SECONDS
