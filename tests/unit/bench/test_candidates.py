"""The candidates' adapters still carry calls, so that they can be measured at all. What they make of faults is told by
`python -m bench.suites`, and is not judged here."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest

from bench import candidate_worker
from bench.candidates.catalogue import CANDIDATES, OURS
from bench.candidates.port import Transport, header_pairs
from service.engine.ports import OwnershipLost
from service.systems.wire import Limits, Origin, Wire, WireRequest
from tests.unit.systems.raw_server import OK, Exchange, raw_server

LIMITS = Limits(connect=5.0, read=5.0, pool=5.0, total=20.0)
CALLS = pytest.mark.parametrize(("method", "body"), [("PUT", b"{}"), ("DELETE", b"")])


OTHERS = [name for name in CANDIDATES if name != OURS]


@pytest.fixture(params=OTHERS)
async def candidate(request: pytest.FixtureRequest) -> AsyncIterator[Transport]:
    async with CANDIDATES[request.param](proxy_of=lambda url: None) as running:
        yield running


def call(port: int, method: str = "GET", body: bytes = b"") -> WireRequest:
    lines = b"Host: 127.0.0.1:%d\r\nX-Okapi-Tenant: diku\r\n" % port
    return WireRequest(Origin("http", "127.0.0.1", port), method, "/a%2Fb?c=%22", lines, body, LIMITS)


async def answer_ok(exchange: Exchange) -> None:
    await exchange.send(OK)


@CALLS
async def test_a_call_is_carried_and_asked_about_once(candidate: Transport, method: str, body: bytes) -> None:
    asked = 0

    async def may_leave() -> None:
        nonlocal asked
        asked += 1

    async with raw_server(answer_ok) as server:
        asking = call(server.port, method, body)
        asking.may_leave = may_leave
        answer = await candidate.exchange(asking)

    [exchange] = server.exchanges
    assert isinstance(candidate, Wire)
    assert asked == 1
    assert exchange.request_line == f"{method} /a%2Fb?c=%22 HTTP/1.1"
    assert "X-Okapi-Tenant: diku" in exchange.header_lines
    assert exchange.body == body
    assert (answer.status, answer.header(b"content-type"), answer.body) == (200, b"application/json", b"{}")


@CALLS
async def test_a_call_that_may_not_leave_reaches_nobody(candidate: Transport, method: str, body: bytes) -> None:
    async def may_leave() -> None:
        raise OwnershipLost("lost")

    async with raw_server(answer_ok) as server:
        asking = call(server.port, method, body)
        asking.may_leave = may_leave
        with pytest.raises(OwnershipLost):
            await candidate.exchange(asking)

    assert server.exchanges == []


async def test_a_call_that_was_not_sent_is_told_from_one_that_may_have_been_received(candidate: Transport) -> None:
    async def reset(exchange: Exchange) -> None:
        exchange.reset()

    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    async with raw_server(reset) as server:
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            await candidate.exchange(call(server.port, "PUT", b"{}"))
    with pytest.raises(httpx.ConnectError):
        await candidate.exchange(call(port))


async def test_an_answer_that_does_not_come_is_told_from_a_connection_that_does_not(candidate: Transport) -> None:
    async def say_nothing(exchange: Exchange) -> None:
        await asyncio.Event().wait()

    async with raw_server(say_nothing) as server:
        waiting = call(server.port)
        waiting.limits = Limits(connect=5.0, read=0.05, pool=5.0)
        with pytest.raises(httpx.ReadTimeout):
            await candidate.exchange(waiting)


async def test_a_body_can_be_taken_piece_by_piece(candidate: Transport) -> None:
    async with raw_server(answer_ok) as server:
        request = httpx.Request("GET", server.url, extensions={"stream": True, "timeout": LIMITS._asdict()})
        response = await candidate.handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        pieces = [piece async for piece in response.stream]
        await response.aclose()

    assert (response.status_code, b"".join(pieces)) == (200, b"{}")


def test_lines_of_headers_become_pairs() -> None:
    assert header_pairs(b"Host: a\r\nX-A: b: c\r\n") == (("Host", "a"), ("X-A", "b: c"))


@pytest.mark.parametrize("name", CANDIDATES)
async def test_the_worker_is_composed_over_the_transport_that_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    composed: list[tuple[object, Transport]] = []
    monkeypatch.setattr(candidate_worker, "Relay", lambda settings, transport: composed.append((settings, transport)))
    monkeypatch.setattr(candidate_worker, "run_composed", lambda compose: compose("settings"))
    monkeypatch.setattr("sys.argv", ["candidate_worker", name])

    candidate_worker.main()

    [(settings, transport)] = composed
    assert settings == "settings"
    assert type(transport) is CANDIDATES[name]
