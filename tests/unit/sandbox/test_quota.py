"""A daily quota: counting, the turn of the day, and its seed data."""

from __future__ import annotations

import pytest

from service.sandbox.exchange import JsonValue
from service.sandbox.quota import SECONDS_PER_DAY, Quota, read_quota, write_quota


def test_a_quota_is_spent_after_its_limit_and_back_on_the_next_utc_day() -> None:
    now = [SECONDS_PER_DAY * 20_000 - 1.0]
    quota = Quota(2, lambda: now[0])

    assert [quota.take() for _ in range(3)] == [True, True, False]
    now[0] += 1

    assert quota.take()
    assert quota.used == 1


def test_a_quota_without_limit_only_counts() -> None:
    quota = Quota(None, lambda: 0.0)

    assert all(quota.take() for _ in range(50))
    assert quota.used == 50


def test_calls_used_before_the_first_one_count() -> None:
    quota = Quota(None, lambda: 0.0)

    read_quota(quota, {"limit": 5, "used": 4}, "quota")

    assert [quota.take(), quota.take()] == [True, False]
    assert write_quota(quota) == {"limit": 5, "used": 5}


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"limit": -1}, "quota.limit"),
        ({"limit": 3, "used": True}, "quota.used"),
        ({"left": 3}, "quota.left"),
        (3, "quota: expected an object"),
    ],
)
def test_a_bad_quota_is_refused_with_its_field_and_sets_nothing(content: JsonValue, field: str) -> None:
    quota = Quota(7, lambda: 0.0)

    with pytest.raises(ValueError, match=field):
        read_quota(quota, content, "quota")

    assert quota.limit == 7
