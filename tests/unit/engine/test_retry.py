"""When an operation is tried again, and when it is not."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.engine.retry import Budget, RetryPolicy, plan_retry

POLICIES = st.builds(
    lambda attempts, initial, factor, deadline: RetryPolicy(attempts, initial, initial * factor, deadline),
    st.integers(1, 12),
    st.floats(0.01, 10),
    st.floats(1, 200),
    st.floats(0.1, 5000),
)
RETRY_AFTER = st.none() | st.floats(0, 4000)


def shortest(low: float, high: float) -> float:
    return low


def longest(low: float, high: float) -> float:
    return high


@given(POLICIES, st.lists(RETRY_AFTER, max_size=20), st.floats(0, 30), st.integers(0, 2**32))
def test_no_course_of_stumbles_oversteps_the_attempts_or_the_deadline(
    policy: RetryPolicy, retry_after: list[float | None], call_seconds: float, seed: int
) -> None:
    uniform = random.Random(seed).uniform
    now, budget, attempts = 0.0, Budget(0.0), 0
    for named_seconds in [*retry_after, *[None] * policy.max_attempts]:
        now, attempts = now + call_seconds, attempts + 1
        planned = plan_retry(policy, budget.spend_attempt(), now, named_seconds, uniform)
        if planned is None:
            break
        budget, now = planned, now + planned.pause_seconds
        assert budget.attempts == attempts
        assert now <= policy.deadline_seconds + 1e-6
        assert budget.pause_seconds >= (named_seconds or 0.0)
        assert named_seconds is not None or policy.initial_seconds <= budget.pause_seconds <= policy.max_seconds
    else:
        pytest.fail("an operation must come to an end")
    assert attempts <= policy.max_attempts


@given(POLICIES, st.floats(0, 100), st.integers(0, 2**32))
def test_a_pause_is_at_most_three_times_the_last(policy: RetryPolicy, last_seconds: float, seed: int) -> None:
    planned = plan_retry(policy, Budget(0.0, 0, last_seconds), 0.0, None, random.Random(seed).uniform)

    assert planned is None or planned.pause_seconds <= max(policy.initial_seconds, 3 * last_seconds)


def test_the_attempts_are_spent_one_by_one() -> None:
    policy, budget = RetryPolicy(max_attempts=3), Budget(0.0)

    plans = []
    for _ in range(3):
        planned = plan_retry(policy, budget.spend_attempt(), 0.0, None, shortest)
        plans.append(planned.attempts if planned else None)
        budget = planned or budget

    assert plans == [1, 2, None]


def test_pauses_grow_up_to_the_longest() -> None:
    policy, budget, pauses = RetryPolicy(initial_seconds=1, max_seconds=20), Budget(0.0), []
    for _ in range(5):
        planned = plan_retry(policy, budget.spend_attempt(), 0.0, None, longest)
        assert planned is not None
        budget = planned
        pauses.append(budget.pause_seconds)

    assert pauses == [1, 3, 9, 20, 20]


def test_a_time_that_the_system_names_is_kept_even_beyond_the_longest_pause() -> None:
    planned = plan_retry(RetryPolicy(max_seconds=60), Budget(0.0, 1), 0.0, 300.0, longest)

    assert planned is not None
    assert planned.pause_seconds == 300.0


def test_a_time_past_the_deadline_ends_the_operation_at_once() -> None:
    assert plan_retry(RetryPolicy(deadline_seconds=600), Budget(0.0, 1), 500.0, 101.0, shortest) is None


def test_time_in_which_the_system_took_nothing_is_given_back() -> None:
    policy, spent = RetryPolicy(deadline_seconds=600), Budget(0.0, 1)

    assert plan_retry(policy, spent, 86_400.0, None, shortest) is None
    assert plan_retry(policy, spent.forgive(86_000.0), 86_400.0, None, shortest) is not None
