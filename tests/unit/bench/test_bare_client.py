"""A client without any work: all its calls are made, and whatever is no answer ends it."""

from __future__ import annotations

import pytest

from bench.bare_client import calls_per_second
from tests.unit.systems.raw_server import Exchange, raw_server

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


async def test_each_connection_makes_its_calls_one_after_the_other() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(NO_CONTENT)

    async with raw_server(answer) as server:
        rate = await calls_per_second(server.port, concurrency=2, calls=3)

    assert rate > 0
    assert sorted((one.connection, one.number) for one in server.exchanges) == [
        (connection, number) for connection in (1, 2) for number in (1, 2, 3)
    ]
    assert {one.request_line.split()[0] for one in server.exchanges} == {"DELETE"}


@pytest.mark.parametrize(
    ("answer", "told"), [(b"HTTP/1.1 204", r"HTTP/1\.1 204"), (b"", "connection")], ids=["half an answer", "an end"]
)
async def test_what_is_no_answer_ends_it(answer: bytes, told: str) -> None:
    async def give(exchange: Exchange) -> None:
        if answer:
            await exchange.send(answer)
        else:
            exchange.writer.close()

    async with raw_server(give) as server:
        with pytest.raises(RuntimeError, match=told):
            await calls_per_second(server.port, concurrency=1, calls=1)
