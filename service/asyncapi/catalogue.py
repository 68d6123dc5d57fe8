"""Every type of event, in and out: its topic, its key, the schema of its data. The rows of the routes, and what is
published.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

from pydantic import TypeAdapter

from service.domain.events.schema import schema_of
from service.domain.published.dead_letter import DeadLetterHeaders
from service.domain.published.result import HoldingsResult
from service.domain.published.worker_metrics import METRICS_TYPE, WorkerMetrics
from service.kafka.records_out import RESULT_TYPE, ROW_TYPE
from service.kafka.topics import EXPORT_ROWS, METRICS, RESULTS
from service.routes import ROUTES, json_schema
from service.systems.export_columns import COLUMNS, row_model

Schema: TypeAlias = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_OTHER_TYPES: Final = "OTHER"
_SENDERS_KEY: Final = "The entity that the event is about, chosen by the sender: events of one key keep their order."
_KEY_OF_THE_RECORD_IN: Final = "The key of the record in, byte for byte."


class Direction(Enum):
    """Which way an event goes, seen from the relay."""

    IN = "receive"
    OUT = "send"


@dataclass(frozen=True, slots=True)
class EventType:
    """One type of event. `topic` is without prefix; `data` is the JSON Schema of the event's data."""

    name: str
    topic: str
    direction: Direction
    summary: str
    key: str
    data: Schema


def event_types() -> list[EventType]:
    """All of them: those in, in the order of the routes, then those out."""
    summaries = {route.event_type: _first_sentence(route.data_model.__doc__) for route in ROUTES}
    taken = [
        EventType(
            route.event_type,
            route.topic,
            Direction.IN,
            summaries[route.event_type],
            _SENDERS_KEY,
            json_schema(route.event_type),
        )
        for route in ROUTES
    ]
    return [
        *taken,
        EventType(
            RESULT_TYPE,
            RESULTS,
            Direction.OUT,
            "What became of one event.",
            _KEY_OF_THE_RECORD_IN,
            schema_of(TypeAdapter(HoldingsResult)),
        ),
        EventType(
            ROW_TYPE,
            EXPORT_ROWS,
            Direction.OUT,
            "One row of an export.",
            "The eholdings resource of the row, `vendor-package-title`.",
            _row_schema(),
        ),
        EventType(
            METRICS_TYPE,
            METRICS,
            Direction.OUT,
            "How one worker has fared in an interval.",
            "The worker: its host and process.",
            schema_of(TypeAdapter(WorkerMetrics)),
        ),
    ]


def dead_letter_headers() -> Schema:
    """The JSON Schema of the headers of a dead letter; its value is any record's."""
    return schema_of(TypeAdapter(DeadLetterHeaders))


def event_schema(event_type: EventType) -> Schema:
    """The JSON Schema of a whole event in structured mode, its data under `properties.data`."""
    text: Schema = {"type": "string", "minLength": 1}
    return {
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": text,
            "source": text,
            "type": {"const": event_type.name},
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"type": "string", "description": "JSON, `application/json`."},
            "subject": {"type": "string", "description": "Of what is published: the id of the event it is about."},
            "tenant": {"type": "string", "description": "FOLIO tenant.", "pattern": "^[A-Za-z0-9_.-]{1,100}$"},
            "traceparent": {"type": "string", "description": "W3C Trace Context."},
            "data": event_type.data,
        },
        "required": ["specversion", "id", "source", "type", "data"],
    }


def _row_schema() -> Schema:
    """A row of a type whose columns are known, or of any other."""
    models = {name: schema_of(TypeAdapter(row_model(name))) for name in (*COLUMNS, _OTHER_TYPES)}
    models[_OTHER_TYPES]["properties"]["type"] = {"type": "string", "not": {"enum": list(COLUMNS)}}
    return {"anyOf": list(models.values()), "description": "One row of an export."}


def _first_sentence(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split())
