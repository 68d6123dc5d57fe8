"""HoldingsIQ below the relay's own adapter: a transport whose requests stumble at random, and whose other side goes on
with what has reached it when the caller is gone or sleeps."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable
from random import Random
from typing import Final
from urllib.parse import unquote

import httpx

from service.domain.jsonvalue import JsonValue
from service.systems.downloads import Downloads
from service.systems.holdingsiq import ExportPolicy, HoldingsIq
from service.systems.holdingsiq_calls import ExportCalls
from service.systems.http import Clocks, HttpClient
from tests.fakes.export_ledger import EPOCH_SECONDS, FILES_HOST, ExportLedger, file_of
from tests.fakes.fates import APPLIED, CALL_TIMEOUT_SECONDS, Fate, seconds_of
from tests.fakes.ledger import Ledger, PlacedEvent
from tests.fakes.process import FakeProcess

ANSWER_SECONDS: Final = 0.5
"""The longest that a call takes when nothing is wrong: an export has many, and is to meet all of the trouble."""
PIECE_BYTES: Final = 60
"""The most of a file that comes at once."""
PIECE_SECONDS: Final = 0.2
"""The longest between two pieces when nothing is wrong."""
RANGES_SHARE: Final = 0.7
"""Of requests for the rest of a file that get it, and not the whole."""
MOST_WAITS: Final = 2
MOST_ROWS_PER_COMMIT: Final = 3
NEVER_SECONDS: Final = 1_000_000.0
CUT_SHARE: Final = 0.2
"""Of the downloads that no other trouble meets."""

Leaving = Callable[[PlacedEvent], Awaitable[bool]]
"""Awaited before a request leaves; says whether it is to be judged."""


class ErraticHoldingsIq(httpx.AsyncBaseTransport):
    """The way of one worker to HoldingsIQ. `fate` says what becomes of a request for an event."""

    def __init__(
        self,
        ledger: Ledger,
        exports: ExportLedger,
        process: FakeProcess,
        random: Random,
        fate: Callable[[PlacedEvent], Fate],
        leaving: Leaving,
    ) -> None:
        self._ledger = ledger
        self._exports = exports
        self._process = process
        self._random = random
        self._fate = fate
        self._leaving = leaving

    def adapter(self) -> HoldingsIq:
        """The real one, on this transport and in the loop's time."""
        now = asyncio.get_running_loop().time
        clocks = Clocks(lambda: EPOCH_SECONDS + now(), now)
        http = HttpClient("holdingsiq", "https://api.example", self, clocks=clocks)
        policy = ExportPolicy(0.5, 4.0, NEVER_SECONDS, self._random.randint(1, MOST_ROWS_PER_COMMIT))
        return HoldingsIq(
            ExportCalls(http, CALL_TIMEOUT_SECONDS),
            Downloads("holdingsiq", self, clocks=clocks),
            policy,
            clocks,
            self._random.uniform,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        is_download = request.url.host == FILES_HOST
        path = [unquote(part) for part in request.url.raw_path.decode().partition("?")[0].split("/")[1:]]
        placed = self._ledger.events[path[0] if is_download else path[2]]
        judged = await self._leaving(placed)
        if request.method == "POST" and judged:
            self._exports.check_post(placed, self._process.name)
        fate = self._fate(placed)
        if is_download:
            return await self._download(placed, fate, request.headers.get("range"))
        return await self._call(placed, request.method, path[4] if len(path) > 4 else None, fate, judged)

    async def _call(
        self, placed: PlacedEvent, method: str, export_id: str | None, fate: Fate, judged: bool
    ) -> httpx.Response:
        serving = asyncio.get_running_loop().create_task(
            self._serve(placed, method, export_id, fate, judged), context=contextvars.Context()
        )
        self._ledger.under_way.add(serving)
        serving.add_done_callback(self._ledger.under_way.discard)
        answered: tuple[int, JsonValue] | None = None
        try:
            async with asyncio.timeout(CALL_TIMEOUT_SECONDS):
                answered = await asyncio.shield(serving)
        except TimeoutError:
            fate = "timed out"
        await self._process.breathe()
        _raise_trouble(fate)
        status, content = answered if answered is not None and fate != "denied" else (401, {"message": "who are you?"})
        return httpx.Response(status, json=content)

    async def _serve(
        self, placed: PlacedEvent, method: str, export_id: str | None, fate: Fate, judged: bool
    ) -> tuple[int, JsonValue] | None:
        """HoldingsIQ's side of a call."""
        now = asyncio.get_running_loop().time
        asked_at, seconds = now(), seconds_of(fate, self._random, ANSWER_SECONDS)
        await asyncio.sleep(seconds / 2)
        answer: tuple[int, JsonValue] | None = None
        if fate in APPLIED:
            match method, export_id:
                case "POST", _ if placed.refused:
                    answer = 400, {"message": "no"}
                case "POST", _:
                    self._ledger.apply(placed, uncertain=False)
                    waits = self._random.randint(0, MOST_WAITS)
                    answer = 202, self._exports.make(placed, asked_at, now(), waits, judged=judged)
                case _, None:
                    answer = 200, self._exports.list(placed, now())
                case _, str():
                    answer = 200, self._exports.look(placed, export_id)
        await asyncio.sleep(seconds / 2)
        return answer

    async def _download(self, placed: PlacedEvent, fate: Fate, wanted: str | None) -> httpx.Response:
        """The head at once, or no head; trouble with the body comes anywhere in it. A range is heeded, or not."""
        await asyncio.sleep(self._random.uniform(0, PIECE_SECONDS))
        await self._process.breathe()
        if fate == "denied":
            return httpx.Response(403, text="<Error><Code>AccessDenied</Code><Message>Expired</Message></Error>")
        if fate in ("never arrived", "lost on the way there"):
            _raise_trouble(fate)
        content, status = file_of(placed), 200
        headers = {"ETag": '"whole"'}
        if wanted is not None and self._random.random() < RANGES_SHARE:
            first, size = int(wanted.removeprefix("bytes=").removesuffix("-")), len(content)
            content, status = content[first:], 206
            headers["Content-Range"] = f"bytes {first}-{size - 1}/{size}"
            self._exports.downloads_gone_on_with += 1
        headers["Content-Length"] = str(len(content))
        if fate not in ("answered", "answered late") or self._random.random() < CUT_SHARE:
            self._exports.downloads_cut += 1
            content = content[: self._random.randrange(len(content))]
        return httpx.Response(status, headers=headers, stream=_Body(content, fate, self._process, self._random))


class _Body(httpx.AsyncByteStream):
    """A file in pieces of any size."""

    def __init__(self, content: bytes, fate: Fate, process: FakeProcess, random: Random) -> None:
        self._content = content
        self._fate = fate
        self._process = process
        self._random = random

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._content:
            await self._end()
        await asyncio.sleep(self._random.uniform(0, PIECE_SECONDS))
        await self._process.breathe()
        size = self._random.randint(1, PIECE_BYTES)
        piece, self._content = self._content[:size], self._content[size:]
        return piece

    async def _end(self) -> None:
        """Whole, or in the middle: the connection breaks, is closed as if all were well, or stands still."""
        if self._fate == "timed out":
            await asyncio.sleep(CALL_TIMEOUT_SECONDS)
            await self._process.breathe()
            _raise_trouble(self._fate)
        if self._fate == "lost on the way back" and self._random.random() < 0.5:
            _raise_trouble(self._fate)
        raise StopAsyncIteration


def _raise_trouble(fate: Fate) -> None:
    match fate:
        case "never arrived":
            raise httpx.ConnectError("made to fail")
        case "timed out":
            raise httpx.ReadTimeout("made to fail")
        case "lost on the way there" | "lost on the way back":
            raise httpx.ReadError("made to fail")
        case "answered" | "answered late" | "denied":
            return
