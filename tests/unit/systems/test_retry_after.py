"""Retry-After: seconds or a date, bounded, and nothing made of nonsense."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.systems.retry_after import MAX_RETRY_AFTER_SECONDS, retry_after_seconds

NOW = 1_795_000_000.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 120 ", 120.0),
        ("99999999999999999999", MAX_RETRY_AFTER_SECONDS),
        (formatdate(NOW + 60, usegmt=True), 60.0),
        (formatdate(NOW, usegmt=True), 0.0),
        (formatdate(NOW + 86_400 * 365, usegmt=True), MAX_RETRY_AFTER_SECONDS),
        ("Sunday, 01-Nov-26 00:00:00 GMT", None),
        (formatdate(NOW - 1, usegmt=True), None),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
    ],
)
def test_what_a_header_asks_for(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


@given(st.one_of(st.text(), st.integers().map(str), st.datetimes().map(str)))
def test_any_header_gives_a_bounded_wait_or_none(header: str) -> None:
    seconds = retry_after_seconds(header, NOW)

    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER_SECONDS
