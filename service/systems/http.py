"""One system's HTTP client: builds requests, hands them to a transport, and turns what becomes of them into values.

Owns base address, fixed headers, time-outs, the mapping of httpx's errors and the report of each call. It must not
judge a status, and repeats only reads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final, Protocol, TypeAlias
from urllib.parse import quote

import httpx
import orjson

from service.domain.collector import collector_paused
from service.domain.jsonvalue import JsonValue
from service.engine.ports import MayLeave, freely
from service.engine.progress import Progress
from service.systems.bodies import AnswerTooLarge, whole_body
from service.systems.hidden import secret_bytes, secrets_in, without_secrets
from service.systems.leaving import hand_over
from service.systems.messages import tidy, words_of
from service.systems.retry_after import retry_after_seconds

Headers: TypeAlias = Sequence[tuple[str, str]]

_TOTAL_GRACE_SECONDS: Final = 1.0
"""What a whole call may take beyond its parts, so that the parts' own time-outs, which tell more, strike first."""


@dataclass(frozen=True)
class Reply:
    """An answer, whole. `retry_after_seconds` is the Retry-After header, read; None when there is none to go by."""

    status: int
    headers: httpx.Headers
    body: bytes
    retry_after_seconds: float | None = None

    def json(self) -> JsonValue:
        """The decoded body; None when it is no JSON, whatever the content type says."""
        return self._content

    @cached_property
    def _content(self) -> JsonValue:
        try:
            with collector_paused(len(self.body)):
                content: JsonValue = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None
        return content

    @property
    def words(self) -> str:
        """What the system says in it, for people."""
        return words_of(self.status, self.body, self.json())


@dataclass(frozen=True, slots=True)
class NotSent:
    """The request has certainly not reached the system. `status` is set when a call that had to come before it was
    answered."""

    message: str
    status: int | None = None
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """The request may have been received and carried out; no answer came, or none that can be read."""

    message: str


Result: TypeAlias = Reply | NotSent | Lost


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


@dataclass(frozen=True, slots=True)
class Clocks:
    """The time, handed in. `wall` is in seconds since 1970, `monotonic` measures durations."""

    wall: Callable[[], float] = field(default=time.time)
    monotonic: Callable[[], float] = field(default=time.monotonic)


class HttpClient:
    """Calls one system. `httpx.AsyncClient` is left out on purpose: redirects, cookies and authentication cost more
    than the call, and none of them is wanted."""

    def __init__(
        self,
        system: str,
        base_url: str,
        transport: httpx.AsyncBaseTransport,
        *,
        headers: Headers = (),
        connect_seconds: float = 5.0,
        observer: CallObserver | None = None,
        clocks: Clocks | None = None,
        progress: Progress | None = None,
        tracer: CallTracer | None = None,
    ) -> None:
        """`base_url` may have a path and may end in a slash; `headers` go out with every call, their names as given."""
        self.system = system
        self._base_url = base_url.rstrip("/")
        self._transport = transport
        self._headers = list(headers)
        self._secrets = secrets_in(headers)
        self._connect_seconds = connect_seconds
        self.observer: CallObserver = observer or SilentObserver()
        self._clocks = clocks or Clocks()
        self._progress = progress or Progress()
        self._tracer = tracer
        self._url_of = lru_cache(maxsize=1024)(httpx.URL)

    async def send(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        read_seconds: float,
        body: bytes | None = None,
        headers: Headers = (),
        traceparent: str | None = None,
        fresh_connection: bool = False,
        may_leave: MayLeave = freely,
        hidden: Sequence[str] = (),
    ) -> Result:
        """One call; raises nothing but cancellation and what `may_leave` raises. `path` is percent-encoded and begins
        with a slash; `read_seconds` bounds the whole answer. `operation` is the call's name in the metrics.
        Credentials in the headers, and what is `hidden` in the body, are masked should the answer repeat them.

        A GET whose connection broke before the answer is sent once more on a connection of its own: most often it met a
        kept connection that the system was just closing. Nothing else is ever sent twice here.
        """
        extensions = {"timeout": self._limits(read_seconds), "fresh_connection": fresh_connection}
        try:
            request = self._request(method, path, body, headers, traceparent, extensions)
        except httpx.InvalidURL as error:
            return NotSent(tidy(f"{self.system}: not an address for HTTP: {error}"))
        secrets = (*self._secrets, *secrets_in(headers), *secret_bytes(hidden))
        result, broken = await self._call(operation, request, read_seconds, secrets, may_leave)
        if broken and method == "GET" and not fresh_connection:
            request.extensions["fresh_connection"] = True
            result, _ = await self._call(operation, request, read_seconds, secrets, may_leave)
        return result

    def _limits(self, read_seconds: float) -> dict[str, float]:
        connect = self._connect_seconds
        return {
            "connect": connect,
            "read": read_seconds,
            "write": read_seconds,
            "pool": connect,
            "total": 2 * connect + read_seconds + _TOTAL_GRACE_SECONDS,
        }

    def _request(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Headers,
        traceparent: str | None,
        extensions: dict[str, object],
    ) -> httpx.Request:
        all_headers = [*self._headers, *headers]
        if traceparent is not None:
            all_headers.append(("traceparent", traceparent))
        url = self._url_of(self._base_url + path)
        # `stream` in place of `content` leaves out work that the transport does anyway: Host and Content-Length
        return httpx.Request(
            method, url, headers=all_headers, stream=httpx.ByteStream(body or b""), extensions=extensions
        )

    async def _call(
        self, operation: str, request: httpx.Request, read_seconds: float, secrets: Sequence[bytes], may_leave: MayLeave
    ) -> tuple[Result, bool]:
        """The result, and whether the connection broke."""
        span = begin_span(self._tracer, self.system, operation, request)
        status: int | None = None
        started = self._clocks.monotonic()
        try:
            with self._progress.expecting(request.extensions["timeout"]["total"]):
                result, broken = await self._exchange(request, read_seconds, secrets, may_leave)
            status = result.status if isinstance(result, Reply) else None
            self.observer.call_finished(self.system, operation, status, self._clocks.monotonic() - started)
        finally:
            if span is not None:
                span.end(status)
        return result, broken

    async def _exchange(
        self, request: httpx.Request, read_seconds: float, secrets: Sequence[bytes], may_leave: MayLeave
    ) -> tuple[Result, bool]:
        try:
            response = await hand_over(self._transport, request, may_leave)
            body = without_secrets(await whole_body(response), secrets)
        except (httpx.ConnectTimeout, httpx.PoolTimeout):
            return NotSent(f"{self.system}: no connection within {self._connect_seconds:g} s"), False
        except (httpx.ConnectError, httpx.ProxyError, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            return NotSent(tidy(f"{self.system}: no connection: {error}")), False
        except httpx.TimeoutException:
            return Lost(f"{self.system}: no answer within {read_seconds:g} s"), False
        except httpx.DecodingError as error:
            return Lost(tidy(f"{self.system}: the answer cannot be decompressed: {error}")), False
        except AnswerTooLarge as error:
            return Lost(f"{self.system}: the answer was not read to its end: it is {error}"), False
        except httpx.TransportError as error:
            return Lost(tidy(f"{self.system}: connection lost before the answer was complete: {error}")), True
        wait = retry_after_seconds(response.headers.get("retry-after"), self._clocks.wall())
        return Reply(response.status_code, response.headers, body, wait), False


def begin_span(tracer: CallTracer | None, system: str, operation: str, request: httpx.Request) -> CallSpan | None:
    """A span for the request, which then carries it; None where traces are off."""
    if tracer is None:
        return None
    above = request.extensions.setdefault("traceparent", request.headers.get("traceparent"))  # it may be sent again
    span = tracer.begin(system, operation, request.method, request.url.host, above)
    if span.traceparent is not None:
        request.headers["traceparent"] = span.traceparent
    return span


def path_of(*segments: str) -> str:
    """A path of these segments, each percent-encoded whole: an id cannot leave its place."""
    return "".join("/" + quote(segment, safe="") for segment in segments)


def query_of(parameters: Mapping[str, str]) -> str:
    """`?name=value&…`, percent-encoded."""
    return "?" + "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parameters.items())
