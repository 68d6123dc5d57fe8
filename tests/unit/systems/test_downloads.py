"""Downloads on real sockets: streamed, without a key, ended when they stand still, and never showing their link."""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import AsyncIterator

import httpx
import pytest

from bench.candidates.port import Making, Transport
from service.systems.downloads import Download, DownloadBroken, Downloads, Link
from service.systems.http import Lost, NotSent
from tests.unit.systems.raw_server import Exchange, raw_server
from tests.unit.systems.recording_calls import RecordingCalls

SECRET = "X-Amz-Signature=0PEN%2FSESAME"


@pytest.fixture
async def transport(making: Making) -> AsyncIterator[Transport]:
    async with making(proxy_of=lambda url: None) as running:
        yield running


def downloads(transport: httpx.AsyncBaseTransport, calls: RecordingCalls | None = None) -> Downloads:
    return Downloads(
        "holdingsiq",
        transport,
        headers=(("User-Agent", "holdings-relay/test"),),
        connect_seconds=2.0,
        read_seconds=0.3,
        observer=calls,
    )


def link_to(url: str) -> Link:
    return Link(f"{url}/bucket/file%20name?response-content-disposition=attachment%3B&{SECRET}")


async def body_of(transport: httpx.AsyncBaseTransport, link: Link) -> bytes:
    async with downloads(transport).open(link, None) as download:
        assert isinstance(download, Download), download
        return b"".join([piece async for piece in download.pieces()])


async def test_the_link_is_followed_as_it_is_and_without_a_key(transport: Transport) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na,b\n")

    async with raw_server(answer) as server, downloads(transport).open(link_to(server.url), "00-trace") as download:
        assert isinstance(download, Download)
        assert (download.status, download.length, download.tells_its_end) == (200, 4, True)
        assert [piece async for piece in download.pieces()] == [b"a,b\n"]

    [exchange] = server.exchanges
    assert exchange.request_line == (
        f"GET /bucket/file%20name?response-content-disposition=attachment%3B&{SECRET} HTTP/1.1"
    )
    assert sorted(line.lower() for line in exchange.header_lines) == [
        "accept-encoding: identity",
        "accept: */*",
        f"host: 127.0.0.1:{server.port}",
        "traceparent: 00-trace",
        "user-agent: holdings-relay/test",
    ]


async def test_pieces_come_before_the_end_and_slowness_alone_breaks_nothing(transport: Transport) -> None:
    read = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\na,b\n\r\n")
        await asyncio.wait_for(read.wait(), 5)
        for _ in range(8):  # longer in all than a piece may take
            await asyncio.sleep(0.05)
            await exchange.send(b"4\r\n1,2\n\r\n")
        await exchange.send(b"0\r\n\r\n")

    async with raw_server(answer) as server, downloads(transport).open(link_to(server.url), None) as download:
        assert isinstance(download, Download)
        assert (download.length, download.tells_its_end) == (None, True)
        pieces = download.pieces()
        assert await anext(pieces) == b"a,b\n"
        read.set()
        assert b"".join([piece async for piece in pieces]) == b"1,2\n" * 8


async def test_what_nobody_takes_is_not_read_from_the_socket(transport: Transport) -> None:
    sent = 0

    async def answer(exchange: Exchange) -> None:
        nonlocal sent
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        while True:
            await exchange.send(b"x" * 100_000)
            sent += 100_000

    async with raw_server(answer) as server, downloads(transport).open(link_to(server.url), None) as download:
        assert isinstance(download, Download)
        before = -1
        while sent > before:  # until the buffers of both sockets are full
            before = sent
            await asyncio.sleep(0.2)
        assert sent < 20_000_000


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b"Content-Length: 10\r\n\r\na,b\n", "holdingsiq: connection lost after 4 bytes"),
        (b"Transfer-Encoding: chunked\r\n\r\n4\r\na,b\n\r\n", "holdingsiq: connection lost after 4 bytes"),
    ],
)
async def test_a_download_that_breaks_off_is_broken(transport: Transport, head: bytes, message: str) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\n" + head)
        exchange.writer.close()

    async with raw_server(answer) as server:
        with pytest.raises(DownloadBroken) as broken:
            await body_of(transport, link_to(server.url))

    assert str(broken.value) == message


async def test_a_download_that_stands_still_is_broken(transport: Transport) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\na,b\n")
        await asyncio.sleep(30)

    async with raw_server(answer) as server:
        with pytest.raises(DownloadBroken) as broken:
            await body_of(transport, link_to(server.url))

    assert str(broken.value) == "holdingsiq: the download stood still for 0.3 s"


async def test_a_body_that_is_shorter_than_its_head_says_is_broken_whatever_the_transport() -> None:
    short = httpx.MockTransport(lambda request: httpx.Response(200, headers={"Content-Length": "9"}, content=b"a,b\n"))

    with pytest.raises(DownloadBroken, match="ended after 4 of 9 bytes"):
        await body_of(short, link_to("https://files.example"))


async def test_an_end_that_only_the_connection_tells_is_known_to_be_doubtful(transport: Transport) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\n\r\na,b\n")
        exchange.writer.close()

    async with raw_server(answer) as server, downloads(transport).open(link_to(server.url), None) as download:
        assert isinstance(download, Download)
        assert not download.tells_its_end


async def test_a_redirect_is_not_followed(transport: Transport) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")

    async with raw_server(answer) as server, downloads(transport).open(link_to(server.url), None) as download:
        assert isinstance(download, Download)
        assert download.status == 302
    assert len(server.exchanges) == 1


async def test_a_call_is_told_with_its_status_and_no_id(transport: Transport) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    calls = RecordingCalls()
    async with raw_server(answer) as server, downloads(transport, calls).open(link_to(server.url), None):
        pass
    async with downloads(transport, calls).open(link_to("http://127.0.0.1:9"), None):
        pass

    assert calls.told == [("holdingsiq", "export-download", 403), ("holdingsiq", "export-download", None)]


@pytest.mark.parametrize(
    "address", ["", "no address", "/bucket/file", "ftp://files.example/x", "http://[::1", "http://"]
)
async def test_a_link_that_is_no_address_is_not_asked(transport: Transport, address: str) -> None:
    async with downloads(transport).open(Link(address), None) as answer:
        assert isinstance(answer, NotSent)
        assert "the link is no address" in answer.message


ERRORS = [
    httpx.ConnectTimeout(SECRET),
    httpx.PoolTimeout(SECRET),
    httpx.ConnectError(SECRET),
    httpx.ProxyError(SECRET),
    httpx.UnsupportedProtocol(SECRET),
    httpx.ReadTimeout(SECRET),
    httpx.ReadError(SECRET),
    httpx.RemoteProtocolError(SECRET),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_no_error_tells_the_link(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    async def breaking() -> AsyncIterator[bytes]:
        yield b"a,b\n"
        raise error

    async with downloads(httpx.MockTransport(fail)).open(link_to("https://files.example"), None) as answer:
        assert isinstance(answer, NotSent | Lost)
        assert "0PEN" not in repr(answer)
    with pytest.raises(DownloadBroken) as broken:
        await body_of(
            httpx.MockTransport(lambda request: httpx.Response(200, content=breaking())),
            link_to("https://files.example"),
        )

    assert "0PEN" not in f"{broken.value!r}"
    assert broken.value.__cause__ is None
    assert "0PEN" not in caplog.text


def test_a_link_shows_itself_to_nobody() -> None:
    link = link_to("https://files.example")

    assert f"{link} {link!r} {[link]}" == "Link(…) Link(…) [Link(…)]"
    assert "0PEN" in link.reveal()
    with pytest.raises(TypeError):
        pickle.dumps(link)
