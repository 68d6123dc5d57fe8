"""What is measured of scale holds in the small: nothing is kept of entities, and a day's wait loses nothing."""

from __future__ import annotations

import pytest

from bench.scale import day
from bench.scale.entities import cost_of
from service.domain.answers import Denial


def test_no_lane_is_left_when_nothing_waits() -> None:
    assert cost_of(keys=500, events=2000).lanes == 0


@pytest.mark.parametrize("denial", [None, Denial.QUOTA])
def test_events_that_wait_for_hours_are_all_carried_out_when_the_system_returns(
    monkeypatch: pytest.MonkeyPatch, denial: Denial | None
) -> None:
    monkeypatch.setattr(day, "DAY_SECONDS", 600.0)

    waited = day.day_of(300, denial)

    assert waited.failed == 0
    assert 100 <= waited.probes < 200
