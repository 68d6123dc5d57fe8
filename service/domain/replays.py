"""The headers of a record that has been a dead letter and comes again. Pure; `docs/dead-letters.md` explains them.

Whoever finds them must take it that all which the event asks for may have been done already.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from service.domain.record import Headers

REPLAY_OF: Final = "relay-replay-of"
"""Where the dead letter lies: `topic/partition/offset`."""

REPLAY_SINCE: Final = "relay-replay-since"
"""Before this moment (RFC 3339) no attempt at the event was made. Given with exports."""

_NAMES: Final = (REPLAY_OF, REPLAY_SINCE)


class LetterPlace(NamedTuple):
    """Where a dead letter lies. `topic` is the full name."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def read(cls, text: str) -> LetterPlace | None:
        """The reverse of `str`; None for whatever that did not write."""
        topic, _, rest = text.partition("/")
        partition, _, offset = rest.partition("/")
        if not topic or not all(number.isascii() and number.isdigit() for number in (partition, offset)):
            return None
        place = cls(topic, int(partition), int(offset))
        return place if str(place) == text else None


@dataclass(frozen=True, slots=True)
class Replay:
    """What a record's headers say of the dead letter that it was."""

    place: LetterPlace | None
    """None when the header does not tell."""
    since: float
    """Seconds since 1970: before that no attempt at the event was made. 0 when nothing is known, which is true of every
    event."""


def replay_of(headers: Headers) -> Replay | None:
    """None for a record that is no replay. One whose header cannot be read is a replay all the same."""
    told = {name: value for name, value in headers if name in _NAMES}  # the last of each
    if REPLAY_OF not in told:
        return None
    return Replay(LetterPlace.read(_text(told[REPLAY_OF])), _moment(_text(told.get(REPLAY_SINCE))))


def with_replay(headers: Headers, place: LetterPlace, since: float | None) -> Headers:
    """`headers` of a record that goes out again, in place of what they say of an earlier replay."""
    told: list[tuple[str, bytes | None]] = [(REPLAY_OF, str(place).encode())]
    if since is not None:
        moment = datetime.fromtimestamp(since, UTC).isoformat(timespec="milliseconds")
        told.append((REPLAY_SINCE, moment.replace("+00:00", "Z").encode()))
    return (*(header for header in headers if header[0] not in _NAMES), *told)


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace")


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
        return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return 0.0
