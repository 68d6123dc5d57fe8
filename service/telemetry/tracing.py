"""Traces: a span for each record from its receipt to its stored result, and one below it for each call. OpenTelemetry.

The only module that imports it, and is itself imported only where traces are on. Owns what a span says; never a
message, an entity or an address with a path: they may hold what is secret or personal.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TypeAlias

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from service import __version__
from service.domain.operations import Plan
from service.domain.outcomes import Outcome, Overall
from service.domain.record import Partition, Record
from service.telemetry.metrics import Metrics
from service.telemetry.observing import Telemetry

Place: TypeAlias = tuple[Partition, int]

_PROPAGATOR = TraceContextTextMapPropagator()


def otlp_processor() -> SpanProcessor:
    """Sends spans in batches, over HTTP, to the collector that the OTEL_EXPORTER_OTLP_… variables name."""
    return BatchSpanProcessor(OTLPSpanExporter())


class Tracing:
    """The spans of one worker. Implements `systems.http.CallTracer`, and `begin_record` is the worker's `Trace`."""

    def __init__(self, processor: SpanProcessor) -> None:
        """Sampling is as the OTEL_TRACES_SAMPLER… variables say; by default what the sender of an event has decided
        holds, and an event without a trace is recorded."""
        ours = Resource({"service.name": "holdings-relay", "service.version": __version__})
        resource = Resource.create().merge(ours).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("holdings-relay", __version__)
        self._records: dict[Place, Span] = {}

    def telemetry(self, metrics: Metrics) -> TracedTelemetry:
        """What is to be told of all that happens."""
        return TracedTelemetry(metrics, self)

    def begin_record(self, record: Record, plan: Plan) -> str | None:
        """The record enters the lanes. Its span begins with its receipt, below that of the event's sender."""
        span = self._start_record(record, plan.traceparent, plan.event.type)
        self._records[record.partition, record.offset] = span
        return _traceparent(span)

    def settled(self, outcome: Outcome) -> None:
        """Result and offset are stored. A record that was refused before it entered the lanes gets its span here."""
        record, spent = outcome.record, outcome.spent
        span = self._records.pop((record.partition, record.offset), None)
        if span is None:
            span = self._start_record(record, outcome.traceparent, None if outcome.rejected else outcome.event.type)
        span.set_attributes(
            {
                "relay.outcome": outcome.overall,
                "relay.lane_seconds": spent.lane,
                "relay.gate_seconds": spent.gate,
                "relay.call_seconds": spent.call,
                "relay.pause_seconds": spent.pause,
            }
        )
        if outcome.event.id is not None:
            span.set_attribute("cloudevents.event_id", outcome.event.id)
        failure = outcome.first_failure
        if failure is not None:
            span.set_attribute("relay.code", str(failure.finding.code))
        if outcome.overall in (Overall.FAILED, Overall.PARTIAL):
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def retrying(self, record: Record, system: str, attempts: int, pause_seconds: float) -> None:
        span = self._records.get((record.partition, record.offset))
        if span is not None:
            span.add_event(
                "retry", {"relay.system": system, "relay.attempts": attempts, "relay.pause_seconds": pause_seconds}
            )

    def dropped(self, record: Record) -> None:
        """Given up without an outcome."""
        span = self._records.pop((record.partition, record.offset), None)
        if span is not None:
            span.set_attribute("relay.outcome", "dropped")
            span.end()

    def begin(self, system: str, operation: str, method: str, host: str, traceparent: str | None) -> TracedCall:
        """One call of a system."""
        attributes = {
            "relay.system": system,
            "relay.operation": operation,
            "http.request.method": method,
            "server.address": host,
        }
        context = _PROPAGATOR.extract({"traceparent": traceparent} if traceparent else {})
        return TracedCall(self._tracer.start_span(f"{system} {operation}", context, SpanKind.CLIENT, attributes))

    async def close(self, seconds: float) -> None:
        """Send what is left, for so long at most: a collector that is away holds nobody up."""
        closing = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, seconds)

    def _start_record(self, record: Record, traceparent: str | None, event_type: str | None) -> Span:
        context = _PROPAGATOR.extract({"traceparent": traceparent} if traceparent else {})
        attributes: dict[str, str | int] = {
            "messaging.system": "kafka",
            "messaging.operation.type": "process",
            "messaging.destination.name": record.partition.topic,
            "messaging.destination.partition.id": str(record.partition.number),
            "messaging.kafka.offset": record.offset,
        }
        if event_type is not None:
            attributes["cloudevents.event_type"] = event_type
        return self._tracer.start_span(
            f"process {record.partition.topic}",
            context,
            SpanKind.CONSUMER,
            attributes,
            start_time=round(record.received_at * 1e9),
        )


class TracedCall:
    """Implements `systems.http.CallSpan`."""

    def __init__(self, span: Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str | None:
        return _traceparent(self._span)

    def end(self, status: int | None) -> None:
        if status is None:
            self._span.set_attribute("error.type", "no answer")
            self._span.set_status(Status(StatusCode.ERROR))
        else:
            self._span.set_attribute("http.response.status_code", status)
            if status >= 400:
                self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


class TracedTelemetry(Telemetry):
    """Tells the traces, too, what becomes of records."""

    def __init__(self, metrics: Metrics, tracing: Tracing) -> None:
        super().__init__(metrics)
        self._tracing = tracing

    def settled(self, outcome: Outcome) -> None:
        super().settled(outcome)
        self._tracing.settled(outcome)

    def retrying(
        self, record: Record, plan: Plan, system: str, attempts: int, pause_seconds: float, message: str
    ) -> None:
        super().retrying(record, plan, system, attempts, pause_seconds, message)
        self._tracing.retrying(record, system, attempts, pause_seconds)

    def dropped(self, record: Record, message: str) -> None:
        super().dropped(record, message)
        self._tracing.dropped(record)


def _traceparent(span: Span) -> str | None:
    """None of a span that is none, as with OTEL_SDK_DISABLED."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, set_span_in_context(span))
    return carrier.get("traceparent")
