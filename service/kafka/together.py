"""Does in one what several ask for at about the same time.

Owns who waits for which answer, and when the next request leaves. What is done it is told.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Together(Generic[Asked, Answer]):
    """One request is under way at a time; what is asked for meanwhile goes with the next."""

    def __init__(
        self,
        do: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer | BaseException]]],
        *,
        linger_seconds: float = 0.0,
        spacing_seconds: float = 0.0,
    ) -> None:
        """`do` gives one answer, or what is to be raised, for each thing asked, in their order; what it raises itself
        is raised to all. The first to ask waits `linger_seconds` for others, and from the beginning of one request to
        that of the next `spacing_seconds` pass."""
        self._do = do
        self._linger_seconds = linger_seconds
        self._spacing_seconds = spacing_seconds
        self._began = -math.inf
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._working: asyncio.Task[None] | None = None

    async def __call__(self, asked: Asked) -> Answer:
        """Whoever is cancelled waits no longer; what it asked for may be done all the same."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work(), name="together")
        return await answer

    async def close(self) -> None:
        """Give up what is under way; whoever waits for it is told that it was cancelled."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait((self._working,))

    async def _work(self) -> None:
        while self._waiting:
            now = asyncio.get_running_loop().time()
            await asyncio.sleep(max(self._linger_seconds, self._began + self._spacing_seconds - now))
            self._began = asyncio.get_running_loop().time()
            taken, self._waiting = self._waiting, []
            wanted = [(asked, answer) for asked, answer in taken if not answer.done()]
            try:
                answers = await self._do([asked for asked, _ in wanted]) if wanted else ()
            except asyncio.CancelledError:
                for _, answer in (*wanted, *self._waiting):
                    answer.cancel()
                raise
            except Exception as error:  # noqa: BLE001 - handed to those who asked
                answers = [error] * len(wanted)
            for (_, answer), found in zip(wanted, answers, strict=True):
                if answer.done():
                    continue
                if isinstance(found, BaseException):
                    answer.set_exception(found)
                else:
                    answer.set_result(found)
