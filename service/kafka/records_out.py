"""What goes out, byte for byte: the result of an outcome, and its dead letter where one is due. Pure."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from service.domain.exports import ExportReport, ExportRow
from service.domain.operations import Plan
from service.domain.outcomes import Fault, OperationOutcome, Outcome, Overall
from service.domain.record import Headers, Record
from service.engine.ports import Outgoing
from service.kafka.fitting import fitted
from service.kafka.topics import DEAD_LETTERS, EXPORT_ROWS, RESULTS

RESULT_TYPE = "holdings.result"
ROW_TYPE = "holdings.export.row"
CONTENT_TYPE = ("content-type", b"application/cloudevents+json; charset=UTF-8")

MAX_RESULT_BYTES = 900_000
"""Of a result's value. Brokers take a little over 1,000,000 unless told otherwise; a result that cannot be stored would
hold its partition up for ever."""
MAX_MESSAGE_CHARACTERS = 1000
"""Of `relay-message`: a dead letter must fit where its record did, headers and all."""
MAX_SUBJECT_CHARACTERS = 1000
"""Of an event's id in each row of its export, so that a row which fits as such fits with it."""

_SECRET = re.compile(
    r"^(?:(?:proxy-|x-)?authorization|(?:set-)?cookie2?|x-okapi-(?:refresh-)?token|folio(?:access|refresh)token"
    r"|(?:.*[-_.])?(?:api[-_]?key|token|secret|password|passwd|credentials?))$",
    re.IGNORECASE,
)


class RecordsOut:
    """Renders outcomes. `source` is the CloudEvents source of what is published."""

    def __init__(self, source: str) -> None:
        self._source = source

    def __call__(self, outcome: Outcome) -> Sequence[Outgoing]:
        """The records that tell of `outcome`, all under the key of the record in."""
        records = [self._result(outcome)]
        if outcome.overall in (Overall.FAILED, Overall.PARTIAL):
            records.append(dead_letter(outcome))
        return records

    def rows(self, record: Record, plan: Plan, rows: Sequence[ExportRow], first: int) -> Sequence[Outgoing]:
        """One `holdings.export.row` for each, under the row's own key. `first` is the number of the first, from 1."""
        where = f"{record.partition.topic}/{record.partition.number}/{record.offset}"
        attributes: dict[str, Any] = {
            "specversion": "1.0",
            "id": "",
            "source": self._source,
            "type": ROW_TYPE,
            "time": _rfc3339(time.time()),
            "datacontenttype": "application/json",
        }
        if plan.event.id is not None:
            attributes["subject"] = _bounded(plan.event.id, MAX_SUBJECT_CHARACTERS)
        if plan.tenant:
            attributes["tenant"] = plan.tenant
        if plan.traceparent:
            attributes["traceparent"] = plan.traceparent
        return [
            Outgoing(
                EXPORT_ROWS,
                row.key.encode(),
                orjson.dumps(attributes | {"id": f"{where}/{number}", "data": row.data}),
                (CONTENT_TYPE,),
            )
            for number, row in enumerate(rows, first)
        ]

    def _result(self, outcome: Outcome) -> Outgoing:
        record = outcome.record
        where = record.partition
        attributes: dict[str, Any] = {
            "specversion": "1.0",
            "id": f"{where.topic}/{where.number}/{record.offset}",
            "source": self._source,
            "type": RESULT_TYPE,
            "time": _rfc3339(outcome.finished_at),
            "datacontenttype": "application/json",
        }
        if outcome.event.id is not None:
            attributes["subject"] = outcome.event.id
        if outcome.tenant:
            attributes["tenant"] = outcome.tenant
        if outcome.traceparent:
            attributes["traceparent"] = outcome.traceparent
        attributes["data"] = result_data(outcome)
        return Outgoing(RESULTS, record.key, fitted(attributes, MAX_RESULT_BYTES), (CONTENT_TYPE,))


def result_data(outcome: Outcome) -> dict[str, Any]:
    """The `data` of a `holdings.result`. `code` and `message` at its top are those of the first operation that
    failed."""
    record, event, failure = outcome.record, outcome.event, outcome.first_failure
    data: dict[str, Any] = {
        "event": {
            "id": event.id,
            "source": event.source,
            "type": event.type,
            "topic": record.partition.topic,
            "partition": record.partition.number,
            "offset": record.offset,
        },
        "outcome": outcome.overall,
        "code": failure.finding.code if failure else None,
        "message": failure.finding.message if failure else None,
        "operations": [_operation(operation) for operation in outcome.operations],
        "receivedAt": _rfc3339(record.received_at),
        "finishedAt": _rfc3339(outcome.finished_at),
    }
    if failure and failure.faults:
        data["faults"] = _faults(failure.faults)
    return data


def dead_letter(outcome: Outcome) -> Outgoing:
    """The record in, byte for byte, its headers less secrets, and why it failed."""
    record, failure = outcome.record, outcome.first_failure
    if failure is None:
        raise ValueError("a dead letter needs a failure")
    told = {
        "relay-code": failure.finding.code,
        "relay-message": failure.finding.message and _bounded(failure.finding.message, MAX_MESSAGE_CHARACTERS),
        "relay-system": failure.asked.system,
        "relay-status": failure.finding.status,
        "relay-attempts": failure.attempts,
        "relay-topic": record.partition.topic,
        "relay-partition": record.partition.number,
        "relay-offset": record.offset,
        "relay-failed-at": _rfc3339(outcome.finished_at),
    }
    headers = tuple((name, str(value).encode()) for name, value in told.items() if value is not None)
    return Outgoing(DEAD_LETTERS, record.key, record.value, without_secrets(record.headers) + headers)


def without_secrets(headers: Headers) -> Headers:
    """Headers in their order, bytes as they were, less those whose name tells of a secret."""
    return tuple((name, value) for name, value in headers if not is_secret(name))


def is_secret(header: str) -> bool:
    """Whether a header of this name carries a secret. Attributes of a CloudEvent in binary mode carry `ce_` before
    it."""
    return bool(_SECRET.match(header.strip().removeprefix("ce_")))


def _bounded(text: str, most_characters: int) -> str:
    return text if len(text) <= most_characters else text[: most_characters - 1] + "…"


def _operation(operation: OperationOutcome) -> dict[str, Any]:
    asked, finding = operation.asked, operation.finding
    entry: dict[str, Any] = {
        "system": asked.system,
        "operation": asked.operation,
        "target": asked.target,
        "outcome": finding.verdict,
        "status": finding.status,
        "attempts": operation.attempts,
        "durationMs": operation.duration_ms,
        "code": finding.code,
        "message": finding.message,
    }
    if operation.faults:
        entry["faults"] = _faults(operation.faults)
    if finding.export:
        entry["export"] = _export(finding.export)
        if finding.export.broken_rows:
            entry["faults"] = [
                {"path": f"line {row.line}", "message": row.message} for row in finding.export.broken_rows
            ]
    return entry


def _export(report: ExportReport) -> dict[str, Any]:
    """`stated` are the counts that the system states, as it spells them; `agrees` is null when none can be compared."""
    return {"rows": report.rows, "brokenRows": report.broken, "stated": dict(report.stated), "agrees": report.agrees}


def _faults(faults: Sequence[Fault]) -> list[dict[str, str]]:
    return [{"path": fault.path, "message": fault.message} for fault in faults]


def _rfc3339(seconds: float) -> str:
    milliseconds = round(seconds * 1_000_000) // 1000
    return f"{_whole_second(milliseconds // 1000)}.{milliseconds % 1000:03d}Z"


@lru_cache(maxsize=64)
def _whole_second(seconds: int) -> str:
    """Most times of an event lie in the last few."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
