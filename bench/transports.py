"""What one call costs the client, by what carries it: the worker's own transport beside others, with and without TLS.

    python -m bench.transports --calls 20000
    python -m bench.transports --suites      what each makes of what may go wrong: see bench/suites.py

PUTs of a small document, 240 at a time, each answered after 5 ms by a server in a process of its own. `CPU µs/call` is
what the client's process has spent; the ratio is that of the last row to it. httpx's own pool makes a tenth of the
calls, for its work grows with the square of their number.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import ssl
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias, cast

import aiohttp
import httpx
import trustme
import uvloop
from pyreqwest.client import ClientBuilder
from rich.console import Console
from rich.table import Table

from bench import suites
from bench.candidates.catalogue import CANDIDATES, OURS
from bench.candidates.port import Making
from service.engine.ports import freely
from service.systems.transport import Http1Transport
from service.systems.wire import Limits, Origin, WireRequest, header_lines

AT_A_TIME = 240
ANSWER_SECONDS = 0.005
BODY = b'{"data": {"type": "resources", "attributes": {"coverageStatement": "1999 to present"}}}'
HEADERS = {
    "X-Okapi-Tenant": "bench",
    "X-Okapi-Token": "token",
    "Accept": "application/vnd.api+json",
    "Content-Type": "application/vnd.api+json",
}
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)

LIMITS = Limits(connect=5.0, read=30.0, pool=5.0, total=41.0)

Call: TypeAlias = Callable[[], Awaitable[object]]
Opening: TypeAlias = Callable[[AsyncExitStack, str, str], Awaitable[Call]]
"""Makes a call out of a stack that closes things, a base address, and a file of authorities."""


class Server(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._buffer.endswith(BODY):  # the same is in every request
            self._buffer = b""
            asyncio.get_running_loop().call_later(ANSWER_SECONDS, self._answer)

    def _answer(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(ANSWER)


async def serve(folder: Path) -> None:
    """On two ports, which it prints: without TLS and with it."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "server.pem")
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(Server, "127.0.0.1", 0, ssl=way, backlog=1024) for way in (None, tls)]
    sys.stdout.write(" ".join(str(server.sockets[0].getsockname()[1]) for server in servers) + "\n")
    sys.stdout.flush()
    await asyncio.gather(*(server.serve_forever() for server in servers))


async def through_httpx(transport: httpx.AsyncBaseTransport, stack: AsyncExitStack, base: str) -> Call:
    await stack.enter_async_context(transport)
    url = httpx.URL(base + "/eholdings/resources/1-2-3")
    timeout = {"connect": 5.0, "read": 30.0, "write": 30.0, "pool": 5.0}

    async def call() -> object:
        request = httpx.Request("PUT", url, headers=HEADERS, content=BODY, extensions={"timeout": timeout})
        response = await transport.handle_async_request(request)
        return await response.aread()

    return call


async def own_pool_of_httpx(stack: AsyncExitStack, base: str, ca_file: str) -> Call:
    limits = httpx.Limits(max_connections=AT_A_TIME, max_keepalive_connections=AT_A_TIME)
    trusted = ssl.create_default_context(cafile=ca_file)
    return await through_httpx(httpx.AsyncHTTPTransport(verify=trusted, limits=limits), stack, base)


async def bare_aiohttp(stack: AsyncExitStack, base: str, ca_file: str) -> Call:
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=ca_file), limit=AT_A_TIME)
    session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
    url = base + "/eholdings/resources/1-2-3"

    async def call() -> object:
        async with session.put(url, data=BODY, headers=HEADERS) as response:
            return await response.read()

    return call


async def bare_pyreqwest(stack: AsyncExitStack, base: str, ca_file: str) -> Call:
    authorities = Path(ca_file).read_bytes()  # noqa: ASYNC240 - before anything is measured
    builder = ClientBuilder().no_proxy().max_connections(AT_A_TIME).add_root_certificate_pem(authorities)
    client = await stack.enter_async_context(builder.build())
    url = base + "/eholdings/resources/1-2-3"

    async def call() -> object:
        response = await client.put(url).headers(HEADERS).body_bytes(BODY).build().send()
        return bytes(await response.bytes())

    return call


async def ours_through_httpx(stack: AsyncExitStack, base: str, ca_file: str) -> Call:
    return await through_httpx(Http1Transport(ca_file=ca_file, proxy_of=lambda url: None), stack, base)


async def as_a_worker(making: Making, stack: AsyncExitStack, base: str, ca_file: str) -> Call:
    """With all that a worker asks of each call: its time-outs, and the question whether it may leave."""
    transport = making(ca_file=ca_file, proxy_of=lambda url: None)
    await stack.enter_async_context(transport)
    url = httpx.URL(base)
    origin = Origin(url.scheme, url.host, url.port or 0)
    lines = header_lines(
        (name.encode(), value.encode()) for name, value in {"Host": origin.authority, **HEADERS}.items()
    )

    async def call() -> object:
        request = WireRequest(origin, "PUT", "/eholdings/resources/1-2-3", lines, BODY, LIMITS, may_leave=freely)
        return await transport.exchange(request)

    return call


CONTESTANTS: dict[str, tuple[Opening, float]] = {
    "httpx, its own pool": (own_pool_of_httpx, 0.1),
    "aiohttp, bare": (bare_aiohttp, 1.0),
    "aiohttp, as a worker would use it": (partial(as_a_worker, CANDIDATES["aiohttp"]), 1.0),
    "pyreqwest, bare": (bare_pyreqwest, 1.0),
    "pyreqwest, as a worker would use it": (partial(as_a_worker, CANDIDATES["pyreqwest"]), 1.0),
    "ours, under httpx's types": (ours_through_httpx, 1.0),
    "ours, as a worker uses it": (partial(as_a_worker, CANDIDATES[OURS]), 1.0),
}


@dataclass(frozen=True, slots=True)
class Cost:
    calls_per_second: float
    cpu_microseconds: float


async def measure(opening: Opening, base: str, ca_file: str, calls: int) -> Cost:
    """After as many calls as there are at a time, so that every connection stands."""
    async with AsyncExitStack() as stack:
        call = await opening(stack, base, ca_file)
        await run(call, AT_A_TIME * 2)
        began, spent = time.monotonic(), time.process_time()
        await run(call, calls)
        seconds, cpu = time.monotonic() - began, time.process_time() - spent
    return Cost(calls / seconds, cpu / calls * 1e6)


async def run(call: Call, calls: int) -> None:
    left = iter(range(calls))

    async def go_on() -> None:
        for _ in left:
            await call()

    await asyncio.gather(*(go_on() for _ in range(AT_A_TIME)))


@asynccontextmanager
async def running_server(folder: Path) -> AsyncIterator[list[int]]:
    command = (sys.executable, "-m", "bench.transports", "--serve", str(folder))
    server = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    if server.stdout is None:
        raise RuntimeError("the server has no output")
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(server.pid, {0})
        os.sched_setaffinity(0, {1})
    try:
        yield [int(port) for port in (await server.stdout.readline()).split()]
    finally:
        server.kill()
        await server.wait()


async def main(calls: int) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder, authority = Path(temporary), trustme.CA()
        authority.cert_pem.write_to_path(str(folder / "authority.pem"))
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
        table = Table("a call carried by", "TLS", "calls/s", "CPU µs/call", "ratio", box=None)
        async with running_server(folder) as (plain, tls):
            for told, base in (("no", f"http://127.0.0.1:{plain}"), ("yes", f"https://127.0.0.1:{tls}")):
                costs = {
                    name: await measure(opening, base, str(folder / "authority.pem"), round(calls * share))
                    for name, (opening, share) in CONTESTANTS.items()
                }
                best = costs["ours, as a worker uses it"].cpu_microseconds
                for name, cost in costs.items():
                    figures = (f"{cost.calls_per_second:.0f}", f"{cost.cpu_microseconds:.0f}")
                    table.add_row(name, told, *figures, f"{best / cost.cpu_microseconds:.2f}")
        Console().print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--suites", action="store_true", help="the suites about transports on each candidate")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.suites:
        sys.exit(not suites.main())
    uvloop.run(serve(arguments.serve) if arguments.serve else main(arguments.calls))
