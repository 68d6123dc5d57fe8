"""What every measurement stands on: a real broker and a stub of the systems, on the core that is not the worker's."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import orjson

from bench.processes import OTHERS_CORE, pin, process
from service.sandbox.broker import LocalBroker

HEAP: Final = "-Xmx1g"
"""Of the broker. Every worker has topics of its own, and with a heap that is enough for a few of them its garbage
collector stops the broker for a tenth of a second at a time, which is then told of the workers."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the stub has counted: calls answered, the seconds that they took, the most at a time since it was asked."""

    calls: int
    seconds: float
    peak: int


@dataclass(frozen=True, slots=True)
class Stage:
    """Where broker and stub are."""

    servers: str
    stub_port: int
    process_ids: tuple[int, ...]
    """Of broker, stub and benchmark; of the broker only where it is one of our own."""

    async def told(self) -> Told:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.stub_port)
        writer.write(b"GET /calls HTTP/1.1\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        told = orjson.loads(await reader.readuntil(b"}"))
        writer.close()
        return Told(int(told["calls"]), told["seconds"], int(told["peak"]))


@dataclass(frozen=True, slots=True)
class Broker:
    """`process_id` is None for one that was there before."""

    servers: str
    process_id: int | None


@asynccontextmanager
async def broker() -> AsyncIterator[Broker]:
    """That of `RELAY_KAFKA__BOOTSTRAP_SERVERS`, or one of our own."""
    if given := os.environ.get("RELAY_KAFKA__BOOTSTRAP_SERVERS"):
        yield Broker(given, None)
        return
    own = LocalBroker(jvm_options=(HEAP,))
    try:
        address = await own.start()
        if own.process_id:
            pin(own.process_id, OTHERS_CORE)
        yield Broker(address, own.process_id)
    finally:
        await own.stop()


@asynccontextmanager
async def stage(kafka: Broker, *, milliseconds: float = 5.0, slots: int = 0) -> AsyncIterator[Stage]:
    """A stub beside that broker; it takes so long for a call, and serves so many at a time (0: as many as come)."""
    pin(os.getpid(), OTHERS_CORE)
    command = ("bench.stub", "--milliseconds", str(milliseconds), "--slots", str(slots))
    async with process(*command, core=OTHERS_CORE) as stub:
        if stub.stdout is None:
            raise RuntimeError("the stub has no output")
        process_ids = [stub.pid, os.getpid(), *([kafka.process_id] if kafka.process_id else [])]
        yield Stage(kafka.servers, int(await stub.stdout.readline()), tuple(process_ids))
