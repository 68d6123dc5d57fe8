"""The body of an answer, piece by piece, with a bounded buffer. It must not know where the pieces come from."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final

import httpx

_HIGH_BYTES: Final = 256 << 10
"""So much may wait to be taken before nothing more is read from the socket."""


class BodyStream(httpx.AsyncByteStream):
    """For one reader. `aclose` ends the connection unless the body has come to its end; it must be called."""

    def __init__(self, hold_back: Callable[[], None], go_on: Callable[[], None], abort: Callable[[], None]) -> None:
        """`hold_back` and `go_on` are called when too much waits to be taken, and when that is over."""
        self._hold_back = hold_back
        self._go_on = go_on
        self._abort = abort
        self._pieces: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._held = False
        self._ended = False
        self._error: httpx.TransportError | None = None
        self._news = asyncio.Event()
        self.on_closed: Callable[[], None] = lambda: None
        """Called once, when nothing more will be taken."""

    def put(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._waiting_bytes += len(piece)
        self._news.set()
        if self._waiting_bytes > _HIGH_BYTES and not self._held:
            self._held = True
            self._hold_back()

    def end(self) -> None:
        self._ended = True
        self._news.set()

    def fail(self, error: httpx.TransportError) -> None:
        """What has come before can still be taken."""
        self._error = error
        self._news.set()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while not self._pieces:
            if self._error is not None:
                raise self._error
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        piece = self._pieces.popleft()
        self._waiting_bytes -= len(piece)
        if self._held and not self._pieces:
            self._held = False
            self._go_on()
        return piece

    async def aclose(self) -> None:
        if not self._ended:
            self._abort()
        self._pieces.clear()
        on_closed, self.on_closed = self.on_closed, lambda: None
        on_closed()
