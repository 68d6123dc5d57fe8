"""THE table: event type -> topic, model, translation. Everything that differs from one type to the next hangs on its
row.

Also the one way from a record to a plan, or to the reasons why there is none. Pure: no I/O, no settings, no clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.json_schema import JsonSchemaValue

from service.domain.codes import Code
from service.domain.collector import collector_paused
from service.domain.events.export_requested import ExportRequested
from service.domain.events.holdings_changed import HoldingsChanged
from service.domain.events.objections import faults_of, shown
from service.domain.events.schema import schema_of
from service.domain.events.transfer_requested import TransferRequested
from service.domain.jsonvalue import JsonValue
from service.domain.operations import Asked, Plan
from service.domain.outcomes import Fault, Rejection
from service.domain.record import Record
from service.translation.asked import (
    asked_of_export_requested,
    asked_of_holdings_changed,
    asked_of_transfer_requested,
)
from service.translation.cloudevents import Envelope, decode
from service.translation.export_requested import translate_export_requested
from service.translation.holdings_changed import translate_holdings_changed
from service.translation.transfer_requested import translate_transfer_requested
from service.translation.translated import Translated

Data = TypeVar("Data", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Route(Generic[Data]):
    """One event type. `topic` is without prefix; `translate` takes valid data and the tenant ("" where there is none);
    `asked_of` says what data that is not valid asked for, and never raises."""

    event_type: str
    topic: str
    data_model: type[Data]
    translate: Callable[[Data, str], Translated]
    asked_of: Callable[[JsonValue], tuple[Asked, ...]]
    adapter: TypeAdapter[Data] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "adapter", TypeAdapter(self.data_model))


ROUTES: Final[tuple[Route[Any], ...]] = (
    Route(
        "holdings.changed",
        "holdings.changes",
        HoldingsChanged,
        translate_holdings_changed,
        asked_of_holdings_changed,
    ),
    Route(
        "holdings.transfer.requested",
        "holdings.transfer-requests",
        TransferRequested,
        translate_transfer_requested,
        asked_of_transfer_requested,
    ),
    Route(
        "holdings.export.requested",
        "holdings.export-requests",
        ExportRequested,
        translate_export_requested,
        asked_of_export_requested,
    ),
)

_BY_TYPE: Final = {route.event_type: route for route in ROUTES}


def interpret(record: Record, *, default_tenant: str | None, max_bytes: int) -> Plan | Rejection:
    """What a record asks for, or why it is refused before anything is called. Never raises.

    The tenant of the plan, of its steps and of a rejection is the event's own, else the default. A value of more than
    `max_bytes` is not parsed.
    """
    with collector_paused(record.size_bytes):
        return _interpret(record, default_tenant, max_bytes)


def json_schema(event_type: str) -> JsonSchemaValue:
    """JSON Schema of the `data` of an event type. Raises KeyError for a type that is not in the table."""
    return schema_of(_BY_TYPE[event_type].adapter)


def _interpret(record: Record, default_tenant: str | None, max_bytes: int) -> Plan | Rejection:
    envelope = decode(record, max_bytes)
    if isinstance(envelope, Rejection):
        return envelope
    tenant = envelope.tenant or (None if envelope.faults else default_tenant)
    route = _BY_TYPE.get(envelope.event.type or "")
    if route is None:
        return Rejection(
            Code.UNKNOWN_TYPE,
            f"the type {shown(envelope.event.type or '')} is not known; known are {', '.join(_BY_TYPE)}",
            envelope.event,
            tenant,
            envelope.traceparent,
        )
    return _plan(envelope, route, tenant)


def _plan(envelope: Envelope, route: Route[Any], tenant: str | None) -> Plan | Rejection:
    try:
        data = route.adapter.validate_python(envelope.data)
    except ValidationError as refused:
        return _invalid(envelope, route, tenant, envelope.faults + faults_of(refused, "data"))
    if envelope.faults:
        return _invalid(envelope, route, tenant, envelope.faults)
    translated = route.translate(data, tenant or "")
    return Plan(envelope.event, tenant, envelope.traceparent, translated.steps, translated.writes, translated.reads)


def _invalid(envelope: Envelope, route: Route[Any], tenant: str | None, faults: tuple[Fault, ...]) -> Rejection:
    first = f"{faults[0].path}: {faults[0].message}"
    return Rejection(
        Code.INVALID_DATA,
        first if len(faults) == 1 else f"{len(faults)} faults, the first is {first}",
        envelope.event,
        tenant,
        envelope.traceparent,
        faults,
        route.asked_of(envelope.data),
    )
