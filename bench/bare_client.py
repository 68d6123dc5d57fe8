"""What concurrency ÷ latency comes to without any work: the next request leaves in the callback that has the answer.

    python -m bench.bare_client 8080 --concurrency 4 --calls 2000

Prints the calls per second. No worker can do better on the same machine and stub.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from functools import partial
from typing import cast

import uvloop

from bench.mixes import resource

HEAD_ENDS = b"\r\n\r\n"


class Bare(asyncio.Protocol):
    """One connection, one call at a time. The stub's answers to a DELETE have no body."""

    def __init__(self, calls: int, ended: asyncio.Future[None]) -> None:
        self._left = calls
        self._ended = ended
        self._request = b"DELETE /eholdings/resources/%s HTTP/1.1\r\nHost: bench\r\n\r\n" % resource(1).encode()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            raise RuntimeError("an answer without a connection")
        if not data.endswith(HEAD_ENDS):
            self._ended.set_exception(RuntimeError(f"not the answer to a DELETE: {data!r}"))
            self._transport.abort()
            return
        self._left -= 1
        if self._left:
            self._transport.write(self._request)
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self._ended.done():
            return
        if self._left:
            self._ended.set_exception(error or RuntimeError("the connection was ended"))
        else:
            self._ended.set_result(None)


async def calls_per_second(port: int, concurrency: int, calls: int) -> float:
    """So many connections, each with so many calls. Raises RuntimeError for what is no answer."""
    loop = asyncio.get_running_loop()
    endings = [asyncio.Future[None](loop=loop) for _ in range(concurrency)]
    began = time.monotonic()
    for ended in endings:
        await loop.create_connection(partial(Bare, calls, ended), "127.0.0.1", port)
    await asyncio.gather(*endings)
    return concurrency * calls / (time.monotonic() - began)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--calls", type=int, default=400, help="of each connection")
    arguments = parser.parse_args()
    found = uvloop.run(calls_per_second(arguments.port, arguments.concurrency, arguments.calls))
    sys.stdout.write(f"{found}\n")
