"""What a broken, hostile or merely unlucky server does to the transport: every request comes to its own answer or to an
error that says whether it left, and no connection is used again that anything was wrong with."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import httpx
import pytest

from bench.candidates.port import Making, Transport
from service.systems.transport.answer_reader import MAX_HEAD_BYTES
from service.systems.wire import Limits, Origin, WireAnswer, WireRequest
from tests.unit.systems.raw_server import OK, Answering, Exchange, RawServer, raw_server
from tests.unit.systems.transport.echo_server import EchoServer, echo_server
from tests.unit.systems.transport.inside import has_leaked, keeps_none, pool_of

BRIEF = Limits(connect=5.0, read=5.0, pool=5.0, total=20.0)
ENDLESS_BYTES = 16 * MAX_HEAD_BYTES
"""More than any client has reason to take for a line."""
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
async def transport(making: Making) -> AsyncIterator[Transport]:
    async with making(proxy_of=lambda url: None) as running:
        yield running
        assert not has_leaked(running)


def request(port: int, path: str = "/", method: str = "GET", *, limits: Limits = BRIEF) -> WireRequest:
    origin = Origin("http", "127.0.0.1", port)
    return WireRequest(origin, method, path, b"Host: x\r\n", limits=limits)


def saying(*pieces: bytes, then: Callable[[Exchange], None] = lambda exchange: None) -> Answering:
    """Answers the first request with these pieces, each in a packet of its own, and the others properly."""

    async def answer(exchange: Exchange) -> None:
        if (exchange.connection, exchange.number) != (1, 1):
            await exchange.send(OK)
            return
        for piece in pieces:
            await exchange.send(piece)
            await asyncio.sleep(0)
        then(exchange)

    return answer


def hang_up(exchange: Exchange) -> None:
    exchange.writer.close()


def socket_of(exchange: Exchange) -> socket.socket:
    """The server's side of a connection, to do something to it at once and not when its loop goes round."""
    return socket.socket(fileno=os.dup(exchange.writer.get_extra_info("socket").fileno()))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0)


async def excess_has_come(transport: Transport, server: RawServer) -> None:
    """Ours ends the connection as soon as it sees too much on it. Another may do so when it wants to use it again, and
    tells nothing: it has a moment to read."""
    pool = pool_of(transport)
    if pool is not None:
        await until(lambda: not pool.idle)
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            while server.open:  # noqa: ASYNC110 - what is waited for has no event of its own
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("said", [b"", b"HT", b"HTTP/1.1 200 OK\r\nContent-", OK[:-1], CHUNKED + b"2\r\n{}\r\n"])
@pytest.mark.parametrize("then", [Exchange.reset, hang_up])
async def test_a_connection_that_breaks_within_an_answer_leaves_the_request_open_and_the_next_goes_elsewhere(
    transport: Transport, said: bytes, then: Callable[[Exchange], None]
) -> None:
    async with raw_server(saying(said, then=then)) as server:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await transport.exchange(request(server.port, method="PUT"))
        answer = await transport.exchange(request(server.port, method="PUT"))

    assert answer.body == b"{}"
    assert [exchange.connection for exchange in server.exchanges] == [1, 2]


async def test_bytes_that_come_one_by_one_make_an_answer(transport: Transport) -> None:
    pieces = [bytes([byte]) for byte in CHUNKED + b"3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n"]
    async with raw_server(saying(*pieces)) as server:
        answer = await transport.exchange(request(server.port))
        again = await transport.exchange(request(server.port))

    assert (answer.body, again.body) == (b"abcde", b"{}")
    assert [exchange.connection for exchange in server.exchanges] == [1, 1]


async def test_the_headers_of_an_answer_are_handed_on_as_they_came(transport: Transport) -> None:
    async with raw_server(saying(b"HTTP/1.1 200 OK\r\nX-One: a  b\r\nx-one: c\r\nContent-LENGTH: 0\r\n\r\n")) as server:
        answer = await transport.exchange(request(server.port))

    assert list(answer.headers) == [(b"X-One", b"a  b"), (b"x-one", b"c"), (b"Content-LENGTH", b"0")]


async def test_a_time_out_counts_from_the_last_byte(transport: Transport) -> None:
    async def answer(exchange: Exchange) -> None:
        for byte in OK[:20]:
            await exchange.send(bytes([byte]))
            await asyncio.sleep(0.03)

    async with raw_server(answer) as server:
        began = asyncio.get_running_loop().time()
        with pytest.raises(httpx.ReadTimeout):
            await transport.exchange(request(server.port, limits=Limits(connect=5.0, read=0.3)))

    assert asyncio.get_running_loop().time() - began > 20 * 0.03


@pytest.mark.parametrize(
    "said",
    [
        pytest.param((OK + OK,), id="a second answer in the same packet"),
        pytest.param((OK, OK), id="a second answer right behind"),
        pytest.param((OK + b"x",), id="a byte too many"),
        pytest.param((b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}",), id="a body where there is none"),
        pytest.param((b"HTTP/1.1 304 Not Modified\r\n\r\n{}",), id="a body of what is not modified"),
        pytest.param((OK.replace(b"Content-Type", b"Connection: close\r\nA") + OK,), id="an answer after goodbye"),
        pytest.param((OK.replace(b"Content-Type", b"Connection: close\r\nA"),), id="goodbye"),
        pytest.param((OK.replace(b"HTTP/1.1", b"HTTP/1.0"),), id="the protocol before keep-alive"),
    ],
)
async def test_nothing_follows_on_a_connection_on_which_more_came_than_was_asked_for(
    transport: Transport, said: tuple[bytes, ...]
) -> None:
    async with raw_server(saying(*said)) as server:
        first = await transport.exchange(request(server.port))
        await excess_has_come(transport, server)
        second = await transport.exchange(request(server.port, "/second"))

    assert first.status in (200, 204, 304)
    assert (second.status, second.body) == (200, b"{}")
    assert [exchange.connection for exchange in server.exchanges] == [1, 2]


async def test_an_answer_to_nothing_is_not_taken_for_the_next_even_when_the_loop_has_not_seen_it(
    transport: Transport,
) -> None:
    async with raw_server(saying(OK)) as server:
        await transport.exchange(request(server.port))
        with socket_of(server.exchanges[0]) as other_side:
            other_side.send(OK.replace(b"{}", b"[]"))  # is in our socket before the loop goes round
        answer = await transport.exchange(request(server.port))

    assert answer.body == b"{}"
    assert [exchange.connection for exchange in server.exchanges] == [1, 2]


async def test_a_server_that_ends_an_idle_connection_just_as_we_send_gets_the_request_once_on_another(
    transport: Transport,
) -> None:
    async with raw_server(saying(OK)) as server:
        await transport.exchange(request(server.port, method="POST"))
        with socket_of(server.exchanges[0]) as other_side:
            other_side.shutdown(socket.SHUT_RDWR)  # our loop has not gone round since
        answer = await transport.exchange(request(server.port, method="POST"))

    assert answer.status == 200
    assert [exchange.connection for exchange in server.exchanges] == [1, 2]


async def test_a_connection_that_ends_while_it_is_asked_whether_the_request_may_leave_was_not_sent_on(
    transport: Transport,
) -> None:
    async with raw_server(saying(OK)) as server:
        await transport.exchange(request(server.port))

        async def may_leave() -> None:
            server.exchanges[0].reset()
            await asyncio.sleep(0.05)

        leaving = request(server.port, method="POST")
        leaving.may_leave = may_leave
        with pytest.raises(httpx.ConnectError):
            await transport.exchange(leaving)

    assert len(server.exchanges) == 1


@pytest.mark.parametrize("interim", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"])
async def test_an_interim_answer_is_passed_over(transport: Transport, interim: bytes) -> None:
    async with raw_server(saying(interim, interim + interim + OK)) as server:
        answer = await transport.exchange(request(server.port))
        await transport.exchange(request(server.port))

    assert answer.status == 200
    assert (b"Link", b"a") not in answer.headers
    assert [exchange.connection for exchange in server.exchanges] == [1, 1]


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", id="two framings"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n", id="the same"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", id="two lengths"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}", id="a length below zero"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}", id="a length beyond reason"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", id="a coding besides"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n{}", id="a coding that is none"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", id="chunked twice"
        ),
        pytest.param(CHUNKED + b"zz\r\n{}\r\n", id="a chunk without a size"),
        pytest.param(CHUNKED + b"-2\r\n{}\r\n", id="a chunk below zero"),
        pytest.param(CHUNKED + b"FFFFFFFFFFFFFFFFF\r\n{}\r\n", id="a chunk beyond reason"),
        pytest.param(CHUNKED + b"2\r\n{}x\r\n", id="a chunk longer than it says"),
        pytest.param(CHUNKED + b"2\n{}\n", id="a chunk with half an end of line"),
        pytest.param(b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", id="lines with half an end"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\n{}", id="a folded header"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 2\r\n\r\n{}", id="a space before the colon"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: \0\r\nContent-Length: 2\r\n\r\n{}", id="a zero in a header"),
        pytest.param(b"HTTP/1.1 2 OK\r\nContent-Length: 2\r\n\r\n{}", id="a short status"),
        pytest.param(b"HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\n{}", id="a status below all"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01", id="TLS"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: " + b"a" * ENDLESS_BYTES, id="a header without end"),
        pytest.param(b"HTTP/1.1 200 " + b"a" * ENDLESS_BYTES, id="a reason without end"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nA: " + b"a" * MAX_HEAD_BYTES,
            marks=pytest.mark.ours_alone("how long a head may be"),
            id="a header beyond our limit",
        ),
        pytest.param(
            b"HTTP/1.1 200 " + b"a" * (MAX_HEAD_BYTES + 1),
            marks=pytest.mark.ours_alone("how long a head may be"),
            id="a reason beyond our limit",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * MAX_HEAD_BYTES, id="headers without end"),
        pytest.param(b"HTTP/1.1 102 Processing\r\n\r\n" * MAX_HEAD_BYTES, id="interim answers without end"),
        pytest.param(CHUNKED + b"2;" + b"a" * 2 * MAX_HEAD_BYTES, id="an extension of a chunk without end"),
        pytest.param(CHUNKED + b"0\r\n" + b"A: b\r\n" * MAX_HEAD_BYTES, id="trailers without end"),
    ],
)
async def test_what_is_no_proper_answer_is_refused_and_its_connection_closed(transport: Transport, said: bytes) -> None:
    async with raw_server(saying(said)) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            await transport.exchange(request(server.port, method="PUT"))
        await until(lambda: not server.open)
        assert keeps_none(transport)
        answer = await transport.exchange(request(server.port, method="PUT"))

    assert answer.body == b"{}"
    assert len(server.exchanges) == 2


async def test_a_body_that_only_the_end_of_the_connection_ends_is_whole(transport: Transport) -> None:
    async with raw_server(saying(b"HTTP/1.1 200 OK\r\n\r\n{", b"}", then=hang_up)) as server:
        answer = await transport.exchange(request(server.port))

    assert answer.body == b"{}"
    assert keeps_none(transport)


async def test_an_answer_that_comes_before_the_request_has_left_whole_ends_the_connection(
    transport: Transport,
) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await refused.wait()
        writer.transport.abort()

    refused = asyncio.Event()
    listener = await asyncio.start_server(refuse, "127.0.0.1", 0)
    large = request(listener.sockets[0].getsockname()[1], method="PUT")
    large.body = bytes(32 << 20)
    try:
        answer = await transport.exchange(large)
    finally:
        refused.set()
        listener.close()

    assert answer.status == 413
    assert keeps_none(transport)


async def test_an_idle_connection_is_closed_before_a_server_would(making: Making) -> None:
    async with making(proxy_of=lambda url: None, keep_alive_seconds=0.1) as transport, echo_server() as server:
        await transport.exchange(request(server.port))
        assert len(server.connections) == 1
        await until(lambda: not server.connections)

        assert keeps_none(transport)
        assert (await transport.exchange(request(server.port))).status == 200


async def test_ten_thousand_cancellations_leak_no_connection_and_mix_up_no_answer(making: Making) -> None:
    rounds, width, dice = 100, 100, random.Random(7)
    async with (
        making(proxy_of=lambda url: None, max_connections=40) as transport,
        echo_server() as server,
    ):
        answered = cancelled = 0
        for number in range(rounds):
            tasks = [
                asyncio.ensure_future(own_answer(transport, server, f"{slow}/{number}/{place}"))
                for place in range(width)
                for slow in ("/slow" if dice.random() < 0.2 else "/quick", "/hurried")
            ]
            for _ in range(dice.randrange(4)):
                await asyncio.sleep(0)  # some wait in the queue, some connect, some have sent, some are answered
            for task in dice.sample(tasks, width):
                task.cancel()
            while not all(task.done() for task in tasks):
                await asyncio.sleep(0)
                server.release()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            answered += sum(outcome is True for outcome in outcomes)
            cancelled += sum(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
            assert not has_leaked(transport)
        pool = pool_of(transport)
        assert pool is None or pool.count <= 40
        await until(lambda: len(server.connections) <= 40 if pool is None else len(server.connections) == pool.count)
    await until(lambda: not server.connections)

    assert answered + cancelled == 2 * rounds * width
    assert cancelled >= 9_000  # who is answered at the same moment is not cancelled
    assert answered >= 9_000


async def own_answer(transport: Transport, server: EchoServer, path: str) -> bool:
    answer: WireAnswer = await transport.exchange(request(server.port, path))
    assert answer.body == path.encode()
    return True
