"""pyreqwest (reqwest and hyper, in Rust) as a candidate: its pool and its parser, and the mapping of its errors to
httpx's.

It must not repeat a request, follow a redirect, keep a cookie or judge a status.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import httpx
from pyreqwest import exceptions
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.proxy import ProxyBuilder
from pyreqwest.request import StreamRequest
from pyreqwest.response import Response

from bench.candidates.port import Candidate, Proxies, header_pairs, url_of
from service.engine.ports import MayLeave
from service.systems.bodies import MAX_ANSWER_BYTES, AnswerTooLarge
from service.systems.proxies import Proxy, environment_proxy
from service.systems.wire import WireAnswer, WireRequest

_WHILE_CONNECTING: Final = "client error (Connect)"
"""Among the causes of an error, what tells that nothing was sent: pyreqwest's classes do not. A connection that is
reset under a request is its `ConnectError` too, an answer that does not come its `ConnectTimeoutError`."""
_CERTIFICATE_REFUSED: Final = "invalid peer certificate"


class _Kind(NamedTuple):
    """What pyreqwest takes of a client and not of a request. Seconds; None is no limit."""

    connect: float | None
    read: float | None
    pool: float | None
    fresh: bool
    proxy: Proxy | None


class PyreqwestTransport(Candidate):
    """Whether a request with a body may leave is asked when reqwest asks for the body: the connection stands then, the
    head is on its way, and without its body nothing can be made of it. A request without a body is asked about before
    it is handed over.

    What that leaves open: such a request (every GET and DELETE) waits for its turn and for its connection after the
    question, as long as `pool` and `connect` allow; reqwest has no place to ask later, for its middlewares stand around
    the whole request. The bytes are written by another thread, so that not even the last step can be held back. A
    request that may not leave has cost its connection, on which the head has gone.

    Time-outs to connect, between two bytes and for a turn belong to a client, so there is one for each that is asked
    for, each with its own pool and its own bound on the number of requests under way. Connections are not bounded.
    """

    def __init__(
        self,
        *,
        ca_file: str | None = None,
        max_connections: int = 512,
        keep_alive_seconds: float = 15.0,
        proxy_of: Callable[[httpx.URL], Proxy | None] = environment_proxy,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        self._authorities = None if ca_file is None else Path(ca_file).read_bytes()
        self._max_connections = max_connections
        self._keep_alive_seconds = keep_alive_seconds
        self._proxies = Proxies(proxy_of)
        self._max_answer_bytes = max_answer_bytes
        self._clients: dict[_Kind, Client] = {}

    async def exchange(self, request: WireRequest) -> WireAnswer:
        proxied, built = await self._build(request)
        with _mapped_errors(proxied=proxied):
            async with built as response:
                return _answer(response, await self._read(response))

    async def open_stream(self, request: WireRequest) -> tuple[WireAnswer, httpx.AsyncByteStream]:
        proxied, built = await self._build(request, read_ahead_bytes=0)
        stack = AsyncExitStack()
        with _mapped_errors(proxied=proxied):
            response = await stack.enter_async_context(built)
        return _answer(response, b""), _Streamed(response, stack)

    async def aclose(self) -> None:
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.close()

    async def _build(self, request: WireRequest, read_ahead_bytes: int | None = None) -> tuple[bool, StreamRequest]:
        """Whether it goes through a proxy, and the request, asked about where that is to happen first. So many bytes of
        the body are waited for before there is an answer; by default 64 KiB, or all."""
        limits, proxy = request.limits, self._proxies.to(request.origin)
        kind = _Kind(limits.connect, limits.read, limits.pool, request.fresh, proxy)
        client = self._clients.get(kind)
        with _mapped_errors(proxied=proxy is not None):
            if client is None:
                client = self._clients[kind] = self._open_client(kind)
            builder = client.request(request.method, url_of(request.origin, request.target))
            builder = builder.headers(header_pairs(request.headers))
            if limits.total is not None:
                builder = builder.timeout(_duration(limits.total))
            if request.body and request.may_leave is not None:
                builder = builder.header("Content-Length", str(len(request.body)))
                builder = builder.body_stream(_asked_body(request.body, request.may_leave))
            elif request.body or request.method in ("POST", "PUT", "PATCH"):
                builder = builder.body_bytes(request.body)
            if read_ahead_bytes is not None:
                builder = builder.streamed_read_buffer_limit(read_ahead_bytes)
            built = builder.build_streamed()
        if not request.body and request.may_leave is not None:
            await request.may_leave()
        return proxy is not None, built

    def _open_client(self, kind: _Kind) -> Client:
        builder = ClientBuilder().max_connections(self._max_connections).no_proxy()
        builder = builder.follow_redirects(False).referer(False)
        builder = builder.gzip(False).brotli(False).zstd(False).deflate(False)
        builder = builder.pool_idle_timeout(_duration(self._keep_alive_seconds))
        if kind.connect is not None:
            builder = builder.connect_timeout(_duration(kind.connect))
        if kind.read is not None:
            builder = builder.read_timeout(_duration(kind.read))
        if kind.pool is not None:
            builder = builder.pool_timeout(_duration(kind.pool))
        if kind.fresh:
            builder = builder.pool_max_idle_per_host(0)
        if self._authorities is not None:
            builder = builder.add_root_certificate_pem(self._authorities)
        if kind.proxy is not None:
            proxy = ProxyBuilder.all(kind.proxy.url)
            authorization = kind.proxy.authorization
            builder = builder.proxy(proxy if authorization is None else proxy.custom_http_auth(authorization))
        return builder.build()

    async def _read(self, response: Response) -> bytes:
        length = response.get_header("content-length")
        if length is not None and length.isdigit() and int(length) <= self._max_answer_bytes:
            return bytes(await response.bytes())
        pieces: list[bytes] = []
        left = self._max_answer_bytes
        while (piece := await response.body_reader.read_chunk()) is not None:
            pieces.append(bytes(piece))
            left -= len(piece)
            if left < 0:
                raise AnswerTooLarge(self._max_answer_bytes)
        return b"".join(pieces)


class _Streamed(httpx.AsyncByteStream):
    """pyreqwest reads ahead by a bounded number of bytes."""

    def __init__(self, response: Response, stack: AsyncExitStack) -> None:
        self._reader = response.body_reader
        self._stack = stack

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        with _mapped_errors(proxied=False):
            piece = await self._reader.read_chunk()
        if piece is None:
            raise StopAsyncIteration
        return bytes(piece)

    async def aclose(self) -> None:
        await self._stack.aclose()


async def _asked_body(body: bytes, may_leave: MayLeave) -> AsyncIterator[bytes]:
    """What `may_leave` raises comes out of the request as it is."""
    await may_leave()
    yield body


def _answer(response: Response, body: bytes) -> WireAnswer:
    """The names of the headers are in lower case, however they came."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    return WireAnswer(response.status, headers, body)


@contextmanager
def _mapped_errors(*, proxied: bool) -> Iterator[None]:
    try:
        yield
    except exceptions.PoolTimeoutError as error:
        raise httpx.PoolTimeout("no connection became free in time") from error
    except exceptions.DetailedPyreqwestError as error:
        raise _mapped(error, proxied=proxied) from error
    except ValueError as error:
        raise httpx.LocalProtocolError("a header that cannot be sent") from error


def _mapped(error: exceptions.DetailedPyreqwestError, *, proxied: bool) -> httpx.TransportError:
    causes = [cause["message"] for cause in error.details.get("causes") or ()]
    words = ": ".join(causes[1:]) or error.message  # the first has the whole address
    if _WHILE_CONNECTING in causes:
        if isinstance(error, TimeoutError):
            return httpx.ConnectTimeout("no connection in time")
        of_system = any(cause.startswith(_CERTIFICATE_REFUSED) for cause in causes)
        return httpx.ProxyError(words) if proxied and not of_system else httpx.ConnectError(words)
    if isinstance(error, exceptions.BuilderError):
        return httpx.ProxyError(words) if proxied else httpx.UnsupportedProtocol(words)
    if isinstance(error, TimeoutError):
        return httpx.ReadTimeout("no answer in time")
    if isinstance(error, exceptions.DecodeError):
        return httpx.RemoteProtocolError(words)
    return httpx.ReadError(words)


@lru_cache(maxsize=256)
def _duration(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)
