"""The benchmark's stub of the systems, within the test, with everything that it was asked."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from bench.plain_worker import Systems as PlainSystems
from bench.stub import Stub, World
from bench.stub_answers import Answers
from service.engine.ports import Outgoing

CALL_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str
    content: Any
    """The body, read as JSON; None for none."""


class Recording(Answers):
    """What the stub answers, and what was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []

    def answer(self, method: bytes, path: bytes, body: bytes) -> bytes:
        self.calls.append(Call(method.decode(), path.decode(), orjson.loads(body) if body else None))
        return super().answer(method, path, body)


@asynccontextmanager
async def recording_stub() -> AsyncIterator[tuple[Recording, str]]:
    """It and its URL."""
    world, recording = World(CALL_SECONDS, math.inf), Recording()
    world.answers = recording
    server = await asyncio.get_running_loop().create_server(lambda: Stub(world), "127.0.0.1", 0)
    async with server:
        yield recording, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def calls_of_the_plain_worker(event: Outgoing) -> list[Call]:
    """What it asks of systems that nothing was asked of before."""
    recording = Recording()

    async def answer(request: httpx.Request) -> httpx.Response:
        raw = recording.answer(request.method.encode(), request.url.raw_path, await request.aread())
        head, _, body = raw.partition(b"\r\n\r\n")
        return httpx.Response(int(head.split()[1]), content=body)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        await PlainSystems(client, "http://stub", "token").carry_out(orjson.loads(event.value or b"")["data"])
    return recording.calls
