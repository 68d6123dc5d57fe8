"""A dead letter read back: the record that failed, and why. Pure; the reverse of `kafka.records_out.dead_letter`.

The relay's own headers come last, the code first among them. So everything before the last `relay-code` is the
record's, whatever its sender may have called its headers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from service.domain.folding import fold
from service.domain.operations import Asked, EventIdentity, asked_of
from service.domain.outcomes import UNREAD, Rejection
from service.domain.record import Headers, Partition, Record
from service.domain.replays import LetterPlace
from service.kafka.reader import Stored
from service.routes import interpret
from service.translation.cloudevents import decode

_CODE: Final = "relay-code"
_FOLDING: Final = ("inventory", "holdings-source")
"""What keys of entities begin with whose names are folded; see `translation.keys`."""
NOT_A_LETTER: Final = "it bears no relay-code, relay-topic, relay-partition and relay-offset"


@dataclass(frozen=True, slots=True)
class Letter:
    """`key`, `value` and `headers` are those of the record, without the headers that tell why it failed. Moments are
    seconds since 1970."""

    place: LetterPlace
    stored_at: float
    """When it came into the topic, by the clock of whoever wrote it."""
    key: bytes | None
    value: bytes | None
    headers: Headers
    origin: Partition
    """Where the record came from, under its full name."""
    origin_offset: int
    code: str
    message: str | None
    system: str | None
    status: str | None
    attempts: str | None
    failed_at: float
    """`stored_at` where the letter does not tell."""

    @property
    def record(self) -> Record:
        """As it came in."""
        return Record(self.origin, self.origin_offset, self.key, self.value, self.headers, 0, self.failed_at)


@dataclass(frozen=True, slots=True)
class LetterEvent:
    """What can be told of the event in a letter, as the worker would tell it."""

    identity: EventIdentity = UNREAD
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """How events are read: by the worker's own settings."""

    default_tenant: str | None
    max_bytes: int

    def event(self, letter: Letter) -> LetterEvent:
        """Nothing of an event that cannot be read."""
        envelope = decode(letter.record, self.max_bytes)
        if isinstance(envelope, Rejection):
            return LetterEvent()
        return LetterEvent(envelope.event, envelope.tenant or (None if envelope.faults else self.default_tenant))

    def targets(self, letter: Letter) -> tuple[str, ...]:
        """The targets of what the event asks for, as far as that can be told."""
        plan = interpret(letter.record, default_tenant=self.default_tenant, max_bytes=self.max_bytes)
        asked: tuple[Asked, ...]
        if isinstance(plan, Rejection):
            asked = plan.asked
        else:
            asked = tuple(one for step in plan.steps for one in asked_of(step))
        return tuple(dict.fromkeys(one.target for one in asked if one.target))

    def touches(self, letter: Letter, entity: str) -> bool:
        """Whether the event touches an entity of this name, in whichever system; FOLIO's names are folded as its
        storage folds them. An event that is refused touches none."""
        plan = interpret(letter.record, default_tenant=self.default_tenant, max_bytes=self.max_bytes)
        if isinstance(plan, Rejection):
            return False
        return any(
            key[-1] == entity or (key[0] in _FOLDING and key[-1] == fold(entity)) for key in plan.writes | plan.reads
        )


def read_letter(stored: Stored) -> Letter | None:
    """The letter in a record of the topic, which is under its full name; None when it is none of the relay's."""
    start = max((place for place, (name, _) in enumerate(stored.headers) if name == _CODE), default=None)
    if start is None:
        return None
    told = {name: (value or b"").decode("utf-8", "replace") for name, value in stored.headers[start:]}
    topic, partition, offset = (told.get(f"relay-{name}", "") for name in ("topic", "partition", "offset"))
    if not topic or not _is_number(partition) or not _is_number(offset):
        return None
    stored_at = stored.timestamp_ms / 1000
    return Letter(
        LetterPlace(stored.topic, stored.partition, stored.offset),
        stored_at,
        stored.key,
        stored.value,
        stored.headers[:start],
        Partition(topic, int(partition)),
        int(offset),
        told[_CODE],
        told.get("relay-message"),
        told.get("relay-system"),
        told.get("relay-status"),
        told.get("relay-attempts"),
        _seconds(told.get("relay-failed-at", ""), stored_at),
    )


def rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def _seconds(text: str, otherwise: float) -> float:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return otherwise
