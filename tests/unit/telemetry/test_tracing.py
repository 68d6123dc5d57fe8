"""Spans of records and of their calls, as an exporter gets them."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from service.app import Relay
from service.domain.codes import Code
from service.domain.outcomes import Rejection, TimeSpent
from service.engine.rejecting import reject
from service.settings import InvalidSettings, Settings, TraceSettings
from service.systems.downloads import Downloads, Link
from service.telemetry.metrics import Metrics
from service.telemetry.tracing import Tracing
from tests.builders.outcomes import RECEIVED_AT, REFUSED, operation, outcome, record
from tests.fakes.processing import plan
from tests.unit.systems.scripted import ScriptedTransport, answer, http_client

TRACE, ABOVE = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{ABOVE}-01"
NOT_SAMPLED = f"00-{TRACE}-{ABOVE}-00"


class Subject:
    """A tracing whose spans stay in memory."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracing = Tracing(SimpleSpanProcessor(self.exporter))

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """Those that have ended."""
        return self.exporter.get_finished_spans()

    @property
    def span(self) -> ReadableSpan:
        (span,) = self.spans
        return span


def attributes_of(span: ReadableSpan) -> Mapping[str, Any]:
    return span.attributes or {}


def trace_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.trace_id:032x}"


def id_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.span_id:016x}"


def above(span: ReadableSpan) -> str | None:
    return f"{span.parent.span_id:016x}" if span.parent else None


@pytest.fixture(autouse=True)
def _no_variables_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_SDK_DISABLED", "OTEL_TRACES_SAMPLER", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"):
        monkeypatch.delenv(name, raising=False)


def test_a_record_has_a_span_below_that_of_its_sender_from_its_receipt_to_its_stored_result() -> None:
    subject = Subject()

    begun = subject.tracing.begin_record(record(), plan(traceparent=TRACEPARENT))
    before_the_end = subject.spans
    subject.tracing.settled(replace(outcome(traceparent=TRACEPARENT), spent=TimeSpent(lane=1, call=2)))

    assert before_the_end == ()
    assert begun == f"00-{TRACE}-{id_of(subject.span)}-01"
    assert (trace_of(subject.span), above(subject.span)) == (TRACE, ABOVE)
    assert (subject.span.name, subject.span.kind) == ("process holdings.changes", SpanKind.CONSUMER)
    assert subject.span.start_time == RECEIVED_AT * 1e9
    assert attributes_of(subject.span) == {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.destination.name": "holdings.changes",
        "messaging.destination.partition.id": "3",
        "messaging.kafka.offset": 42,
        "cloudevents.event_type": "holdings.changed",
        "cloudevents.event_id": "e1",
        "relay.outcome": "succeeded",
        "relay.lane_seconds": 1,
        "relay.gate_seconds": 0,
        "relay.call_seconds": 2,
        "relay.pause_seconds": 0,
    }
    assert subject.span.status.status_code is StatusCode.UNSET


def test_a_failed_record_is_an_error_with_its_code_and_without_its_words() -> None:
    subject = Subject()
    subject.tracing.begin_record(record(), plan(traceparent=TRACEPARENT))
    subject.tracing.retrying(record(), "eholdings", 2, 1.5)
    subject.tracing.settled(outcome(operation(REFUSED)))

    assert subject.span.status.status_code is StatusCode.ERROR
    assert attributes_of(subject.span)["relay.code"] == "refused"
    assert [(event.name, dict(event.attributes or {})) for event in subject.span.events] == [
        ("retry", {"relay.system": "eholdings", "relay.attempts": 2, "relay.pause_seconds": 1.5})
    ]
    assert REFUSED.message not in subject.span.to_json()


def test_a_record_that_is_refused_unread_has_a_span_too_and_its_type_is_not_told() -> None:
    subject = Subject()
    rejection = Rejection(Code.UNKNOWN_TYPE, "no such type", traceparent=TRACEPARENT)

    subject.tracing.settled(reject(record(), rejection))

    assert (trace_of(subject.span), attributes_of(subject.span)["relay.code"]) == (TRACE, "unknown-type")
    assert "cloudevents.event_type" not in attributes_of(subject.span)


def test_a_record_that_is_dropped_ends_its_span_and_may_come_again() -> None:
    subject = Subject()
    subject.tracing.begin_record(record(), plan(traceparent=TRACEPARENT))
    subject.tracing.dropped(record())
    subject.tracing.dropped(record())
    subject.tracing.begin_record(record(), plan(traceparent=TRACEPARENT))
    subject.tracing.settled(outcome())

    assert [attributes_of(span)["relay.outcome"] for span in subject.spans] == ["dropped", "succeeded"]


@pytest.mark.parametrize("traceparent", [None, "00-nonsense"])
def test_a_record_without_a_trace_begins_one(traceparent: str | None) -> None:
    subject = Subject()
    subject.tracing.begin_record(record(), plan(traceparent=traceparent))
    subject.tracing.settled(outcome())

    assert above(subject.span) is None


def test_what_the_sender_has_decided_not_to_record_is_not_recorded_and_said_to_be_so() -> None:
    subject = Subject()

    begun = subject.tracing.begin_record(record(), plan(traceparent=NOT_SAMPLED))
    subject.tracing.settled(outcome())

    assert subject.spans == ()
    assert begun is not None
    assert begun.startswith(f"00-{TRACE}-")
    assert begun.endswith("-00")


def test_without_the_sdk_calls_carry_on_what_they_were_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    subject = Subject()

    assert subject.tracing.begin_record(record(), plan()) is None
    assert subject.tracing.begin("scsb", "transfer", "POST", "scsb.example", None).traceparent is None


async def test_a_call_has_a_span_below_that_of_its_record_and_carries_it_on() -> None:
    subject, transport = Subject(), ScriptedTransport(answer(200))
    client = http_client(transport, "eholdings", tracer=subject.tracing)
    of_record = subject.tracing.begin_record(record(), plan(traceparent=TRACEPARENT))

    await client.send("put", "PUT", "/eholdings/resources/1-2-3", traceparent=of_record, read_seconds=1)
    subject.tracing.settled(outcome())

    call, whole = subject.spans
    assert (trace_of(call), above(call)) == (TRACE, id_of(whole))
    assert transport.requests[0].headers.get_list("traceparent") == [f"00-{TRACE}-{id_of(call)}-01"]
    assert (call.name, call.kind) == ("eholdings put", SpanKind.CLIENT)
    assert attributes_of(call) == {
        "relay.system": "eholdings",
        "relay.operation": "put",
        "http.request.method": "PUT",
        "server.address": "gateway",
        "http.response.status_code": 200,
    }


async def test_a_read_that_is_sent_again_has_two_spans_side_by_side() -> None:
    subject, transport = Subject(), ScriptedTransport(httpx.ReadError("broken"), answer(200))

    await http_client(transport, "eholdings", tracer=subject.tracing).send(
        "get", "GET", "/", traceparent=TRACEPARENT, read_seconds=1
    )

    assert [above(span) for span in subject.spans] == [ABOVE, ABOVE]
    assert [attributes_of(span).get("http.response.status_code") for span in subject.spans] == [None, 200]


async def test_a_call_without_an_answer_is_an_error() -> None:
    subject, transport = Subject(), ScriptedTransport(httpx.ReadTimeout("late"))

    await http_client(transport, "scsb", tracer=subject.tracing).send("transfer", "POST", "/", read_seconds=1)

    assert subject.span.status.status_code is StatusCode.ERROR
    assert attributes_of(subject.span)["error.type"] == "no answer"


async def test_a_download_has_a_span_that_tells_nothing_of_its_link() -> None:
    subject, transport = Subject(), ScriptedTransport(answer(200, b"a,b"))
    downloads = Downloads("holdingsiq", transport, tracer=subject.tracing)

    async with downloads.open(Link("https://store.example/file?X-Amz-Signature=SESAME"), TRACEPARENT):
        assert subject.spans == ()

    assert (subject.span.name, above(subject.span)) == ("holdingsiq export-download", ABOVE)
    assert "SESAME" not in subject.span.to_json()
    assert "/file" not in subject.span.to_json()


def test_the_service_is_named_and_the_usual_variables_rename_it(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = Subject()
    subject.tracing.settled(outcome())
    named = subject.span.resource.attributes["service.name"]
    monkeypatch.setenv("OTEL_SERVICE_NAME", "relay-of-ours")
    renamed = Subject()
    renamed.tracing.settled(outcome())

    assert (named, renamed.span.resource.attributes["service.name"]) == ("holdings-relay", "relay-of-ours")


def test_telemetry_goes_on_counting_where_traces_are_on() -> None:
    subject, metrics = Subject(), Metrics()
    telemetry = subject.tracing.telemetry(metrics)

    subject.tracing.begin_record(record(), plan())
    telemetry.retrying(record(), plan(), "scsb", 1, 1.0, "HTTP 503")
    telemetry.dropped(record(), "lost")
    telemetry.settled(outcome())

    counted = [
        metrics.registry.get_sample_value("relay_retries_total", {"system": "scsb"}),
        metrics.registry.get_sample_value("relay_records_dropped_total"),
        metrics.registry.get_sample_value(
            "relay_events_total", {"event_type": "holdings.changed", "outcome": "succeeded"}
        ),
    ]
    assert counted == [1, 1, 1]
    assert len(subject.spans) == 2


async def test_closing_waits_for_a_collector_no_longer_than_it_may() -> None:
    class Hanging(SimpleSpanProcessor):
        def shutdown(self) -> None:
            released.wait(30)

    released = threading.Event()
    tracing = Tracing(Hanging(InMemorySpanExporter()))
    before = time.monotonic()

    await tracing.close(0.1)
    released.set()

    assert time.monotonic() - before < 10


def test_where_traces_are_off_nothing_of_it_is_even_imported() -> None:
    code = (
        "import sys, service.app as a; a.Relay(a.Settings()); print([m for m in sys.modules if 'opentelemetry' in m])"
    )

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "[]"


def test_traces_without_the_extra_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "service.telemetry.tracing", None)

    with pytest.raises(InvalidSettings, match=r"RELAY_TRACES__ENABLED: the extra is not installed; pip install"):
        Relay(Settings(traces=TraceSettings(enabled=True)))
