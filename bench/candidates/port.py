"""What a candidate has to do, and what is the same for all: httpx's side of the port. It must not know a library."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import lru_cache
from typing import Final, Protocol, TypeAlias

import httpx

from service.systems.bodies import MAX_ANSWER_BYTES
from service.systems.proxies import Proxy, environment_proxy
from service.systems.transport import Http1Transport
from service.systems.transport.http1 import wired
from service.systems.wire import Origin, WireAnswer, WireRequest


class Candidate(httpx.AsyncBaseTransport, ABC):
    """Promises what `Http1Transport` promises, as far as its library lets it; where it cannot, its docstring says so,
    and the suites show it."""

    asks_before_sending: Final = True

    @abstractmethod
    async def exchange(self, request: WireRequest) -> WireAnswer:
        """See `wire.Wire`."""

    @abstractmethod
    async def open_stream(self, request: WireRequest) -> tuple[WireAnswer, httpx.AsyncByteStream]:
        """The answer as far as its head, and its body, which must be closed."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            wire_request = wired(request, await request.aread())
            stream: httpx.AsyncByteStream
            if request.extensions.get("stream"):
                answer, stream = await self.open_stream(wire_request)
            else:
                answer = await self.exchange(wire_request)
                stream = httpx.ByteStream(answer.body)
        except httpx.TransportError as error:
            error.request = request
            raise
        return httpx.Response(answer.status, headers=list(answer.headers), stream=stream, request=request)


Transport: TypeAlias = Http1Transport | Candidate
"""The worker's own, or one in its place."""


class Making(Protocol):
    """Makes a transport. The arguments are those of `Http1Transport`."""

    def __call__(
        self,
        *,
        ca_file: str | None = None,
        max_connections: int = 512,
        keep_alive_seconds: float = 15.0,
        proxy_of: Callable[[httpx.URL], Proxy | None] = environment_proxy,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
    ) -> Transport: ...


class Proxies:
    """Which proxy leads to an origin, looked up once."""

    def __init__(self, proxy_of: Callable[[httpx.URL], Proxy | None]) -> None:
        self._proxy_of = proxy_of
        self._known: dict[Origin, Proxy | None] = {}

    def to(self, origin: Origin) -> Proxy | None:
        if origin not in self._known:
            self._known[origin] = self._proxy_of(httpx.URL(f"{origin.scheme}://{origin.authority}"))
        return self._known[origin]


@lru_cache(maxsize=4096)
def url_of(origin: Origin, target: str) -> str:
    return f"{origin.scheme}://{origin.authority}{target}"


@lru_cache(maxsize=256)
def header_pairs(lines: bytes) -> tuple[tuple[str, str], ...]:
    """The lines of a `WireRequest`, for a library that writes them itself. Those of a worker's calls are few."""
    pairs = (line.split(": ", 1) for line in lines.decode("latin-1").split("\r\n") if line)
    return tuple((name, value) for name, value in pairs)
