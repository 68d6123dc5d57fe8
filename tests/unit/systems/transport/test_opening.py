"""How a connection comes about: by any address of a name, and through proxies."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from bench.candidates.port import Making
from service.systems.proxies import Proxy
from service.systems.wire import Limits, Origin, WireRequest
from tests.unit.systems.raw_server import OK, Exchange, raw_server
from tests.unit.systems.transport.inside import keeps_none, pool_of

CONNECT_SECONDS = 10.0
LIMITS = Limits(connect=CONNECT_SECONDS, read=10.0, pool=10.0, total=30.0)


async def answer_ok(exchange: Exchange) -> None:
    await exchange.send(OK)


def request(scheme: str, host: str, port: int) -> WireRequest:
    return WireRequest(Origin(scheme, host, port), "GET", "/", b"Host: x\r\n", limits=LIMITS)


@dataclass(slots=True)
class Tunnels:
    """What a proxy was asked for."""

    port: int = 0
    heads: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def tunnelling_proxy(
    reply: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n",
) -> AsyncIterator[Tunnels]:
    """Opens every tunnel that it is asked for to 127.0.0.1, under whatever name."""
    tunnels, tasks = Tunnels(), set[asyncio.Task[Any]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.update({task} if (task := asyncio.current_task()) else ())
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            tunnels.heads.append(head)
            port = int(head.split(b" ")[1].rpartition(b":")[2])
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(reply)
                await asyncio.gather(pipe(reader, there_writer), pipe(there_reader, writer))
            finally:
                there_writer.transport.abort()
                writer.transport.abort()

    async def pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65_536):
                sink.write(data)
        sink.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    tunnels.port = listener.sockets[0].getsockname()[1]
    try:
        yield tunnels
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    return str(file)


def server_tls(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.mark.ours_alone("the look-up of names is exchanged within our module")
async def test_an_address_that_refuses_is_no_obstacle_while_the_name_has_another(
    making: Making,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        refusing = closed.getsockname()
    async with making(proxy_of=lambda url: None) as transport, raw_server(answer_ok) as server:

        async def two_addresses(*_: object, **__: object) -> Sequence[Any]:
            kinds = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
            return [(*kinds, refusing), (*kinds, ("127.0.0.1", server.port))]

        monkeypatch.setattr("service.systems.transport.opening.addresses_of", two_addresses)
        answer = await transport.exchange(request("http", "system.example", server.port))

    assert answer.status == 200


async def test_a_request_with_tls_goes_through_a_tunnel_and_the_certificate_is_that_of_the_system(
    making: Making, authority: trustme.CA, ca_file: str
) -> None:
    async with (
        raw_server(answer_ok, server_tls(authority, "system.example")) as server,
        tunnelling_proxy() as tunnels,
    ):
        told = Proxy(f"http://127.0.0.1:{tunnels.port}", "Basic dTpw")
        async with making(ca_file=ca_file, proxy_of=lambda url: told) as transport:
            await transport.exchange(request("https", "system.example", server.port))
            answer = await transport.exchange(request("https", "system.example", server.port))
            with pytest.raises(httpx.ConnectError, match="certificate"):
                await transport.exchange(request("https", "another.example", server.port))
            pool = pool_of(transport)
            assert pool is None or pool.count == pool.idle == 1

    assert answer.body == b"{}"
    assert [exchange.connection for exchange in server.exchanges] == [1, 1]
    first, second = tunnels.heads
    assert first.startswith(b"CONNECT system.example:%d HTTP/1.1\r\n" % server.port)
    assert second.startswith(b"CONNECT another.example:")


async def test_a_proxy_is_told_where_the_tunnel_leads_and_who_asks_and_nothing_else(
    making: Making, authority: trustme.CA, ca_file: str
) -> None:
    async with (
        raw_server(answer_ok, server_tls(authority, "system.example")) as server,
        tunnelling_proxy() as tunnels,
    ):
        told = Proxy(f"http://127.0.0.1:{tunnels.port}", "Basic dTpw")
        asking = request("https", "system.example", server.port)
        asking.headers += b"X-Okapi-Token: secret\r\n"
        async with making(ca_file=ca_file, proxy_of=lambda url: told) as transport:
            await transport.exchange(asking)

    system = b"system.example:%d" % server.port
    assert tunnels.heads == [
        b"CONNECT %b HTTP/1.1\r\nHost: %b\r\nProxy-Authorization: Basic dTpw\r\n\r\n" % (system, system)
    ]


async def test_a_proxy_that_says_something_before_the_tunnel_stands_is_not_trusted(
    making: Making, authority: trustme.CA, ca_file: str
) -> None:
    async with (
        raw_server(answer_ok, server_tls(authority, "system.example")) as server,
        tunnelling_proxy(reply=b"HTTP/1.1 200 OK\r\n\r\nhello") as tunnels,
    ):
        told = Proxy(f"http://127.0.0.1:{tunnels.port}")
        async with making(ca_file=ca_file, proxy_of=lambda url: told) as transport:
            with pytest.raises(httpx.ProxyError):
                await transport.exchange(request("https", "system.example", server.port))
            assert keeps_none(transport)

    assert server.exchanges == []


async def test_a_proxy_that_wants_tls_itself_serves_plain_requests(
    making: Making, authority: trustme.CA, ca_file: str
) -> None:
    async with raw_server(answer_ok, server_tls(authority, "127.0.0.1")) as proxy:
        told = Proxy(f"https://127.0.0.1:{proxy.port}")
        async with making(ca_file=ca_file, proxy_of=lambda url: told) as transport:
            answer = await transport.exchange(request("http", "system.example", 80))

    assert answer.status == 200
    assert [exchange.request_line for exchange in proxy.exchanges] == ["GET http://system.example/ HTTP/1.1"]


@pytest.mark.ours_alone("a limit of ours: TLS within TLS")
async def test_a_tunnel_through_a_proxy_that_wants_tls_itself_is_refused_with_the_reason(making: Making) -> None:
    async with making(proxy_of=lambda url: Proxy("https://127.0.0.1:9")) as transport:
        with pytest.raises(httpx.ProxyError, match="TLS within TLS"):
            await transport.exchange(request("https", "system.example", 443))


@pytest.mark.ours_alone("a limit of ours: proxies other than those for HTTP")
async def test_an_address_that_is_no_proxy_is_said_to_be_none(making: Making) -> None:
    async with making(proxy_of=lambda url: Proxy("socks5://127.0.0.1:9")) as transport:
        with pytest.raises(httpx.ProxyError, match="socks5"):
            await transport.exchange(request("http", "system.example", 80))


async def test_who_is_cancelled_while_a_connection_is_opened_leaves_none_behind(
    making: Making, authority: trustme.CA, ca_file: str
) -> None:
    """The other side accepts, and then says nothing to the greeting of TLS."""
    accepted = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        accepted.set()
        await reader.read()
        writer.close()
        ended.set()

    ended = asyncio.Event()
    listener = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    try:
        async with making(ca_file=ca_file, proxy_of=lambda url: None) as transport:
            task = asyncio.ensure_future(transport.exchange(request("https", "127.0.0.1", port)))
            await asyncio.wait_for(accepted.wait(), 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert keeps_none(transport)
            await asyncio.wait_for(ended.wait(), CONNECT_SECONDS / 2)  # not by its time-out
    finally:
        listener.close()
