"""The Retry-After header in both its forms. Pure."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

MAX_RETRY_AFTER_SECONDS: Final = 3600.0
"""A system that asks for more is asked again after an hour: a mistaken header must not silence it for a day."""


def retry_after_seconds(header: str | None, now: float) -> float | None:
    """Seconds to wait, from 0 to `MAX_RETRY_AFTER_SECONDS`; None when the header is absent, unreadable or in the past.

    `now` is in seconds since 1970. RFC 9110, 10.2.3: whole seconds, or a date.
    """
    text = (header or "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_RETRY_AFTER_SECONDS)
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - now
    return min(seconds, MAX_RETRY_AFTER_SECONDS) if seconds >= 0 else None
