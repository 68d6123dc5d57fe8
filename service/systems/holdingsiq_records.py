"""The record of an export as HoldingsIQ shows it: in an answer of its own, in a list, or after a POST. Pure; takes any
JSON without raising.

HoldingsIQ exports: `status` is an open set of words of which only QUEUED and COMPLETED have been seen; `created` has
micro- or milliseconds; ids are opaque. Nothing that is published says how a list looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from service.domain.events.export_requested import MAX_ID_CHARACTERS
from service.domain.jsonvalue import JsonObject, JsonValue
from service.systems.downloads import Link
from service.systems.export_counts import stated_counts

COMPLETED: Final = "COMPLETED"
_FAILED_WORDS: Final = ("FAIL", "ERROR", "CANCEL")


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """What is known of an export; None where the record does not tell."""

    id: str | None
    type: str | None
    status: str
    """As the system spells it; empty where it says none."""
    created: float | None
    """Seconds since 1970."""
    link: Link | None
    size: int | None
    """Bytes of the file."""
    counts: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_completed(self) -> bool:
        return self.status.upper() == COMPLETED

    @property
    def has_failed(self) -> bool:
        return any(word in self.status.upper() for word in _FAILED_WORDS)


def record_of(content: JsonValue) -> ExportRecord | None:
    """The record; None when it is none: neither an id nor a status."""
    if not isinstance(content, Mapping):
        return None
    id_, status, kind = _text(content, "id"), _text(content, "status"), _text(content, "type")
    if id_ is None and status is None:
        return None
    usable = id_ is not None and len(id_.encode()) <= MAX_ID_CHARACTERS and bool(id_.strip(". \t\r\n"))
    size = content.get("size")
    return ExportRecord(
        id_ if usable else None,
        kind,
        (status or "").strip(),
        _moment(_text(content, "created")),
        _link(content.get("links")),
        size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
        stated_counts(content),
    )


def records_of(content: JsonValue) -> list[ExportRecord] | None:
    """The records in a list, bare or inside an object; None when there is no list."""
    if isinstance(content, Mapping):
        content = next((value for value in content.values() if isinstance(value, list)), None)
    if not isinstance(content, list):
        return None
    return [record for entry in content if (record := record_of(entry)) is not None]


def newest(records: Sequence[ExportRecord], export_type: str, since: float) -> ExportRecord | None:
    """The newest export of a type that was created at `since` or later and has not failed."""
    return max(
        (
            record
            for record in records
            if record.id is not None
            and (record.type or "").upper() == export_type.upper()
            and record.created is not None
            and record.created >= since
            and not record.has_failed
        ),
        key=lambda record: record.created or 0.0,
        default=None,
    )


def _text(content: JsonObject, name: str) -> str | None:
    value = content.get(name)
    return value if isinstance(value, str) and value.strip() else None


def _moment(text: str | None) -> float | None:
    try:
        moment = datetime.fromisoformat(text) if text is not None else None
    except ValueError:
        return None
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _link(content: JsonValue) -> Link | None:
    return next((Link(href) for href in _links(content)), None)


def _links(content: JsonValue) -> Iterator[str]:
    for entry in content if isinstance(content, list) else ():
        match entry:
            case {"rel": str(rel), "href": str(href)} if rel.strip().lower() == "download" and href.strip():
                yield href.strip()
            case _:
                pass
