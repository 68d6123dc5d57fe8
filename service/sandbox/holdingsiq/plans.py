"""How an export runs, and what becomes of it; in Python and as seed data.

Owns the course of the statuses. It must not know the record that shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from service.sandbox.exchange import JsonValue
from service.sandbox.holdingsiq.csv_file import CsvFile, read_csv_file
from service.sandbox.holdingsiq.reading import flag_at, number_at, optional_text_at, seconds_at
from service.sandbox.seeds import StateError, array_at, object_at, require_known, text_at

COMPLETED: Final = "COMPLETED"

_FIELDS: Final = (
    "statuses", "afterPolls", "afterSeconds", "ends", "file", "fileName", "size", "counts", "ignoresRanges",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to become of an export. In seed data the same names in camel case.

    - `statuses`: the words that it goes through before it ends, at least one.
    - `after_polls`, `after_seconds`: it ends when its record has been read so many times *and* it is so old.
    - `ends`: the word with which it ends. Only `COMPLETED` comes with a link. None: it never ends.
    - `file`: what can be downloaded.
    - `file_name`: None makes one of customer, type and format.
    - `size`: what the record states in place of the file's true size.
    - `counts`: members of `customerHoldingsCounts` that are stated in place of the true ones, sent as they are (so that
      a number stays a number); with None the record has no counts at all.
    - `ignores_ranges`: the download answers a range with the whole file.
    """

    statuses: tuple[str, ...] = ("QUEUED", "IN_PROGRESS")
    after_polls: int = 2
    after_seconds: float = 0.0
    ends: str | None = COMPLETED
    file: CsvFile = field(default_factory=CsvFile)
    file_name: str | None = None
    size: int | None = None
    counts: Mapping[str, JsonValue] | None = field(default_factory=dict)
    ignores_ranges: bool = False

    def status(self, polls: int, age_seconds: float) -> str:
        """The word after so many readings of the record and so many seconds."""
        by_polls = polls / self.after_polls if self.after_polls else 1.0
        by_age = age_seconds / self.after_seconds if self.after_seconds else 1.0
        progress = min(by_polls, by_age)
        if progress >= 1 and self.ends is not None:
            return self.ends
        return self.statuses[min(int(max(progress, 0.0) * len(self.statuses)), len(self.statuses) - 1)]

    def to_json(self) -> dict[str, JsonValue]:
        """The plan as `read_plan` takes it."""
        return {
            "statuses": [*self.statuses],
            "afterPolls": self.after_polls,
            "afterSeconds": self.after_seconds,
            "ends": self.ends,
            "file": self.file.to_json(),
            "fileName": self.file_name,
            "size": self.size,
            "counts": None if self.counts is None else {**self.counts},
            "ignoresRanges": self.ignores_ranges,
        }


READY: Final = Plan(after_polls=0)
"""An export that is done before anybody asks."""


def read_plan(content: JsonValue, where: str, usual: Plan | None = None) -> Plan:
    """A plan out of seed data; what is absent is as in the `usual` one. Raises StateError that names the field."""
    entry = object_at(content, where)
    require_known(entry, _FIELDS, where)
    usual = usual or Plan()
    counts = entry.get("counts", {})
    return Plan(
        statuses=_statuses(entry.get("statuses", [*usual.statuses]), f"{where}.statuses"),
        after_polls=number_at(entry, "afterPolls", where, usual.after_polls),
        after_seconds=seconds_at(entry, "afterSeconds", where, usual.after_seconds),
        ends=optional_text_at(entry, "ends", where) if "ends" in entry else usual.ends,
        file=read_csv_file(entry.get("file", {}), f"{where}.file"),
        file_name=optional_text_at(entry, "fileName", where),
        size=None if entry.get("size") is None else number_at(entry, "size", where, 0),
        counts=None if counts is None else object_at(counts, f"{where}.counts"),
        ignores_ranges=flag_at(entry, "ignoresRanges", where),
    )


def _statuses(content: JsonValue, where: str) -> tuple[str, ...]:
    words = tuple(text_at(word, where) for word in array_at(content, where))
    if not words:
        raise StateError(where, "one word or more")
    return words
