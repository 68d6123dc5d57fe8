"""aiohttp as a candidate: its pool and its parser, and the mapping of its errors to httpx's.

It must not repeat a request, follow a redirect, keep a cookie or judge a status.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from io import BytesIO
from typing import Final

import aiohttp
import httpx
from aiohttp.tracing import Trace
from multidict import CIMultiDict
from yarl import URL

from bench.candidates.port import Candidate, Proxies, header_pairs, url_of
from service.engine.ports import MayLeave
from service.systems.bodies import MAX_ANSWER_BYTES, AnswerTooLarge
from service.systems.proxies import Proxy, environment_proxy
from service.systems.wire import Limits, WireAnswer, WireRequest

_LARGE_BODY_BYTES: Final = 1 << 20
"""aiohttp writes bytes beyond this in one go and warns; a file-like body goes out in pieces."""
_NOT_ADDED: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""What aiohttp would add by itself."""


class AiohttpTransport(Candidate):
    """Whether a request may leave is asked in the connector, whose `connect` is overridden: the connection stands then.

    What that leaves open: between the question and the first byte aiohttp starts a task that writes, which before
    Python 3.12 waits for one turn of the loop. What comes meanwhile, the end of the connection among it, is not asked
    about again, and a connection that has ended is written to: then nobody knows whether the request was received.
    The question reaches the connector by a context variable, for aiohttp hands nothing of the caller's on to it.

    aiohttp sends an idempotent request again by itself when a kept connection turns out to be closed. A client
    middleware, which runs inside of that loop, prevents it: it raises httpx's errors, which the loop lets pass.
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
        self._tls = ssl.create_default_context()
        if ca_file is not None:
            self._tls.load_verify_locations(cafile=ca_file)
        self._max_connections = max_connections
        self._keep_alive_seconds = keep_alive_seconds
        self._proxies = Proxies(proxy_of)
        self._max_answer_bytes = max_answer_bytes
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def exchange(self, request: WireRequest) -> WireAnswer:
        with _mapped_errors():
            async with await self._send(request) as response:
                return WireAnswer(response.status, response.raw_headers, await self._read(response))

    async def open_stream(self, request: WireRequest) -> tuple[WireAnswer, httpx.AsyncByteStream]:
        with _mapped_errors():
            response = await self._send(request)
        return WireAnswer(response.status, response.raw_headers, b""), _Streamed(response)

    async def aclose(self) -> None:
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    async def _send(self, request: WireRequest) -> aiohttp.ClientResponse:
        session = self._sessions.get(request.fresh) or self._open_session(fresh=request.fresh)
        headers, proxy, proxy_headers = _headers(request.headers), self._proxies.to(request.origin), None
        if proxy is not None and proxy.authorization is not None:
            if request.origin.scheme == "https":
                proxy_headers = {"Proxy-Authorization": proxy.authorization}
            else:
                headers = CIMultiDict([*headers.items(), ("Proxy-Authorization", proxy.authorization)])
        body = request.body
        _may_leave.set(request.may_leave)
        return await session.request(
            request.method,
            _url(url_of(request.origin, request.target)),
            headers=headers,
            data=BytesIO(body) if len(body) > _LARGE_BODY_BYTES else body or None,
            allow_redirects=False,
            timeout=_timeout(request.limits),
            proxy=proxy.url if proxy is not None else None,
            proxy_headers=proxy_headers,
        )

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
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _open_session(self, *, fresh: bool) -> aiohttp.ClientSession:
        limit = self._max_connections
        connector = (
            _AskingConnector(ssl=self._tls, limit=limit, force_close=True)
            if fresh
            else _AskingConnector(ssl=self._tls, limit=limit, keepalive_timeout=self._keep_alive_seconds)
        )
        self._sessions[fresh] = session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=_NOT_ADDED,
            trust_env=False,
            middlewares=(_raise_httpx_errors,),
        )
        return session


_may_leave: Final[ContextVar[MayLeave | None]] = ContextVar("may_leave", default=None)
"""Of the request that the present task sends."""


class _AskingConnector(aiohttp.TCPConnector):
    """Gives a connection only to a request that may still leave."""

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
            if connection.protocol is None or not connection.protocol.is_connected():
                connection.close()
                raise httpx.ConnectError("the connection ended before the request left")
        return connection


class _Streamed(httpx.AsyncByteStream):
    """aiohttp stops reading from the socket while nobody takes any."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        with _mapped_errors():
            piece = await self._response.content.readany()
        if not piece:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        self._response.close()


async def _raise_httpx_errors(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    with _mapped_errors():
        return await send(request)


@contextmanager
def _mapped_errors() -> Iterator[None]:
    """The order matters: aiohttp's classes overlap."""
    try:
        yield
    except (aiohttp.ClientHttpProxyError, aiohttp.ClientProxyConnectionError) as error:
        raise httpx.ProxyError(_text_of(error)) from error
    except aiohttp.ConnectionTimeoutError as error:
        raise httpx.ConnectTimeout("no connection in time") from error
    except (aiohttp.ClientConnectorError, aiohttp.ServerFingerprintMismatch) as error:
        raise httpx.ConnectError(_text_of(error)) from error
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
        raise httpx.UnsupportedProtocol("not an address for HTTP") from error
    except (aiohttp.ServerTimeoutError, TimeoutError) as error:
        raise httpx.ReadTimeout("no answer in time") from error
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientResponseError, aiohttp.ClientPayloadError) as error:
        raise httpx.RemoteProtocolError(_text_of(error)) from error
    except (aiohttp.ClientError, OSError) as error:
        raise httpx.ReadError(_text_of(error)) from error


def _text_of(error: Exception) -> str:
    return str(error) or type(error).__name__


@lru_cache(maxsize=4096)
def _url(url: str) -> URL:
    return URL(url, encoded=True)


@lru_cache(maxsize=256)
def _headers(lines: bytes) -> CIMultiDict[str]:
    """aiohttp copies it."""
    return CIMultiDict(header_pairs(lines))


@lru_cache(maxsize=256)
def _timeout(limits: Limits) -> aiohttp.ClientTimeout:
    """`connect` is aiohttp's for waiting and connecting together."""
    both = None if limits.connect is None or limits.pool is None else limits.connect + limits.pool
    return aiohttp.ClientTimeout(total=limits.total, connect=both, sock_connect=limits.connect, sock_read=limits.read)
