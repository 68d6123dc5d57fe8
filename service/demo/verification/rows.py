"""Whether every row of every export was published once, each under its own key, and its result counts them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from service.demo.results import ExportedRow, Place, Result, Sent
from service.demo.verification.comparing import Check

_EACH_ONCE: Final = "Every row of every export is there exactly once, and its result counts them"


def check_rows(sent: Sequence[Sent], rows: Sequence[ExportedRow], results: Sequence[Result]) -> Check:
    """The check of what the worker published of exports."""
    of_place: dict[Place, list[ExportedRow]] = defaultdict(list)
    for row in rows:
        of_place[row.place].append(row)
    told = {result.place: result for result in results}
    broken = [fault for record in sent for fault in _faults(record, of_place.pop(record.place, []), told)]
    broken += [f"rows of a record that was not sent: {place}" for place in of_place]
    return Check(_EACH_ONCE, len(rows), tuple(broken))


def _faults(record: Sent, rows: Sequence[ExportedRow], told: Mapping[Place, Result]) -> Iterator[str]:
    wanted = record.sample.rows or 0
    name = f"{record.sample.event.id or record.place} ({record.sample.title})"
    times = Counter(row.number for row in rows)
    if times != Counter(range(1, wanted + 1)):
        yield f"{name}: expected rows 1 to {wanted}, each once, found {len(rows)} rows"
    for row in rows:
        if row.key != (row.resource_id or "").encode():
            yield f"{name}: row {row.number} is about {row.resource_id}, and its key is {row.key!r}"
    if record.sample.rows is not None and (result := told.get(record.place)) is not None:
        counted = [operation.rows for operation in result.operations]
        if counted != [wanted]:
            yield f"{name}: expected a result that counts {wanted} rows, found {counted}"
