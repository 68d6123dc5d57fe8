"""Judge of what was published of exports: every row, as often as it may be, in its place. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from service.engine.ports import Outgoing
from tests.fakes.events import RESULTS, ROWS, ToldRow, row_told_by, told_by
from tests.fakes.ledger import PlacedEvent
from tests.fakes.source import Delivery


def faults_of_rows(events: Sequence[PlacedEvent], published: Sequence[Outgoing], delivery: Delivery) -> list[str]:
    """The rows of each export are those of its file, 1 to the last: in transactions each once and in order, outside
    each at least once. Its result comes after them and counts them. `published` is in the order in which it counted,
    without what nobody can be blamed for."""
    rows: dict[str, list[ToldRow]] = {placed.event.id: [] for placed in events}
    faults: list[str] = []
    for sent in published:
        if sent.topic == ROWS:
            row = row_told_by(sent)
            rows[row.event_id].append(row)
            if row.title != str(row.number):
                faults.append(f"row {row.number} of {row.event_id} is row {row.title} of its file")
    for placed in events:
        numbers = [row.number for row in rows[placed.event.id]]
        expected = list(range(1, placed.event.rows + 1)) if placed.event.valid and not placed.refused else []
        told = numbers if delivery == "exactly_once" else sorted(set(numbers))
        if told != expected:
            faults.append(f"rows of {placed.event.id}: {told} in place of {expected}")
    return faults + _faults_of_results(events, published)


def _faults_of_results(events: Sequence[PlacedEvent], published: Sequence[Outgoing]) -> list[str]:
    exports = {placed.event.id: placed.event.rows for placed in events if placed.event.rows and not placed.refused}
    seen: dict[str, set[int]] = {event_id: set() for event_id in exports}
    faults: list[str] = []
    for sent in published:
        if sent.topic == ROWS:
            row = row_told_by(sent)
            seen.setdefault(row.event_id, set()).add(row.number)
        elif sent.topic == RESULTS and (told := told_by(sent)).event_id in exports and told.code is None:
            rows = exports[told.event_id]
            if len(seen[told.event_id]) < rows:
                faults.append(f"the result of {told.event_id} came after {len(seen[told.event_id])} of {rows} rows")
            if told.rows != rows:
                faults.append(f"the result of {told.event_id} counts {told.rows} rows in place of {rows}")
    return faults
