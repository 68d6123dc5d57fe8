"""Who is told of calls to the systems, and who makes spans of them. Ports; telemetry implements them."""

from __future__ import annotations

from typing import Protocol

import httpx


class CallObserver(Protocol):
    """Told of every call to a system, repeated reads too. Must not block and must not raise."""

    def call_finished(self, system: str, operation: str, status: int | None, seconds: float) -> None:
        """`status` is None when no answer came."""
        ...

    def call_saved(self, system: str, operation: str) -> None:
        """A call was not made: it would have changed nothing, or another has done for it."""
        ...

    def batch_sent(self, system: str, records: int) -> None:
        """So many records left in one call."""
        ...


class CallSpan(Protocol):
    """One call in a trace. To be ended."""

    @property
    def traceparent(self) -> str | None:
        """What the call carries in place of what it was given; None leaves that as it is."""
        ...

    def end(self, status: int | None) -> None:
        """`status` is None when no answer came."""
        ...


class CallTracer(Protocol):
    """Makes a span of every call. There is none where traces are off, and then nothing is spent on them."""

    def begin(self, system: str, operation: str, method: str, host: str, traceparent: str | None) -> CallSpan:
        """`traceparent` is the span above it; None when there is none."""
        ...


class SilentObserver:
    """Takes note of nothing."""

    def call_finished(self, system: str, operation: str, status: int | None, seconds: float) -> None:
        """Nothing."""

    def call_saved(self, system: str, operation: str) -> None:
        """Nothing."""

    def batch_sent(self, system: str, records: int) -> None:
        """Nothing."""


def begin_span(tracer: CallTracer | None, system: str, operation: str, request: httpx.Request) -> CallSpan | None:
    """A span for the request, which then carries it; None where traces are off."""
    if tracer is None:
        return None
    span = tracer.begin(system, operation, request.method, request.url.host, request.headers.get("traceparent"))
    if span.traceparent is not None:
        request.headers["traceparent"] = span.traceparent
    return span
