"""An httpx transport over aiohttp's connection pool.

Owns connections and the mapping of aiohttp's errors to httpx's, so that a caller can tell a request that was not sent
from one that may have been received. It must not repeat a request, follow a redirect, keep a cookie or judge a status.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from io import BytesIO
from typing import Final

import aiohttp
import httpx
from aiohttp.tracing import Trace
from yarl import URL

from service.engine.ports import MayLeave
from service.systems.bodies import MAX_ANSWER_BYTES, AnswerTooLarge
from service.systems.leaving import EXTENSION
from service.systems.proxies import Proxy, environment_proxy

_LARGE_BODY_BYTES: Final = 1 << 20
"""aiohttp writes bytes beyond this in one go and warns; a file-like body goes out in pieces."""

_SKIPPED_HEADERS: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""What aiohttp would add by itself. A request leaves with the headers that it has."""


class AiohttpTransport(httpx.AsyncBaseTransport):
    """The real way out. One for all systems of a process; made anywhere, used in one event loop.

    Of `request.extensions` it honours
    - `timeout`: seconds under `connect` (to open a connection), `read` (between two bytes of the answer), `pool` (to
      wait for a free connection) and `total` (everything); absent or None means no limit;
    - `fresh_connection`: True gives the request a connection that carried nothing before, closed afterwards. A server
      may close an idle connection just when a request leaves on it, and then nobody knows whether it was received;
    - `may_leave`: awaited when the connection stands, right before the first byte; what it raises passes through, and
      nothing is sent. See `leaving`;
    - `stream`: True leaves the body to be read piece by piece, with a bounded buffer; the response must be closed.

    Errors: `ConnectError`, `ConnectTimeout`, `ProxyError` and `UnsupportedProtocol` mean that nothing was sent.
    `ReadTimeout`, `ReadError`, `RemoteProtocolError` and `AnswerTooLarge` mean that the request may have been received.
    The answer is read whole unless it is streamed, and left compressed as it came: `httpx.Response` decompresses it.

    aiohttp sends an idempotent request again by itself when a kept connection turns out to be closed, unseen by the
    caller. Here that is prevented by a client middleware (aiohttp's documented hook, which runs inside of that loop):
    it raises httpx's errors, which the loop lets pass. The alternative, `ClientSession._retry_connection`, is private.
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
        self._ssl = ssl.create_default_context()
        if ca_file is not None:
            self._ssl.load_verify_locations(cafile=ca_file)
        self._max_connections = max_connections
        self._keep_alive_seconds = keep_alive_seconds
        self._proxy_of = proxy_of
        self._max_answer_bytes = max_answer_bytes
        self._proxies: dict[str, Proxy | None] = {}
        self._pooled: aiohttp.ClientSession | None = None
        self._fresh: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends the request and reads the answer. See the class for extensions and errors."""
        session = self._session(fresh=bool(request.extensions.get("fresh_connection")))
        headers, content, proxy = _headers_of(request), await request.aread(), self._proxy(request.url)
        proxy_headers = None
        if proxy is not None and proxy.authorization is not None:
            if request.url.scheme == "https":
                proxy_headers = {"Proxy-Authorization": proxy.authorization}
            else:
                headers.append(("Proxy-Authorization", proxy.authorization))
        streamed = bool(request.extensions.get("stream"))
        _may_leave.set(request.extensions.get(EXTENSION))
        with _mapped_errors(request):
            response = await session.request(
                request.method,
                URL(str(request.url), encoded=True) if streamed else _yarl_url(str(request.url)),
                headers=headers,
                data=BytesIO(content) if len(content) > _LARGE_BODY_BYTES else content or None,
                allow_redirects=False,
                timeout=_timeout_of(request),
                proxy=proxy.url if proxy is not None else None,
                proxy_headers=proxy_headers,
            )
            if streamed:
                stream: httpx.AsyncByteStream = _Streamed(response, request)
            else:
                async with response:
                    stream = httpx.ByteStream(await self._read(response))
        return httpx.Response(response.status, headers=list(response.raw_headers), stream=stream, request=request)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """The body. A connection on which more is coming than is read is closed."""
        pieces: list[bytes] = []
        left = self._max_answer_bytes
        async for piece in response.content.iter_any():
            pieces.append(piece)
            left -= len(piece)
            if left < 0:
                response.close()
                raise AnswerTooLarge(self._max_answer_bytes)
        return b"".join(pieces)

    async def aclose(self) -> None:
        """Closes every connection, in use or not."""
        sessions = [session for session in (self._pooled, self._fresh) if session is not None]
        self._pooled = self._fresh = None
        for session in sessions:
            await session.close()

    def _session(self, *, fresh: bool) -> aiohttp.ClientSession:
        session = self._fresh if fresh else self._pooled
        if session is None:
            session = self._open_session(fresh=fresh)
            if fresh:
                self._fresh = session
            else:
                self._pooled = session
        return session

    def _open_session(self, *, fresh: bool) -> aiohttp.ClientSession:
        limit = self._max_connections
        connector = (
            _AskingConnector(ssl=self._ssl, limit=limit, force_close=True)
            if fresh
            else _AskingConnector(ssl=self._ssl, limit=limit, keepalive_timeout=self._keep_alive_seconds)
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=_SKIPPED_HEADERS,
            trust_env=False,
            middlewares=(_raise_httpx_errors,),
        )

    def _proxy(self, url: httpx.URL) -> Proxy | None:
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        if origin not in self._proxies:
            self._proxies[origin] = self._proxy_of(url)
        return self._proxies[origin]


_may_leave: Final[ContextVar[MayLeave | None]] = ContextVar("may_leave", default=None)
"""Of the request that the present task sends: aiohttp hands nothing of ours on to its connector."""


class _AskingConnector(aiohttp.TCPConnector):
    """Gives a connection only to a request that may still leave. What follows is the writing, without a pause."""

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's signature
    ) -> aiohttp.connector.Connection:
        connection = await super().connect(req, traces, timeout)
        may_leave = _may_leave.get()
        if may_leave is not None:
            try:
                await may_leave()
            except BaseException:
                connection.close()
                raise
        return connection


class _Streamed(httpx.AsyncByteStream):
    """The body of an answer, piece by piece; aiohttp stops reading from the socket while nobody takes any."""

    def __init__(self, response: aiohttp.ClientResponse, request: httpx.Request) -> None:
        self._response = response
        self._request = request

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        with _mapped_errors(self._request):
            piece = await self._response.content.readany()
        if not piece:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        self._response.close()


async def _raise_httpx_errors(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    with _mapped_errors(None):
        return await send(request)


@contextmanager
def _mapped_errors(request: httpx.Request | None) -> Iterator[None]:
    """Turns aiohttp's errors into httpx's. The order matters: aiohttp's classes overlap."""
    try:
        yield
    except httpx.TransportError as error:
        if request is not None:
            error.request = request
        raise
    except (aiohttp.ClientHttpProxyError, aiohttp.ClientProxyConnectionError) as error:
        raise httpx.ProxyError(_text_of(error), request=request) from error
    except aiohttp.ConnectionTimeoutError as error:
        raise httpx.ConnectTimeout("no connection in time", request=request) from error
    except (aiohttp.ClientConnectorError, aiohttp.ServerFingerprintMismatch) as error:
        raise httpx.ConnectError(_text_of(error), request=request) from error
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
        raise httpx.UnsupportedProtocol("not an address for HTTP", request=request) from error
    except (aiohttp.ServerTimeoutError, TimeoutError) as error:
        raise httpx.ReadTimeout("no answer in time", request=request) from error
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientResponseError, aiohttp.ClientPayloadError) as error:
        raise httpx.RemoteProtocolError(_text_of(error), request=request) from error
    except (aiohttp.ClientError, OSError) as error:
        raise httpx.ReadError(_text_of(error), request=request) from error


def _text_of(error: Exception) -> str:
    return str(error) or type(error).__name__


def _headers_of(request: httpx.Request) -> list[tuple[str, str]]:
    """The request's headers with their names as they were given; aiohttp writes Content-Length itself."""
    return [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in request.headers.raw
        if name.lower() not in (b"content-length", b"transfer-encoding")
    ]


@lru_cache(maxsize=4096)
def _yarl_url(url: str) -> URL:
    return URL(url, encoded=True)


def _timeout_of(request: httpx.Request) -> aiohttp.ClientTimeout:
    limits: Mapping[str, float | None] = request.extensions.get("timeout") or {}
    return _client_timeout(limits.get("connect"), limits.get("read"), limits.get("pool"), limits.get("total"))


@lru_cache(maxsize=256)
def _client_timeout(
    connect: float | None, read: float | None, pool: float | None, total: float | None
) -> aiohttp.ClientTimeout:
    connect_with_wait = None if connect is None or pool is None else connect + pool
    return aiohttp.ClientTimeout(total=total, connect=connect_with_wait, sock_connect=connect, sock_read=read)
