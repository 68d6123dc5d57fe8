"""Whether a broker is ready, told from the bytes that it answers."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from service.sandbox.broker_probe import is_ready, metadata_request

HOST = "127.0.0.1"
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(answer: bytes) -> AsyncIterator[int]:
    """A port where every connection gets `answer` once a whole request has come in; then it is closed."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(metadata_request()))
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def framed(body: bytes) -> bytes:
    return struct.pack(">i", len(body)) + body


def metadata(brokers: int, correlation: int = 7) -> bytes:
    one = struct.pack(">ih9sih", 1, 9, b"127.0.0.1", 9092, -1)
    return framed(struct.pack(">ii", correlation, brokers) + one * brokers + struct.pack(">ii", 1, 0))


async def test_a_broker_that_counts_itself_among_the_live_ones_is_ready() -> None:
    async with listening(metadata(brokers=1)) as port:
        assert await is_ready(HOST, port) is True


async def test_a_broker_that_answers_before_it_may_serve_is_not_ready() -> None:
    async with listening(metadata(brokers=0)) as port:
        assert await is_ready(HOST, port) is False


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\x00",
        framed(b"\x00"),
        metadata(brokers=1, correlation=8),
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        framed(b"")[:4],
    ],
    ids=["closes at once", "closes in between", "too short", "another request's", "not Kafka", "empty"],
)
async def test_whatever_else_answers_is_not_a_broker_that_is_ready(answer: bytes) -> None:
    async with listening(answer) as port:
        assert await is_ready(HOST, port) is False


async def test_nothing_is_ready_where_nothing_listens() -> None:
    async with listening(b"") as port:
        pass

    assert await is_ready(HOST, port) is False
