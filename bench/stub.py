"""A stub of the systems that costs next to nothing: every request is answered 204 after a fixed time.

    python -m bench.stub --milliseconds 5

Prints its port and serves until it is killed. Not the sandbox: it knows nothing, so that it never limits the run.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import cast

import uvloop

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class Stub(asyncio.Protocol):
    """Requests without a body, kept alive, pipelined or not."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            self._buffer = self._buffer[end + 4 :]
            asyncio.get_running_loop().call_later(self._seconds, self._answer)

    def _answer(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(ANSWER)


async def serve(seconds: float) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Stub(seconds), "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--milliseconds", type=float, default=5.0)
    uvloop.run(serve(parser.parse_args().milliseconds / 1000))
