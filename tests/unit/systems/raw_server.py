"""A server of plain sockets that answers byte by byte as a test says, and counts what it is sent."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeAlias

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@dataclass(slots=True)
class Exchange:
    """One request as it arrived, and the way to answer it. `number` counts requests of the connection from 1."""

    connection: int
    number: int
    head: bytes
    body: bytes
    writer: asyncio.StreamWriter

    @property
    def request_line(self) -> str:
        return self.head.partition(b"\r\n")[0].decode()

    @property
    def header_lines(self) -> list[str]:
        return self.head.decode().split("\r\n")[1:]

    async def send(self, content: bytes) -> None:
        self.writer.write(content)
        await self.writer.drain()

    def reset(self) -> None:
        """Ends the connection without another byte."""
        self.writer.transport.abort()


Answering: TypeAlias = Callable[[Exchange], Awaitable[None]]


@dataclass(slots=True)
class RawServer:
    """What was received, and where."""

    port: int = 0
    exchanges: list[Exchange] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    """Connections that the client has not ended, as far as has been noticed: nothing is read during an answer."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def raw_server(answer: Answering, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """Runs `answer` for every request; the connection stays open until it is reset, or the client leaves."""
    server = RawServer()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        server.connections += 1
        server.open += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await _serve(server, server.connections, answer, reader, writer)
        finally:
            server.open -= 1
            writer.transport.abort()
            tasks.discard(task)

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _serve(
    server: RawServer, connection: int, answer: Answering, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    number = 0
    while True:
        head = (await reader.readuntil(b"\r\n\r\n"))[:-4]
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        body = await reader.readexactly(int(lengths[0].partition(b":")[2])) if lengths else b""
        number += 1
        exchange = Exchange(connection, number, head, body, writer)
        server.exchanges.append(exchange)
        await answer(exchange)
        if writer.transport.is_closing():
            return
