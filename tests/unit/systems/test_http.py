"""The HTTP client: what it builds, what becomes of a call, and whom it tells."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.systems.bodies import MAX_ANSWER_BYTES
from service.systems.http import Lost, NotSent, Reply, path_of, query_of
from tests.unit.systems.scripted import FakeTime, ScriptedTransport, answer, http_client


@dataclass
class Told:
    calls: list[tuple[str, str, int | None, float]] = field(default_factory=list)

    def call_finished(self, system: str, operation: str, status: int | None, seconds: float) -> None:
        self.calls.append((system, operation, status, seconds))

    def call_saved(self, system: str, operation: str) -> None: ...

    def batch_sent(self, system: str, records: int) -> None: ...


async def test_the_path_is_put_under_the_base_address() -> None:
    transport = ScriptedTransport(answer())
    client = http_client(transport)

    await client.send("get", "GET", "/eholdings/resources/1-2-3", read_seconds=1.0)

    assert str(transport.requests[0].url) == "http://gateway/base/eholdings/resources/1-2-3"


async def test_fixed_headers_own_headers_and_the_trace_leave_with_their_names_as_given() -> None:
    transport = ScriptedTransport(answer())
    client = http_client(transport, headers=(("api_key", "k"),))

    await client.send("get", "GET", "/a", headers=(("X-Own", "1"),), traceparent="00-1-2-01", read_seconds=1.0)

    raw = transport.requests[0].headers.raw
    assert {(b"api_key", b"k"), (b"X-Own", b"1"), (b"traceparent", b"00-1-2-01")} <= set(raw)


async def test_the_limits_of_time_are_handed_to_the_transport() -> None:
    transport = ScriptedTransport(answer())

    await http_client(transport, connect_seconds=2.0).send("get", "GET", "/", read_seconds=30.0)

    assert transport.requests[0].extensions["timeout"] == {
        "connect": 2.0,
        "read": 30.0,
        "write": 30.0,
        "pool": 2.0,
        "total": 35.0,
    }


async def test_an_answer_comes_whole_with_its_retry_after_read() -> None:
    time = FakeTime()
    transport = ScriptedTransport(answer(429, {"a": 1}, {"Retry-After": "12"}))

    reply = await http_client(transport, clocks=time.clocks).send("get", "GET", "/", read_seconds=1.0)

    assert isinstance(reply, Reply)
    assert (reply.status, reply.json(), reply.retry_after_seconds) == (429, {"a": 1}, 12.0)


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("late"),
        httpx.PoolTimeout("late"),
        httpx.ProxyError("no tunnel"),
        httpx.UnsupportedProtocol("ftp"),
    ],
)
async def test_what_never_left_is_said_to_be_unsent(error: Exception) -> None:
    result = await http_client(ScriptedTransport(error)).send("post", "POST", "/", read_seconds=1.0)

    assert isinstance(result, NotSent)
    assert result.message.startswith("system: no connection")


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout("late"),
        httpx.WriteTimeout("late"),
        httpx.ReadError("reset"),
        httpx.WriteError("reset"),
        httpx.CloseError("reset"),
        httpx.RemoteProtocolError("gone"),
        httpx.DecodingError("not gzip"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
async def test_what_may_have_been_received_is_lost_and_never_repeated(method: str, error: Exception) -> None:
    transport = ScriptedTransport(error)

    result = await http_client(transport).send("change", method, "/", read_seconds=1.0)

    assert isinstance(result, Lost)
    assert len(transport.requests) == 1


async def test_a_compressed_answer_is_decompressed() -> None:
    compressed = answer(200, gzip.compress(b'{"a": 1}'), {"Content-Encoding": "gzip"})

    reply = await http_client(ScriptedTransport(compressed)).send("get", "GET", "/", read_seconds=1.0)

    assert isinstance(reply, Reply)
    assert reply.json() == {"a": 1}


async def test_an_answer_that_cannot_be_decompressed_is_lost() -> None:
    def badly(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"nope"))

    assert isinstance(await http_client(ScriptedTransport(badly)).send("put", "PUT", "/", read_seconds=1.0), Lost)


async def test_a_read_on_a_connection_that_broke_is_repeated_once_on_a_fresh_one() -> None:
    told = Told()
    transport = ScriptedTransport(httpx.RemoteProtocolError("gone"), answer(200, {}))

    result = await http_client(transport, observer=told).send("get", "GET", "/", read_seconds=1.0)

    assert isinstance(result, Reply)
    assert transport.fresh == [False, True]
    assert [status for _, _, status, _ in told.calls] == [None, 200]


async def test_a_read_that_breaks_twice_is_lost() -> None:
    transport = ScriptedTransport(httpx.ReadError("gone"), httpx.ReadError("gone"))

    assert isinstance(await http_client(transport).send("get", "GET", "/", read_seconds=1.0), Lost)


async def test_a_read_that_timed_out_is_not_repeated() -> None:
    transport = ScriptedTransport(httpx.ReadTimeout("late"))

    assert isinstance(await http_client(transport).send("get", "GET", "/", read_seconds=1.0), Lost)


async def test_every_call_is_told_with_its_duration() -> None:
    time, told = FakeTime(), Told()

    def slow(request: httpx.Request) -> httpx.Response:
        time.now += 0.25
        return answer(503)

    client = http_client(ScriptedTransport(slow), "inventory", observer=told, clocks=time.clocks)
    await client.send("upsert", "PUT", "/", read_seconds=1.0)

    assert told.calls == [("inventory", "upsert", 503, 0.25)]


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"\xff\xfe", b"NaN", b"[" * 100_000])
async def test_a_body_that_is_no_json_is_read_as_nothing(body: bytes) -> None:
    reply = Reply(200, (), body)

    assert reply.json() is None
    assert reply.words


@given(st.lists(st.text(min_size=1), min_size=1))
def test_an_id_cannot_leave_its_place_in_a_path(segments: list[str]) -> None:
    path = path_of(*segments)

    assert path.count("/") == len(segments)
    assert not set("?#\\") & set(path)
    assert path.isascii()


@given(st.text())
def test_a_query_comes_back_as_it_was_given(value: str) -> None:
    assert httpx.QueryParams(query_of({"query": value, "limit": "10"})[1:]) == httpx.QueryParams(
        {"query": value, "limit": "10"}
    )


def bomb(size: int) -> bytes:
    return gzip.compress(bytes(size), compresslevel=9)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (bytes(MAX_ANSWER_BYTES + 1), {}),
        (bomb(MAX_ANSWER_BYTES + 1), {"Content-Encoding": "gzip"}),
        (bomb(MAX_ANSWER_BYTES + 1), {"Content-Encoding": " GZIP "}),
        (zlib.compress(bytes(MAX_ANSWER_BYTES + 1)), {"Content-Encoding": "deflate"}),
    ],
)
async def test_an_answer_beyond_the_limit_is_lost_and_not_read_again(body: bytes, headers: dict[str, str]) -> None:
    transport = ScriptedTransport(httpx.Response(200, headers=headers, stream=httpx.ByteStream(body)))

    result = await http_client(transport).send("get", "GET", "/a", read_seconds=1.0)

    assert result == Lost(f"system: the answer was not read to its end: it is larger than {MAX_ANSWER_BYTES} bytes")


async def test_an_answer_that_comes_in_pieces_without_end_is_given_up() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1 << 20)

    class Endless(httpx.AsyncByteStream):
        def __aiter__(self) -> AsyncIterator[bytes]:
            return pieces()

    result = await http_client(ScriptedTransport(httpx.Response(200, stream=Endless()))).send(
        "get", "GET", "/a", read_seconds=1.0
    )

    assert isinstance(result, Lost)


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "zstd", "\N{SNOWMAN}".encode().decode("latin-1"), ""])
async def test_a_body_under_another_encoding_is_taken_as_it_is(encoding: str) -> None:
    headers = [(b"Content-Encoding", encoding.encode("latin-1"))]
    transport = ScriptedTransport(httpx.Response(500, headers=headers, stream=httpx.ByteStream(b"what")))

    result = await http_client(transport).send("get", "GET", "/a", read_seconds=1.0)

    assert isinstance(result, Reply)
    assert (result.status, result.body) == (500, b"what")


async def test_deflate_without_its_wrapping_is_decompressed() -> None:
    raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    body = raw.compress(b"[1]") + raw.flush()
    transport = ScriptedTransport(
        httpx.Response(200, headers={"Content-Encoding": "deflate"}, stream=httpx.ByteStream(body))
    )

    result = await http_client(transport).send("get", "GET", "/a", read_seconds=1.0)

    assert isinstance(result, Reply)
    assert result.json() == [1]


async def test_an_address_that_httpx_refuses_is_not_sent() -> None:
    result = await http_client(ScriptedTransport()).send("get", "GET", "/" + "1" * 70_000, read_seconds=1.0)

    assert isinstance(result, NotSent)
