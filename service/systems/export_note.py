"""What is remembered of an export between attempts and lives, in the metadata of the commit. Pure.

| note | means |
|---|---|
| `?<seconds since 1970>` | a POST may have left, not before this time |
| `!<seconds since 1970> <id>` | an export was asked for at this time, and this is its id |
| `#<check> ` before either, or alone | of the rows that were published: what `RowCheck` makes of them |

A note of another form counts as none.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Final

_FORM: Final = re.compile(r"(?:#([0-9a-f]{8}) )?(?:\?([0-9]+)|!([0-9]+) (.*))?", re.DOTALL | re.ASCII)


@dataclass(frozen=True, slots=True)
class ExportNote:
    """See the module. `check` is empty while no row is published."""

    asked_at: int | None = None
    export_id: str | None = None
    check: str = ""

    @property
    def text(self) -> str:
        check = f"#{self.check} " if self.check else ""
        if self.asked_at is None:
            return check
        return f"{check}?{self.asked_at}" if self.export_id is None else f"{check}!{self.asked_at} {self.export_id}"

    @classmethod
    def read(cls, text: str) -> ExportNote:
        found = _FORM.fullmatch(text)
        if found is None:
            return cls()
        check, unnamed, named, export_id = found.groups()
        seconds = unnamed or named
        return cls(int(seconds) if seconds else None, export_id or None, check or "")


class RowCheck:
    """Tells whether the rows that are passed over are those that were published: a checksum of all cells so far."""

    def __init__(self) -> None:
        self._sum = 0

    def add(self, cells: bytes) -> None:
        """The next row's cells, as they came."""
        self._sum = zlib.crc32(cells, self._sum)

    @property
    def text(self) -> str:
        return f"{self._sum:08x}"
