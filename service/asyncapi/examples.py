"""Examples for the document: events in from files, records out as the relay itself writes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any, Final

import orjson

from service.domain.answers import failed, succeeded
from service.domain.codes import Code
from service.domain.operations import Asked, EventIdentity, Plan
from service.domain.outcomes import OperationOutcome, Outcome
from service.domain.published.worker_metrics import (
    METRICS_TYPE,
    CallCount,
    CircuitState,
    DeadLetterCount,
    EventCount,
    PartitionLag,
    Quantiles,
    QuotaState,
    RetryCount,
    WorkerMetrics,
)
from service.domain.record import Partition, Record
from service.engine.ports import Outgoing
from service.kafka.metrics_out import metrics_record
from service.kafka.records_out import RESULT_TYPE, ROW_TYPE, RecordsOut, dead_letter
from service.systems.export_rows import ExportFile

_RECEIVED_AT: Final = 1_740_902_460.0
_FINISHED_AT: Final = _RECEIVED_AT + 0.042
_TIME: Final = "2025-03-02T08:01:00.042Z"
_SOURCE: Final = "/holdings-relay/holdings-relay"
_EVENT: Final = EventIdentity("changed-2025-00001", "/ils/acquisitions", "holdings.changed")
_RESOURCE: Final = "186-3150130-19047150"
_TRACE: Final = "00-7c1e5a0b9d3f48268ab4c6d2e0f1a395-3b9ac4d57e6f8012-01"
_FILE: Final = (
    b"publication_title,online_identifier,date_first_issue_online,date_last_issue_online,title_id,package_id,vendor_id\n"
    b"A Journal of Tides,2049-3630,1994-01-01,9999-12-31,19047150,3150130,186\n"
)


@dataclass(frozen=True, slots=True)
class Example:
    """A whole event in structured mode."""

    name: str
    summary: str
    event: dict[str, Any]


def examples_of(event_type: str) -> list[Example]:
    """Those of an event type; none where there are none."""
    if event_type == RESULT_TYPE:
        return [
            Example("succeeded", "A resource was updated.", _event(RecordsOut(_SOURCE)(_succeeded())[0])),
            Example("failed", "The system has refused it.", _event(RecordsOut(_SOURCE)(_failed())[0])),
        ]
    if event_type == ROW_TYPE:
        return [Example("kbart2", "A row of a KBART2 export.", _row())]
    if event_type == METRICS_TYPE:
        return [
            Example(
                "interval",
                "A worker with one partition, and eholdings' quota spent.",
                _event(metrics_record(_metrics(), _SOURCE)),
            )
        ]
    folder = files(__package__) / "examples" / event_type
    return [
        Example(path.name.removesuffix(".json"), f"From {path.name}.", orjson.loads(path.read_bytes()))
        for path in (sorted(folder.iterdir(), key=lambda found: found.name) if folder.is_dir() else ())
    ]


def in_binary_mode(example: Example) -> dict[str, Any]:
    """The same event as headers and payload of the other mode, as AsyncAPI writes an example."""
    attributes = {f"ce_{name}": value for name, value in example.event.items() if name not in _NO_HEADERS}
    return {
        "name": example.name,
        "summary": example.summary,
        "headers": {**attributes, "content-type": "application/json"},
        "payload": example.event["data"],
    }


def dead_letter_example() -> dict[str, Any]:
    """The dead letter beside the failed result, as AsyncAPI writes an example."""
    letter = dead_letter(_failed())
    return {
        "name": "refused",
        "summary": "The system has refused it.",
        "headers": {name: (value or b"").decode() for name, value in letter.headers},
        "payload": orjson.loads(letter.value or b"null"),
    }


_NO_HEADERS: Final = ("data", "datacontenttype")


def _succeeded() -> Outcome:
    return _outcome(OperationOutcome(Asked("eholdings", "update", _RESOURCE), succeeded(200), 1, 31))


def _failed() -> Outcome:
    refused = failed(Code.REFUSED, 400, "CoverageList cannot contain overlapping dates.")
    return _outcome(OperationOutcome(Asked("eholdings", "update", _RESOURCE), refused, 1, 28))


def _outcome(operation: OperationOutcome) -> Outcome:
    return Outcome(_record(), _EVENT, "harbour", _TRACE, (operation,), _FINISHED_AT)


def _record() -> Record:
    [first, *_] = examples_of("holdings.changed")
    headers = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
    value = orjson.dumps(first.event)
    return Record(Partition("holdings.changes", 3), 42, _RESOURCE.encode(), value, headers, 1, _RECEIVED_AT)


def _metrics() -> WorkerMetrics:
    started, until = datetime(2025, 3, 2, 8, tzinfo=UTC), datetime(2025, 3, 2, 8, 1, tzinfo=UTC)
    spent_since = datetime(2025, 3, 2, 8, 0, 50, tzinfo=UTC)
    latency = Quantiles(p50=0.031, p95=0.048, p99=0.05)
    return WorkerMetrics(
        worker="relay-0-1",
        version="1.0.0",
        group="holdings-relay",
        started_at=started,
        since=until - timedelta(seconds=15),
        until=until,
        final=False,
        events=(EventCount(type="holdings.changed", outcome="succeeded", count=12, total=48),),
        calls=(CallCount(system="eholdings", operation="put", status=200, count=9, total=40, latency_seconds=latency),),
        retries=(RetryCount(system="eholdings", count=1, total=2),),
        dead_letters=(DeadLetterCount(code="refused", count=0, total=1),),
        lag=(PartitionLag(topic="holdings.changes", partition=3, lag=5, oldest_unfinished_seconds=9.5, paused=False),),
        circuits=(
            CircuitState(system="eholdings", tenant="harbour", state="open", reason="quota", since=spent_since),
            CircuitState(system="inventory", tenant="harbour", state="closed", reason=None, since=None),
        ),
        quotas=(QuotaState(system="eholdings", tenant="harbour", left=0, spent_since=spent_since),),
    )


def _row() -> dict[str, Any]:
    file = ExportFile("apidemo", "096dea08-c57e-4dc5-a984-51a94afff2", "KBART2")
    rows = [read.row for read in (*file.feed(_FILE), *file.end())]
    record = Record(Partition("holdings.export-requests", 0), 7, b"apidemo", b"{}", (), 1, _RECEIVED_AT)
    identity = EventIdentity("export-0001", "/jobs/nightly", "holdings.export.requested")
    plan = Plan(identity, None, None, (), frozenset())
    [published] = RecordsOut(_SOURCE).rows(record, plan, rows, 1)
    return _event(published) | {"time": _TIME}


def _event(record: Outgoing) -> dict[str, Any]:
    event: dict[str, Any] = orjson.loads(record.value or b"")
    return event
