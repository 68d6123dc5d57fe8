"""The `data` of a `holdings.result`, as a model. Tests hold every result that is published to it."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from service.domain.answers import Verdict
from service.domain.codes import Code
from service.domain.outcomes import Overall

System: TypeAlias = Literal["eholdings", "inventory", "holdings-sources", "scsb", "holdingsiq"]
Operation: TypeAlias = Literal[
    "update",
    "deselect",
    "add",
    "remove",
    "upsert",
    "delete",
    "upsert-shared",
    "delete-shared",
    "transfer-item",
    "transfer-holdings",
    "export",
]
Count: TypeAlias = Annotated[int, Field(ge=0)]


class Published(BaseModel):
    """Python names are the JSON names in snake case."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class ResultFault(Published):
    """One thing wrong with an event, or with a row of an export."""

    path: str = Field(description="Dotted from the event's root, indexes in brackets; of a row, its line.")
    message: str


class EventReference(Published):
    """The event that a result is of, and the record that it came in. Null where the record cannot be read."""

    id: str | None
    source: str | None
    type: str | None
    topic: str
    partition: Count
    offset: Count


class ExportCounts(Published):
    """The account of an export."""

    rows: Count = Field(description="Published.")
    broken_rows: Count = Field(description="That could not be read and were left out.")
    stated: dict[str, str] = Field(description="The counts that HoldingsIQ states, as it spells them.")
    agrees: bool | None = Field(description="Whether they agree with the file; null when none can be compared.")


class OperationResult(Published):
    """What became of one thing asked for."""

    system: System | None = Field(description="Null where the event does not tell.")
    operation: Operation | None
    target: str | None
    outcome: Verdict
    status: int | None = Field(description="Of HTTP, of the answer that decided; null when there was none.")
    attempts: Count
    duration_ms: Count
    code: Code | None = Field(description="Set exactly when it failed; see docs/codes.md.")
    message: str | None = Field(description="For people.")
    faults: tuple[ResultFault, ...] = Field((), description="Absent when there are none.")
    faults_left_out: Count = Field(0, description="Only where a result had to be cut to fit.")
    export: ExportCounts | None = Field(None, description="Of an export that came to its end; absent otherwise.")


class HoldingsResult(Published):
    """One per event."""

    event: EventReference
    outcome: Overall
    code: Code | None = Field(description="Of the first operation that failed.")
    message: str | None = Field(description="Of the first operation that failed.")
    operations: tuple[OperationResult, ...] = Field(min_length=1, description="One entry for each thing asked for.")
    operations_left_out: Count = Field(0, description="Only where a result had to be cut to fit.")
    received_at: AwareDatetime
    finished_at: AwareDatetime
    faults: tuple[ResultFault, ...] = Field((), description="Of an event that is not valid; absent otherwise.")
    faults_left_out: Count = Field(0, description="Only where a result had to be cut to fit.")
