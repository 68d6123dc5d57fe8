"""The transport on real sockets: what it sends, which error each kind of breakage becomes, and that it outlives
them."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import pytest
import trustme

from bench.candidates.port import Making, Transport
from service.engine.ports import OwnershipLost
from service.systems.bodies import AnswerTooLarge
from service.systems.proxies import Proxy
from tests.unit.systems.raw_server import OK, Exchange, raw_server

BRIEF = {"connect": 2.0, "read": 0.2, "pool": 2.0, "total": 5.0}


@pytest.fixture
async def transport(making: Making) -> AsyncIterator[Transport]:
    async with making(proxy_of=lambda url: None) as running:
        yield running


def request_to(
    url: str,
    method: str = "GET",
    *,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: Mapping[str, float] = BRIEF,
    fresh: bool = False,
) -> httpx.Request:
    extensions = {"timeout": timeout, "fresh_connection": fresh}
    return httpx.Request(method, url, content=content, headers=headers or {}, extensions=extensions)


async def answer_ok(exchange: Exchange) -> None:
    await exchange.send(OK)


async def reset(exchange: Exchange) -> None:
    exchange.reset()


async def test_a_request_leaves_as_it_was_built(transport: Transport) -> None:
    headers = {"api_key": "k", "X-Okapi-Tenant": "diku", "Content-Type": "application/vnd.api+json"}
    async with raw_server(answer_ok) as server:
        await transport.handle_async_request(
            request_to(server.url + "/a%2Fb?q=name%3D%3D%22x%22", "DELETE", content=b'{"a": 1}', headers=headers)
        )

    [exchange] = server.exchanges
    assert exchange.request_line == "DELETE /a%2Fb?q=name%3D%3D%22x%22 HTTP/1.1"
    assert exchange.body == b'{"a": 1}'
    assert sorted(exchange.header_lines) == sorted(
        [
            f"Host: 127.0.0.1:{server.port}",
            "api_key: k",
            "X-Okapi-Tenant: diku",
            "Content-Type: application/vnd.api+json",
            "Content-Length: 8",
        ]
    )


@pytest.mark.parametrize("fresh", [False, True])
async def test_whether_a_request_may_leave_is_asked_once_the_connection_stands(
    transport: Transport, fresh: bool
) -> None:
    """A worker may be suspended for minutes while it opens a connection, and be replaced meanwhile."""
    async with raw_server(answer_ok) as server:
        found: list[tuple[int, int]] = []

        async def may_leave() -> None:
            async with asyncio.timeout(2):
                while not server.connections:  # noqa: ASYNC110 - the server's side of the connection follows ours
                    await asyncio.sleep(0)
            found.append((server.connections, len(server.exchanges)))

        for _ in range(2):
            request = request_to(server.url, "POST", content=b"{}", fresh=fresh)
            request.extensions["may_leave"] = may_leave
            await transport.handle_async_request(request)

    assert [exchanges for _, exchanges in found] == [0, 1]
    assert found[0][0] == 1


@pytest.mark.parametrize("fresh", [False, True])
async def test_a_request_that_may_not_leave_sends_nothing_and_spoils_no_connection(
    transport: Transport, fresh: bool
) -> None:
    async def may_not_leave() -> None:
        raise OwnershipLost("another has it")

    async with raw_server(answer_ok) as server:
        for question in (None, may_not_leave, None):
            request = request_to(server.url, "POST", content=b"{}", fresh=fresh)
            request.extensions["may_leave"] = question
            if question is None:
                await transport.handle_async_request(request)
            else:
                with pytest.raises(OwnershipLost):
                    await transport.handle_async_request(request)

    assert len(server.exchanges) == 2


@pytest.mark.parametrize(
    "headers", [{"X-Okapi-Token": "secret\r\nX-Other: 1"}, {"X-A": "secret\0"}, {"X:A": "secret"}, {"": "secret"}]
)
async def test_a_header_that_would_break_out_of_its_line_is_not_sent_and_not_told(
    transport: Transport, headers: Mapping[str, str]
) -> None:
    async with raw_server(answer_ok) as server:
        with pytest.raises(httpx.LocalProtocolError) as caught:
            await transport.handle_async_request(request_to(server.url, headers=headers))

    assert "secret" not in str(caught.value)
    assert server.connections == 0


async def test_an_answer_to_head_has_no_body_whatever_it_says(transport: Transport) -> None:
    async with raw_server(answer_ok) as server:
        response = await transport.handle_async_request(request_to(server.url, "HEAD"))

    assert (response.status_code, response.headers["content-length"]) == (200, "2")


async def test_a_body_of_several_megabytes_arrives_whole(transport: Transport) -> None:
    content = bytes(range(256)) * (12 << 10)
    async with raw_server(answer_ok) as server:
        response = await transport.handle_async_request(request_to(server.url, "PUT", content=content))

    assert (response.status_code, server.exchanges[0].body) == (200, content)


async def test_headers_that_come_more_than_once_all_stay(transport: Transport) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 201 Created\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nContent-Length: 0\r\n\r\n")

    async with raw_server(answer) as server:
        response = await transport.handle_async_request(request_to(server.url, "POST"))

    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]


async def test_cookies_are_not_kept(transport: Transport) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\nContent-Length: 0\r\n\r\n")

    async with raw_server(answer) as server:
        for _ in range(2):  # by name: a cookie of a bare address is never kept
            await transport.handle_async_request(request_to(f"http://localhost:{server.port}"))

    assert not any("cookie" in line.lower() for exchange in server.exchanges for line in exchange.header_lines)


async def test_a_redirect_is_handed_back(transport: Transport) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n")

    async with raw_server(answer) as server:
        response = await transport.handle_async_request(request_to(server.url + "/a"))

    assert (response.status_code, len(server.exchanges)) == (302, 1)


async def test_a_compressed_answer_is_readable(transport: Transport) -> None:
    body = gzip.compress(b'{"a": 1}')

    async def answer(exchange: Exchange) -> None:
        await exchange.send(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )

    async with raw_server(answer) as server:
        response = await transport.handle_async_request(request_to(server.url))
        await response.aread()

    assert response.json() == {"a": 1}


async def test_an_answer_compressed_badly_is_a_decoding_error_to_who_reads_it(transport: Transport) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope")

    async with raw_server(answer) as server:
        response = await transport.handle_async_request(request_to(server.url))
        with pytest.raises(httpx.DecodingError):
            await response.aread()


async def test_a_refused_connection_was_not_sent(transport: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(httpx.ConnectError):
        await transport.handle_async_request(request_to(f"http://127.0.0.1:{port}"))


async def test_an_unknown_host_was_not_sent_to(transport: Transport) -> None:
    with pytest.raises(httpx.ConnectError):
        await transport.handle_async_request(request_to("http://no-such-host.invalid/"))


async def test_a_connection_that_is_not_accepted_in_time_was_not_sent(transport: Transport) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        with socket.create_connection(listener.getsockname()):  # fills the queue: further ones wait
            request = request_to(
                f"http://127.0.0.1:{listener.getsockname()[1]}", timeout={"connect": 0.2, "pool": 0.2, "read": 0.5}
            )
            # how long the queue really is, is the kernel's affair: whoever still gets in is simply never answered
            results = await asyncio.gather(
                *(transport.handle_async_request(request) for _ in range(8)), return_exceptions=True
            )
    assert httpx.ConnectTimeout in {type(result) for result in results} <= {httpx.ConnectTimeout, httpx.ReadTimeout}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_a_reset_before_the_answer_leaves_it_open_and_is_not_repeated(transport: Transport, method: str) -> None:
    async with raw_server(reset) as server:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await transport.handle_async_request(request_to(server.url, method))

    assert len(server.exchanges) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_a_kept_connection_that_breaks_is_not_replaced_unseen(transport: Transport, method: str) -> None:
    async def answer(exchange: Exchange) -> None:
        if exchange.number == 1:
            await exchange.send(OK)
        else:
            exchange.reset()

    async with raw_server(answer) as server:
        await transport.handle_async_request(request_to(server.url))
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await transport.handle_async_request(request_to(server.url, method))

    assert [(exchange.connection, exchange.number) for exchange in server.exchanges] == [(1, 1), (1, 2)]


async def test_connections_are_kept(transport: Transport) -> None:
    async with raw_server(answer_ok) as server:
        for _ in range(5):
            await transport.handle_async_request(request_to(server.url))

    assert server.connections == 1


async def test_a_fresh_connection_carried_nothing_before_and_nothing_after(transport: Transport) -> None:
    async with raw_server(answer_ok) as server:
        for fresh in (False, True, True, False):
            await transport.handle_async_request(request_to(server.url, "POST", fresh=fresh))

    assert [exchange.connection for exchange in server.exchanges] == [1, 2, 3, 1]


async def test_no_answer_in_time_leaves_it_open(transport: Transport) -> None:
    async def answer(exchange: Exchange) -> None:
        await asyncio.sleep(60)

    async with raw_server(answer) as server:
        with pytest.raises(httpx.ReadTimeout):
            await transport.handle_async_request(request_to(server.url, "PUT", content=b"{}"))


async def test_bytes_that_trickle_in_end_at_the_total(transport: Transport) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            await exchange.send(b"x")
            await asyncio.sleep(0.02)

    async with raw_server(answer) as server:
        with pytest.raises(httpx.ReadTimeout):
            await transport.handle_async_request(request_to(server.url, timeout={"read": 5.0, "total": 0.3}))


@pytest.mark.parametrize(
    "answer_bytes",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", id="shorter than announced"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}", id="broken chunk"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", id="broken headers"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", id="another protocol"),
    ],
)
async def test_an_answer_that_breaks_off_is_no_answer(transport: Transport, answer_bytes: bytes) -> None:
    async def answer(exchange: Exchange) -> None:
        exchange.writer.write(answer_bytes)
        await exchange.writer.drain()
        exchange.writer.close()

    async with raw_server(answer) as server:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await transport.handle_async_request(request_to(server.url))


async def test_cancelling_many_requests_leaves_the_pool_usable(making: Making) -> None:
    arrived = asyncio.Event()
    answers = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        if len(server.exchanges) >= 20:
            arrived.set()
        if exchange.request_line.startswith("GET /slow"):
            await answers.wait()
        await exchange.send(OK)

    async with making(max_connections=20) as transport, raw_server(answer) as server:
        unlimited: dict[str, float] = {}
        slow = [
            asyncio.create_task(transport.handle_async_request(request_to(server.url + "/slow", timeout=unlimited)))
            for _ in range(60)
        ]
        async with asyncio.timeout(10):
            await arrived.wait()
        for task in slow:
            task.cancel()
        assert all(isinstance(r, asyncio.CancelledError) for r in await asyncio.gather(*slow, return_exceptions=True))

        async with asyncio.timeout(10):
            quick = await asyncio.gather(
                *(
                    transport.handle_async_request(request_to(server.url + "/quick", timeout=unlimited))
                    for _ in range(60)
                )
            )
        assert [response.status_code for response in quick] == [200] * 60
        answers.set()


async def test_the_pool_outlives_resets_and_time_outs(transport: Transport) -> None:
    async def answer(exchange: Exchange) -> None:
        if "reset" in exchange.request_line:
            exchange.reset()
        elif "slow" in exchange.request_line:
            await asyncio.sleep(60)
        else:
            await exchange.send(OK)

    async with raw_server(answer) as server:
        paths = ("/reset", "/slow", "/fine") * 10
        results = await asyncio.gather(
            *(transport.handle_async_request(request_to(server.url + path)) for path in paths), return_exceptions=True
        )

        assert [isinstance(result, httpx.Response) for result in results] == [path == "/fine" for path in paths]
        assert (await transport.handle_async_request(request_to(server.url))).status_code == 200


async def test_a_plain_request_goes_to_the_proxy_with_its_credentials(making: Making) -> None:
    async with raw_server(answer_ok) as proxy:
        told = Proxy(proxy.url, "Basic dTpw")
        async with making(proxy_of=lambda url: told) as transport:
            await transport.handle_async_request(request_to("http://system.example/path"))

    [exchange] = proxy.exchanges
    assert exchange.request_line == "GET http://system.example/path HTTP/1.1"
    assert "Proxy-Authorization: Basic dTpw" in exchange.header_lines


async def test_a_proxy_that_refuses_a_tunnel_was_sent_nothing_else(making: Making) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    async with raw_server(answer) as proxy:
        told = Proxy(proxy.url, "Basic dTpw")
        async with making(proxy_of=lambda url: told) as transport:
            with pytest.raises(httpx.ProxyError):
                await transport.handle_async_request(request_to("https://system.example/path", "POST", content=b"{}"))

    [exchange] = proxy.exchanges
    assert exchange.request_line == "CONNECT system.example:443 HTTP/1.1"
    assert "proxy-authorization: basic dtpw" in [line.lower() for line in exchange.header_lines]


async def test_a_proxy_that_is_down_is_a_proxy_error(making: Making) -> None:
    async with making(proxy_of=lambda url: Proxy("http://127.0.0.1:9")) as proxied:
        with pytest.raises(httpx.ProxyError):
            await proxied.handle_async_request(request_to("http://system.example/path"))


@pytest.fixture
def authority() -> trustme.CA:
    """An authority that nobody knows but the test."""
    return trustme.CA()


@pytest.fixture
def certificate(authority: trustme.CA, tmp_path: Path) -> Path:
    """The authority's own certificate, as `ca_file` takes it."""
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    return file


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """A server that has a certificate for 127.0.0.1 and for no other name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


async def test_a_certificate_that_nobody_vouches_for_is_not_sent_to(
    transport: Transport, server_tls: ssl.SSLContext
) -> None:
    async with raw_server(answer_ok, server_tls) as server:
        with pytest.raises(httpx.ConnectError, match="certificate"):
            await transport.handle_async_request(request_to(f"https://127.0.0.1:{server.port}"))

    assert server.exchanges == []


async def test_a_certificate_for_another_name_is_not_sent_to(
    making: Making, certificate: Path, server_tls: ssl.SSLContext
) -> None:
    async with (
        making(ca_file=str(certificate), proxy_of=lambda url: None) as transport,
        raw_server(answer_ok, server_tls) as server,
    ):
        with pytest.raises(httpx.ConnectError):
            await transport.handle_async_request(request_to(f"https://localhost:{server.port}"))

    assert server.exchanges == []


async def test_an_authority_of_ones_own_is_trusted_when_it_is_given(
    making: Making, certificate: Path, server_tls: ssl.SSLContext
) -> None:
    async with (
        making(ca_file=str(certificate), proxy_of=lambda url: None) as transport,
        raw_server(answer_ok, server_tls) as server,
    ):
        response = await transport.handle_async_request(request_to(f"https://127.0.0.1:{server.port}"))

    assert response.status_code == 200


async def test_a_ca_file_that_is_missing_is_said_at_once(making: Making) -> None:
    with pytest.raises(FileNotFoundError):
        making(ca_file="/nowhere/ca.pem")


async def test_an_answer_without_end_is_given_up_and_its_connection_closed(making: Making) -> None:
    closed = asyncio.Event()

    async def endless(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                await exchange.send(b"4000\r\n" + bytes(0x4000) + b"\r\n")
        finally:
            closed.set()

    async with (
        making(proxy_of=lambda url: None, max_answer_bytes=100_000) as transport,
        raw_server(endless) as server,
    ):
        with pytest.raises(AnswerTooLarge, match="larger than 100000 bytes"):
            await transport.handle_async_request(request_to(server.url))
        await asyncio.wait_for(closed.wait(), 5)
