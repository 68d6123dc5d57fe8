"""Events for tests of the engine: they say outright which entities they touch. Also what is published of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

import orjson

from service.domain.codes import Code
from service.domain.exports import ExportRow
from service.domain.operations import (
    Asked,
    EventIdentity,
    ExportHoldings,
    Plan,
    Step,
    Transfer,
    TransferEntry,
    UpdateResource,
    asked_of,
)
from service.domain.outcomes import Outcome, Overall, Rejection
from service.domain.record import Partition, Record
from service.engine.ports import Outgoing

TENANT = "diku"
EXPORT_TYPE = "KBART2"
RESULTS, DEAD_LETTERS, ROWS = "holdings.results", "holdings.dead-letters", "holdings.export-rows"


@dataclass(frozen=True, slots=True)
class FakeEvent:
    """`writes` and `reads` name entities. One that is not valid is rejected without a call. One with `rows` asks for an
    export of so many."""

    id: str
    writes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    transfer: bool = False
    valid: bool = True
    rows: int = 0

    def encode(self) -> bytes:
        return orjson.dumps(asdict(self))


def step_of(event: FakeEvent) -> Step:
    """A step that names its event in its target; an export, whose target changes on the way, in its customer."""
    if event.rows:
        return ExportHoldings(event.id, EXPORT_TYPE, "CSV", None)
    if not event.transfer:
        return UpdateResource(TENANT, event.id, {}, None)
    return Transfer("PUL", (), (TransferEntry(Asked("scsb", "transfer-item", event.id), {}, {}),))


def event_id_of(step: Step) -> str:
    return asked_of(step)[0].target or ""


def interpret(record: Record) -> Plan | Rejection:
    """The plan of a `FakeEvent`."""
    event = FakeEvent(**orjson.loads(record.value or b""))
    identity = EventIdentity(event.id, "test", "fake")
    if not event.valid:
        return Rejection(Code.INVALID_DATA, "made to be refused", identity)
    return Plan(
        identity,
        TENANT,
        None,
        (step_of(event),),
        frozenset((name,) for name in event.writes),
        frozenset((name,) for name in event.reads),
    )


class Told(NamedTuple):
    """What a published record says of an event."""

    event_id: str
    partition: Partition
    offset: int
    overall: Overall
    code: str | None
    rows: int | None = None
    """That it counts, where it is of an export that came to its end."""


class ToldRow(NamedTuple):
    """What a published record says of one row of an export."""

    event_id: str
    partition: Partition
    offset: int
    number: int
    """By which the relay counts it."""
    title: str
    """The number that the file gives it."""


def render(outcome: Outcome) -> Sequence[Outgoing]:
    """A result, and a dead letter where one is due."""
    failure = outcome.first_failure
    code = failure.finding.code if failure else None
    report = next((operation.finding.export for operation in outcome.operations), None)
    rows = report.rows if report is not None else None
    told = (outcome.event.id, list(outcome.record.partition), outcome.record.offset, outcome.overall, code, rows)
    value = orjson.dumps(told)
    records = [Outgoing(RESULTS, None, value)]
    if outcome.overall in (Overall.FAILED, Overall.PARTIAL):
        records.append(Outgoing(DEAD_LETTERS, None, value))
    return records


def render_rows(record: Record, plan: Plan, rows: Sequence[ExportRow], first: int) -> Sequence[Outgoing]:
    """One record for each row."""
    of = (plan.event.id, list(record.partition), record.offset)
    return [
        Outgoing(ROWS, row.key.encode(), orjson.dumps((*of, number, row.data.get("titleId"))))
        for number, row in enumerate(rows, first)
    ]


def told_by(outgoing: Outgoing) -> Told:
    """The reverse of `render`."""
    event_id, (topic, number), offset, overall, code, rows = orjson.loads(outgoing.value or b"")
    return Told(event_id, Partition(topic, number), offset, Overall(overall), code, rows)


def row_told_by(outgoing: Outgoing) -> ToldRow:
    """The reverse of `render_rows`."""
    event_id, (topic, partition), offset, number, title = orjson.loads(outgoing.value or b"")
    return ToldRow(event_id, Partition(topic, partition), offset, number, title)
