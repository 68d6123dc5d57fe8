"""What a simulated HoldingsIQ holds of exports, over all workers, and what it objects to: a POST without a note, or one
for an export that is there already and could have been found. Owns no request.

Everybody's customer is the event itself: its list shows what came of it, and nothing else.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from service.domain.jsonvalue import JsonObject
from tests.fakes.events import EXPORT_TYPE
from tests.fakes.ledger import PlacedEvent

EPOCH_SECONDS: Final = 1_700_000_000.0
"""What the wall clocks of the simulated world show when it begins, in seconds since 1970."""
FILES_HOST: Final = "files.example"
_HEADER: Final = "publication_title,title_id,package_id,vendor_id\n"


@dataclass(slots=True)
class MadeExport:
    """One that a POST has made. Times are those of the loop; `asked_at` is when the POST left its worker."""

    id: str
    asked_at: float
    made_at: float
    judged: bool
    """Whether the worker that asked could know what it was doing."""
    waits: int
    """Looks at its record before it is completed."""


class ExportLedger:
    """`is_noted` says whether a note for an event is stored."""

    def __init__(self, is_noted: Callable[[PlacedEvent], bool]) -> None:
        self.objections: list[str] = []
        self.found_in_list = 0
        """Times that a list showed an export to a worker."""
        self.downloads_cut = 0
        self.downloads_gone_on_with = 0
        self._is_noted = is_noted
        self._made: defaultdict[str, list[MadeExport]] = defaultdict(list)
        self._listed_at: dict[str, float] = {}
        self._looks: Counter[str] = Counter()

    def check_post(self, placed: PlacedEvent, worker: str) -> None:
        """Whether a POST may leave. A second one may where the list was read after the first had left, and did not show
        yet what came of it: that one was still on its way, and nobody could know."""
        event_id = placed.event.id
        if not self._is_noted(placed):
            self.objections.append(f"{worker} asks for the export {event_id} without a note")
        listed_at = self._listed_at.get(event_id, -1.0)
        for made in self._made[event_id]:
            if made.judged and not made.asked_at <= listed_at <= made.made_at:
                self.objections.append(f"{worker} asks for the export {event_id} although there is {made.id}")

    def make(self, placed: PlacedEvent, asked_at: float, now: float, waits: int, *, judged: bool) -> JsonObject:
        """The record of a new export."""
        exports = self._made[placed.event.id]
        exports.append(MadeExport(f"{placed.event.id}-{len(exports) + 1}", asked_at, now, judged, waits))
        return self._record(exports[-1])

    def list(self, placed: PlacedEvent, now: float) -> list[JsonObject]:
        self._listed_at[placed.event.id] = now
        exports = self._made[placed.event.id]
        self.found_in_list += bool(exports)
        return [self._record(made) for made in exports]

    def look(self, placed: PlacedEvent, export_id: str) -> JsonObject:
        """The record of an export, which is completed once it was looked at often enough."""
        [made] = [made for made in self._made[placed.event.id] if made.id == export_id]
        self._looks[export_id] += 1
        if self._looks[export_id] <= made.waits:
            return self._record(made)
        link = f"https://{FILES_HOST}/{quote(placed.event.id)}/{quote(export_id)}?signed=yes"
        links = [{"rel": "download", "href": link}]
        return {**self._record(made), "status": "COMPLETED", "links": links, "size": len(file_of(placed))}

    def _record(self, made: MadeExport) -> JsonObject:
        created = datetime.fromtimestamp(EPOCH_SECONDS + made.made_at, UTC).isoformat()
        return {"id": made.id, "type": EXPORT_TYPE, "status": "QUEUED", "created": created, "format": "CSV"}


def file_of(placed: PlacedEvent) -> bytes:
    """Rows that say in their title which they are."""
    rows = "".join(f"Title {number},{number},23,19\n" for number in range(1, placed.event.rows + 1))
    return (_HEADER + rows).encode()
