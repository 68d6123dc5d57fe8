"""The transport that the worker uses: httpx's interface over our pool, and the same without httpx's objects.

Owns what a request looks like on the wire. It must not repeat a request, follow a redirect, keep a cookie or judge a
status.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from typing import Final

import httpx

from service.systems.bodies import MAX_ANSWER_BYTES
from service.systems.leaving import EXTENSION
from service.systems.proxies import Proxy, environment_proxy
from service.systems.transport.connection import Connection
from service.systems.transport.opening import Opener
from service.systems.transport.pool import Pool
from service.systems.wire import Limits, WireAnswer, WireRequest, check_target, header_lines, origin_of

_WITH_CONTENT: Final = frozenset({"POST", "PUT", "PATCH"})
"""Methods that say `Content-Length: 0` when they carry nothing: RFC 9110, 8.6."""
_OURS: Final = frozenset({b"content-length", b"transfer-encoding", b"connection"})


class Http1Transport(httpx.AsyncBaseTransport):
    """The real way out. One for all systems of a process; made anywhere, used in one event loop.

    Of `request.extensions` it honours
    - `timeout`: seconds under `connect` (to open a connection), `read` (between two bytes of the answer), `pool` (to
      wait for a free connection) and `total` (everything); absent or None means no limit;
    - `fresh_connection`: True gives the request a connection that carried nothing before, closed afterwards. A server
      may close an idle connection just when a request leaves on it, and then nobody knows whether it was received;
    - `may_leave`: awaited when the connection stands, right before the first byte; what it raises passes through, and
      nothing is sent. See `leaving`;
    - `stream`: True leaves the body to be read piece by piece, with a bounded buffer; the response must be closed.

    Errors: `ConnectError`, `ConnectTimeout`, `PoolTimeout`, `ProxyError`, `LocalProtocolError` and
    `UnsupportedProtocol` mean that nothing was sent. `ReadTimeout`, `ReadError`, `RemoteProtocolError` and
    `AnswerTooLarge` mean that the request may have been received. The answer is read whole unless it is streamed, and
    left compressed as it came: `httpx.Response` decompresses it.

    `exchange` is the same for whoever needs neither httpx's request nor its response, which cost more than the call.
    A kept connection is looked at right before it is used: where the other side has ended it, or has sent what nobody
    asked for, another is taken. No request is sent twice.
    """

    asks_before_sending: Final = True

    def __init__(
        self,
        *,
        ca_file: str | None = None,
        max_connections: int = 512,
        keep_alive_seconds: float = 15.0,
        proxy_of: Callable[[httpx.URL], Proxy | None] = environment_proxy,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        """`ca_file` is a PEM file of certificate authorities trusted beside the system's; verification is always on."""
        tls = ssl.create_default_context()
        tls.set_alpn_protocols(["http/1.1"])
        if ca_file is not None:
            tls.load_verify_locations(cafile=ca_file)
        self._max_answer_bytes = max_answer_bytes
        self.pool = Pool(Opener(tls, proxy_of).open, max_connections, keep_alive_seconds)

    async def exchange(self, request: WireRequest) -> WireAnswer:
        """See `wire.Wire`, and the class for what is honoured."""
        total_seconds = request.limits.total
        connection = None if request.fresh else self.pool.take(request.origin)
        if connection is None:
            connection, total_seconds = await self._acquire(request)
        keep = False
        try:
            answer = await _ask(connection, request, total_seconds, self._max_answer_bytes)
            keep = not request.fresh
        finally:
            if not keep:
                connection.abort()
            self.pool.give_back(request.origin, connection, keep=keep)
        return answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends the request and reads the answer. See the class for extensions and errors."""
        try:
            wire_request = wired(request, await request.aread())
            stream: httpx.AsyncByteStream
            if request.extensions.get("stream"):
                answer, stream = await self._open_stream(wire_request)
            else:
                answer = await self.exchange(wire_request)
                stream = httpx.ByteStream(answer.body)
        except httpx.TransportError as error:
            error.request = request
            raise
        return httpx.Response(answer.status, headers=list(answer.headers), stream=stream, request=request)

    async def aclose(self) -> None:
        """Closes every connection, in use or not."""
        self.pool.close()

    async def _open_stream(self, request: WireRequest) -> tuple[WireAnswer, httpx.AsyncByteStream]:
        connection, total_seconds = await self._acquire(request)
        try:
            answer = await _ask(connection, request, total_seconds, None)
        except BaseException:
            connection.abort()
            self.pool.give_back(request.origin, connection, keep=False)
            raise
        stream = connection.stream
        stream.on_closed = lambda: self.pool.give_back(request.origin, connection, keep=not request.fresh)
        return answer, stream

    async def _acquire(self, request: WireRequest) -> tuple[Connection, float | None]:
        """A connection, and what is left of the total."""
        limits, now = request.limits, asyncio.get_running_loop().time
        began = now()
        connection = await self.pool.acquire(
            request.origin,
            fresh=request.fresh,
            connect_seconds=_shorter(limits.connect, limits.total),
            pool_seconds=_shorter(limits.pool, limits.total),
        )
        return connection, None if limits.total is None else began + limits.total - now()


async def _ask(
    connection: Connection, request: WireRequest, total_seconds: float | None, max_answer_bytes: int | None
) -> WireAnswer:
    """Between the question whether the request may leave and its bytes nothing is awaited."""
    if request.may_leave is not None:
        await request.may_leave()
    if not connection.is_open:
        raise httpx.ConnectError("the connection ended before the request left")
    return await connection.ask(
        request.method,
        _head(request, connection),
        request.body,
        read_seconds=request.limits.read,
        total_seconds=total_seconds,
        max_answer_bytes=max_answer_bytes,
    )


def _head(request: WireRequest, connection: Connection) -> bytes:
    target, headers, body = request.target, request.headers, request.body
    if connection.through_proxy:
        target = f"{request.origin.scheme}://{request.origin.authority}{target}"
        if connection.proxy_authorization is not None:
            headers += header_lines([(b"Proxy-Authorization", connection.proxy_authorization.encode("ascii"))])
    if body or request.method in _WITH_CONTENT:
        return b"%b %b HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n" % (
            request.method.encode("ascii"),
            target.encode("ascii"),
            headers,
            len(body),
        )
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (request.method.encode("ascii"), target.encode("ascii"), headers)


def wired(request: httpx.Request, content: bytes) -> WireRequest:
    """What httpx's request is on the wire, its extensions read. Raises `UnsupportedProtocol` and
    `LocalProtocolError`."""
    origin, extensions = origin_of(request.url), request.extensions
    headers = [(name, value) for name, value in request.headers.raw if name.lower() not in _OURS]
    if "host" not in request.headers:
        headers.insert(0, (b"Host", origin.authority.encode("ascii")))
    limits: Mapping[str, float | None] = extensions.get("timeout") or {}
    return WireRequest(
        origin,
        request.method,
        check_target(request.url.raw_path.decode("ascii")),
        header_lines(headers),
        content,
        Limits(limits.get("connect"), limits.get("read"), limits.get("pool"), limits.get("total")),
        bool(extensions.get("fresh_connection")),
        extensions.get(EXTENSION),
    )


def _shorter(seconds: float | None, other_seconds: float | None) -> float | None:
    if seconds is None or other_seconds is None:
        return other_seconds if seconds is None else seconds
    return min(seconds, other_seconds)
