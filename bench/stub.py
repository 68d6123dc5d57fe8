"""A stub of the systems that costs next to nothing: every request is answered after a fixed time.

    python -m bench.stub --milliseconds 5 --slots 8

With `--slots` it serves so many requests at a time, and the others wait for their turn.

`GET /calls` tells at once how many requests were answered before, how many seconds they took together, and how many
there were at a time at the most since it was asked last. Prints its port and serves until it is killed. Not the
sandbox: it knows no rules, so that it never limits the run. What is answered is decided in `stub_answers`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import math
import sys
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import cast

import uvloop

from bench.stub_answers import Answers, document

CALLS = b"/calls"
TIMER_SECONDS = 0.0005
"""How finely uvloop's timers tell the time."""


class World:
    """What all connections share."""

    def __init__(self, seconds: float, slots: float) -> None:
        self._seconds = seconds
        self._free = slots
        self._calls, self._spent_seconds = 0, 0.0
        self._present = self._peak = 0
        self._queue: deque[tuple[float, Callable[[], None]]] = deque()
        self._served: deque[tuple[float, float, Callable[[], None]]] = deque()
        self._timer_is_set = False
        self.answers = Answers()

    def enter(self, answer: Callable[[], None]) -> None:
        """A request has come; `answer` is called when it has been served."""
        self._present += 1
        self._peak = max(self._peak, self._present)
        self._queue.append((time.monotonic(), answer))
        self._serve_next()

    def _serve_next(self) -> None:
        while self._queue and self._free > 0:
            self._free -= 1
            came_at, answer = self._queue.popleft()
            self._served.append((asyncio.get_running_loop().time() + self._seconds, came_at, answer))
            self._set_timer()

    def _set_timer(self) -> None:
        """One for all: every call takes the same time, so they end in the order in which they began."""
        if self._served and not self._timer_is_set:
            self._timer_is_set = True
            asyncio.get_running_loop().call_at(self._served[0][0], self._end)

    def _end(self) -> None:
        self._timer_is_set = False
        now, until = time.monotonic(), asyncio.get_running_loop().time() + TIMER_SECONDS
        while self._served and self._served[0][0] <= until:
            _, came_at, answer = self._served.popleft()
            self._free += 1
            self._present -= 1
            self._calls += 1
            self._spent_seconds += now - came_at
            answer()
        self._serve_next()
        self._set_timer()

    def told(self) -> dict[str, float]:
        peak, self._peak = self._peak, self._present
        return {"calls": self._calls, "seconds": self._spent_seconds, "peak": peak}


class Stub(asyncio.Protocol):
    """One connection, kept alive, pipelined or not."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = _length(head)
            if len(self._buffer) < end + 4 + length:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
            method, path, _ = head.split(b" ", 2)
            if path == CALLS:
                self._write(document(self._world.told()))
                continue
            self._world.enter(partial(self._write, self._world.answers.answer(method, path, body)))

    def _write(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)


def _length(head: bytes) -> int:
    _, found, after = head.lower().partition(b"\r\ncontent-length:")
    return int(after.split(b"\r\n", 1)[0]) if found else 0


async def serve(seconds: float, slots: float) -> None:
    world = World(seconds, slots)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Stub(world), "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--milliseconds", type=float, default=5.0)
    parser.add_argument("--slots", type=int, default=0, help="0: as many as come")
    arguments = parser.parse_args()
    gc.disable()  # the longer it has served, the longer would a collection hold up every answer
    uvloop.run(serve(arguments.milliseconds / 1000, arguments.slots or math.inf))
