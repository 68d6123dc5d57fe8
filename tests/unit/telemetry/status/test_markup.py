"""Pieces of the page."""

from __future__ import annotations

import pytest

from service.telemetry.status.markup import duration, foreign, relative, text


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.2, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (3661, "1 h 1 min"),
        (86400 * 3 + 7200, "3 d 2 h"),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds: float, told: str) -> None:
    assert duration(seconds) == told


@pytest.mark.parametrize(("seconds", "told"), [(0.4, "now"), (-0.4, "now"), (2, "in 2 s"), (-65, "1 min 5 s ago")])
def test_a_time_is_told_from_now(seconds: float, told: str) -> None:
    assert relative(seconds) == told


def test_quotes_are_escaped_too_for_words_may_stand_in_an_attribute() -> None:
    assert text("\"'<>&").markup == "&quot;&#x27;&lt;&gt;&amp;"


def test_what_nobody_wrote_is_a_dash() -> None:
    assert foreign(None).markup == "–"
