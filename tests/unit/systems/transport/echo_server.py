"""A quick server that answers each request with its own path, so that an answer tells whose it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast


@dataclass(slots=True)
class EchoServer:
    """What it has seen. Paths that begin with `/slow` are answered by `release`."""

    port: int = 0
    connections: set[asyncio.Transport] = field(default_factory=set)
    """That are open."""
    requests: int = 0
    waiting: list[Callable[[], None]] = field(default_factory=list)

    def release(self) -> None:
        """Answers all that wait."""
        waiting, self.waiting = self.waiting, []
        for answer in waiting:
            answer()


class _Connection(asyncio.Protocol):
    def __init__(self, server: EchoServer) -> None:
        self._server = server
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._server.connections.add(self._transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._transport is not None:
            self._server.connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1]
            self._server.requests += 1
            if path.startswith(b"/slow"):
                self._server.waiting.append(lambda path=path: self._answer(path))  # type: ignore[misc]
            else:
                self._answer(path)

    def _answer(self, path: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(path), path))


@asynccontextmanager
async def echo_server() -> AsyncIterator[EchoServer]:
    server = EchoServer()
    listener = await asyncio.get_running_loop().create_server(lambda: _Connection(server), "127.0.0.1", 0, backlog=1024)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for transport in tuple(server.connections):
            transport.abort()
        await asyncio.sleep(0)
