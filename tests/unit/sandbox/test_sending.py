"""Answers that go out in pieces: large, slow, cut off, without a length."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping

import aiohttp
import pytest

from service.sandbox.exchange import Call, JsonValue, Reply, text_reply
from service.sandbox.faults import Fault
from service.sandbox.server import Sandbox

PIECE = b"0123456789abcdef" * 4096


class Pattern:
    """A body of any size."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.made = 0

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        for position in range(start, self.size, len(PIECE)):
            piece = PIECE[: self.size - position]
            self.made += len(piece)
            yield piece


class Library:
    """A system that answers with what it is told."""

    name = "scsb"

    def __init__(self) -> None:
        self.reply = text_reply(200, "0123456789")

    def serves(self, method: str, path: str) -> bool:
        return True

    def handle(self, call: Call) -> Reply:
        return text_reply(200, "small") if call.path == "/small" else self.reply

    def entities(self, call: Call) -> tuple[str, ...]:
        return ()

    def snapshot(self) -> dict[str, JsonValue]:
        return {}

    def load(self, state: Mapping[str, JsonValue]) -> None:
        return None

    def reset(self) -> None:
        return None


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
async def served(library: Library) -> AsyncIterator[Sandbox]:
    async with Sandbox([library]) as running:
        yield running


async def read_until_cut(http: aiohttp.ClientSession, url: str) -> tuple[int, bytes]:
    """What is announced, and what arrives before the connection ends."""
    arrived = bytearray()

    async def take_all(content: aiohttp.StreamReader) -> None:
        async for piece in content.iter_any():
            arrived.extend(piece)

    async with http.get(url) as response:
        with pytest.raises(aiohttp.ClientPayloadError):
            await take_all(response.content)
        return int(response.headers["Content-Length"]), bytes(arrived)


async def test_a_body_made_on_the_way_arrives_whole_with_its_length(
    served: Sandbox, library: Library, http: aiohttp.ClientSession
) -> None:
    library.reply = Reply(206, content_type="text/csv", headers=(("ETag", '"x"'),), content=Pattern(1_000_003))
    async with http.get(f"{served.scsb_url}/x") as response:
        body = await response.read()

    assert (response.status, response.headers["Content-Type"], response.headers["ETag"]) == (206, "text/csv", '"x"')
    assert (response.headers["Content-Length"], len(body)) == ("1000003", 1_000_003)
    assert body[: len(PIECE)] == PIECE
    (entry,) = served.ledger
    assert (entry.status, entry.applied, entry.finished_at is None) == (206, True, False)


async def test_no_more_is_made_than_the_client_takes(
    served: Sandbox, library: Library, http: aiohttp.ClientSession
) -> None:
    endless = Pattern(10**12)
    library.reply = Reply(200, content=endless)
    async with http.get(f"{served.scsb_url}/x") as response:
        await response.content.readexactly(1000)
        async with http.get(f"{served.scsb_url}/small") as other:
            assert await other.text() == "small"
        response.close()

    async with asyncio.timeout(10):
        while not all(entry.finished_at for entry in served.ledger):  # noqa: ASYNC110 the ledger has no event
            await asyncio.sleep(0.005)
    assert endless.made < 100_000_000


@pytest.mark.parametrize("size", [0, 1, 70_000, 999_999])
async def test_a_cut_comes_after_exactly_so_many_bytes(
    served: Sandbox, library: Library, http: aiohttp.ClientSession, size: int
) -> None:
    library.reply = Reply(200, content=Pattern(1_000_000))
    served.faults.add(Fault(cut_after_bytes=size, times=1))

    announced, arrived = await read_until_cut(http, f"{served.scsb_url}/x")

    assert (announced, len(arrived)) == (1_000_000, size)
    async with http.get(f"{served.scsb_url}/x") as response:
        assert len(await response.read()) == 1_000_000


async def test_a_plain_answer_can_be_cut_too(served: Sandbox, http: aiohttp.ClientSession) -> None:
    served.faults.add(Fault(cut_after_bytes=4))

    assert await read_until_cut(http, f"{served.scsb_url}/x") == (10, b"0123")


async def test_a_cut_beyond_the_end_ends_the_connection_after_the_whole_body(
    served: Sandbox, http: aiohttp.ClientSession
) -> None:
    served.faults.add(Fault(cut_after_bytes=100))

    async with http.get(f"{served.scsb_url}/x") as response:
        assert await response.text() == "0123456789"


async def test_a_body_can_be_sent_slowly(served: Sandbox, library: Library, http: aiohttp.ClientSession) -> None:
    library.reply = Reply(200, content=Pattern(100_000))
    served.faults.add(Fault(bytes_per_second=400_000))

    began = time.monotonic()
    async with http.get(f"{served.scsb_url}/x") as response:
        assert len(await response.read()) == 100_000

    assert time.monotonic() - began >= 0.2


async def test_a_body_can_be_sent_without_its_length(
    served: Sandbox, library: Library, http: aiohttp.ClientSession
) -> None:
    library.reply = Reply(200, content=Pattern(100_000))
    served.faults.add(Fault(without_length=True))

    async with http.get(f"{served.scsb_url}/x") as response:
        assert len(await response.read()) == 100_000
        assert "Content-Length" not in response.headers


async def test_a_truncated_body_announces_no_more_than_it_has(
    served: Sandbox, library: Library, http: aiohttp.ClientSession
) -> None:
    library.reply = Reply(200, content=Pattern(100_000))
    served.faults.add(Fault(truncate_bytes=70_000))

    async with http.get(f"{served.scsb_url}/x") as response:
        assert len(await response.read()) == 70_000
        assert response.headers["Content-Length"] == "70000"


async def test_a_status_in_place_of_a_body_made_on_the_way_is_all_that_is_sent(
    served: Sandbox, library: Library, http: aiohttp.ClientSession
) -> None:
    library.reply = Reply(200, content=Pattern(100_000))
    served.faults.add(Fault(status=503, stage="after", body="down"))

    async with http.get(f"{served.scsb_url}/x") as response:
        assert (response.status, await response.text()) == (503, "down")
