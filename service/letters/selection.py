"""Which dead letters somebody means. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from service.letters.letter import Letter, Reading

_RELATIVE: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)([smhdw])")
_UNIT_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True, slots=True)
class Selection:
    """Every condition that is given must hold; of several values of one, any."""

    since: float | None = None
    """Failed at this moment or later; seconds since 1970."""
    until: float | None = None
    """Failed before this moment."""
    codes: frozenset[str] = frozenset()
    systems: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    """Where the records came from, full names."""
    tenant: str | None = None
    entity: str | None = None
    """The record's key, a target of what its event asks for (or a part of it: targets of transfers have three), or the
    name of an entity that it touches."""
    event_id: str | None = None
    event_type: str | None = None

    @property
    def is_everything(self) -> bool:
        return self == Selection()

    def has(self, letter: Letter, reading: Reading) -> bool:
        """The cheap conditions first: a large topic is gone through for a few letters."""
        return self._fits_headers(letter) and self._fits_event(letter, reading) and self._fits_entity(letter, reading)

    def _fits_headers(self, letter: Letter) -> bool:
        return (
            (self.since is None or letter.failed_at >= self.since)
            and (self.until is None or letter.failed_at < self.until)
            and (not self.codes or letter.code in self.codes)
            and (not self.systems or letter.system in self.systems)
            and (not self.topics or letter.origin.topic in self.topics)
        )

    def _fits_event(self, letter: Letter, reading: Reading) -> bool:
        if self.tenant is None and self.event_id is None and self.event_type is None:
            return True
        event = reading.event(letter)
        return (
            (self.tenant is None or event.tenant == self.tenant)
            and (self.event_id is None or event.identity.id == self.event_id)
            and (self.event_type is None or event.identity.type == self.event_type)
        )

    def _fits_entity(self, letter: Letter, reading: Reading) -> bool:
        if self.entity is None or letter.key == self.entity.encode():
            return True
        if any(self.entity in (target, *target.split("/")) for target in reading.targets(letter)):
            return True
        return reading.touches(letter, self.entity)


def moment_of(text: str, now: Callable[[], float]) -> float:
    """Seconds since 1970 of an ISO 8601 date or moment (UTC unless it says otherwise), or of so long ago: `90s`, `15m`,
    `2h`, `3d`, `1w`. Raises `ValueError`, whose message says what may be given."""
    if found := _RELATIVE.fullmatch(text.strip()):
        return now() - float(found[1]) * _UNIT_SECONDS[found[2]]
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is no moment: give 2026-01-31, 2026-01-31T12:00:00Z, or how long ago: 90s, 15m, 2h, 3d, 1w"
        ) from None
