"""One system's HTTP client: builds requests, hands them to a transport, and turns what becomes of them into values.

Owns base address, fixed headers, time-outs, the mapping of httpx's errors and the report of each call. It must not
judge a status, and repeats only reads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import quote

import httpx
import orjson

from service.domain.collector import collector_paused
from service.domain.jsonvalue import JsonValue
from service.engine.ports import MayLeave, freely
from service.engine.progress import Progress
from service.systems.bodies import MAX_ANSWER_BYTES, AnswerTooLarge, plain_body
from service.systems.call_observer import CallObserver, CallTracer, SilentObserver
from service.systems.hidden import secret_bytes, secrets_in, without_secrets
from service.systems.messages import tidy, words_of
from service.systems.retry_after import retry_after_seconds
from service.systems.through_httpx import wire_of
from service.systems.wire import (
    Limits,
    Origin,
    RawHeaders,
    WireAnswer,
    WireRequest,
    check_target,
    header_lines,
    origin_of,
)

Headers: TypeAlias = Sequence[tuple[str, str]]

_TOTAL_GRACE_SECONDS: Final = 1.0
"""What a whole call may take beyond its parts, so that the parts' own time-outs, which tell more, strike first."""


@dataclass(slots=True)
class Reply:
    """An answer, whole. `retry_after_seconds` is the Retry-After header, read; None when there is none to go by."""

    status: int
    raw_headers: RawHeaders
    body: bytes
    retry_after_seconds: float | None = None
    _content: JsonValue = field(default=None, init=False, repr=False, compare=False)
    _is_decoded: bool = field(default=False, init=False, repr=False, compare=False)

    @property
    def headers(self) -> httpx.Headers:
        """To look one up by its name."""
        return httpx.Headers(list(self.raw_headers))

    def json(self) -> JsonValue:
        """The decoded body; None when it is no JSON, whatever the content type says."""
        if not self._is_decoded:
            self._content, self._is_decoded = _decoded(self.body), True
        return self._content

    @property
    def words(self) -> str:
        """What the system says in it, for people."""
        return words_of(self.status, self.body, self.json())


def _decoded(body: bytes) -> JsonValue:
    try:
        with collector_paused(len(body)):
            content: JsonValue = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return content


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


@dataclass(frozen=True, slots=True)
class Clocks:
    """The time, handed in. `wall` is in seconds since 1970, `monotonic` measures durations."""

    wall: Callable[[], float] = field(default=time.time)
    monotonic: Callable[[], float] = field(default=time.monotonic)


class _Headers(NamedTuple):
    """As they leave, and what of them must not be told."""

    lines: bytes
    secrets: tuple[bytes, ...]


class _Address(NamedTuple):
    """Of a system: whom to connect to, and what stands before each path."""

    origin: Origin
    base_path: str


class HttpClient:
    """Calls one system. `httpx.AsyncClient` is left out on purpose: redirects, cookies and authentication cost more
    than the call, and none of them is wanted. What is the same for many calls is made once."""

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
        self._wire = wire_of(transport, MAX_ANSWER_BYTES)
        self._fixed_headers = tuple(headers)
        self._connect_seconds = connect_seconds
        self.observer: CallObserver = observer or SilentObserver()
        self._clocks = clocks or Clocks()
        self._progress = progress or Progress()
        self._tracer = tracer
        self._limits = lru_cache(maxsize=256)(self._make_limits)
        self._headers = lru_cache(maxsize=256)(self._make_headers)

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
        try:
            origin, base_path = self._address
            lines, secrets = self._headers(tuple(headers))
            target, limits = check_target(base_path + path), self._limits(read_seconds)
        except (httpx.InvalidURL, httpx.TransportError) as error:
            return NotSent(tidy(f"{self.system}: no connection: not an address for HTTP: {error}"))
        request = WireRequest(origin, method, target, lines, body or b"", limits, fresh_connection, may_leave)
        if hidden:
            secrets = (*secrets, *secret_bytes(hidden))
        result, broken = await self._call(operation, request, traceparent, secrets)
        if broken and method == "GET" and not fresh_connection:
            request.headers, request.fresh = lines, True
            result, _ = await self._call(operation, request, traceparent, secrets)
        return result

    @cached_property
    def _address(self) -> _Address:
        """Raises httpx's errors, at every call, for what is none."""
        url = httpx.URL(self._base_url)
        return _Address(origin_of(url), url.raw_path.decode("ascii").rstrip("/"))

    def _make_limits(self, read_seconds: float) -> Limits:
        connect = self._connect_seconds
        return Limits(connect, read_seconds, connect, 2 * connect + read_seconds + _TOTAL_GRACE_SECONDS)

    def _make_headers(self, headers: tuple[tuple[str, str], ...]) -> _Headers:
        """Raises `httpx.LocalProtocolError` for what cannot be sent."""
        both = self._fixed_headers + headers
        host = (b"Host", self._address.origin.authority.encode("ascii"))
        return _Headers(
            header_lines([host, *((name.encode(), value.encode()) for name, value in both)]), secrets_in(both)
        )

    async def _call(
        self, operation: str, request: WireRequest, traceparent: str | None, secrets: Sequence[bytes]
    ) -> tuple[Result, bool]:
        """The result, and whether the connection broke."""
        span = None
        if self._tracer is not None:
            span = self._tracer.begin(self.system, operation, request.method, request.origin.host, traceparent)
            traceparent = span.traceparent or traceparent
        if traceparent is not None:
            request.headers += header_lines([(b"traceparent", traceparent.encode())])
        status: int | None = None
        started = self._clocks.monotonic()
        self._progress.expect(request, request.limits.total or 0.0)
        try:
            result, broken = await self._exchange(request, secrets)
            status = result.status if isinstance(result, Reply) else None
            self.observer.call_finished(self.system, operation, status, self._clocks.monotonic() - started)
        finally:
            self._progress.came(request)
            if span is not None:
                span.end(status)
        return result, broken

    async def _exchange(self, request: WireRequest, secrets: Sequence[bytes]) -> tuple[Result, bool]:
        try:
            answer = await self._wire.exchange(request)
            body = plain_body(answer.body, answer.header(b"content-encoding"))
        except (httpx.ConnectTimeout, httpx.PoolTimeout):
            return NotSent(f"{self.system}: no connection within {self._connect_seconds:g} s"), False
        except (httpx.ConnectError, httpx.ProxyError, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            return NotSent(tidy(f"{self.system}: no connection: {error}")), False
        except httpx.TimeoutException:
            return Lost(f"{self.system}: no answer within {request.limits.read:g} s"), False
        except httpx.DecodingError as error:
            return Lost(tidy(f"{self.system}: the answer cannot be decompressed: {error}")), False
        except AnswerTooLarge as error:
            return Lost(f"{self.system}: the answer was not read to its end: it is {error}"), False
        except httpx.TransportError as error:
            return Lost(tidy(f"{self.system}: connection lost before the answer was complete: {error}")), True
        return self._reply(answer, without_secrets(body, secrets)), False

    def _reply(self, answer: WireAnswer, body: bytes) -> Reply:
        header = answer.header(b"retry-after")
        wait = None if header is None else retry_after_seconds(header.decode("latin-1"), self._clocks.wall())
        return Reply(answer.status, answer.headers, body, wait)


def path_of(*segments: str) -> str:
    """A path of these segments, each percent-encoded whole: an id cannot leave its place."""
    return "".join(["/" + _quoted(segment) for segment in segments])


@lru_cache(maxsize=4096)
def _quoted(segment: str) -> str:
    return quote(segment, safe="")


def query_of(parameters: Mapping[str, str]) -> str:
    """`?name=value&…`, percent-encoded."""
    return "?" + "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parameters.items())
