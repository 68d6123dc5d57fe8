"""What comes of an export: its rows, and the account of them. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.domain.jsonvalue import JsonObject


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One row, ready to be published."""

    key: str
    """`vendor-package-title`: the eholdings resource that the row is about."""
    line: int
    """Where the row begins in the file, from 1, the header included."""
    data: JsonObject
    """The row by column, as `docs/exports.md` says."""


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that could not be read. `line` is where it begins in the file, from 1."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class ExportReport:
    """The account of a finished export."""

    rows: int
    """Published."""
    broken: int
    """Rows that could not be read and were left out."""
    stated: Mapping[str, str] = field(default_factory=dict)
    """The counts that the system states, as it spells them."""
    agrees: bool | None = None
    """Whether the system's own count is that of the file; None when it states none that could be compared."""
    broken_rows: tuple[BrokenRow, ...] = ()
    """The first of the broken rows."""
