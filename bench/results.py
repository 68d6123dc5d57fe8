"""Reads the results of a worker as its readers would, with the moment at which each could be seen."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection
from typing import Protocol

import orjson

from service.kafka.reader import Stored

_BEFORE_NUMBER = b'"event":{"id":"'
_FETCH_SECONDS = 1.0


class Reader(Protocol):
    """As `service.kafka.reader.TopicReader`."""

    async def fetch(self, timeout_seconds: float) -> list[Stored]: ...


class Results:
    """Over a reader of `holdings.results`. `alive` raises when the worker has ended."""

    def __init__(self, reader: Reader, alive: Callable[[], None]) -> None:
        self._reader = reader
        self._alive = alive
        self._values: dict[int, bytes] = {}
        self.seen: dict[int, float] = {}
        """The moment (`time.monotonic`) of each event's first result since `begin`."""

    def begin(self) -> None:
        """Forget what was seen so far."""
        self._values = {}
        self.seen = {}

    async def until(self, count: int, left_out: Collection[int] = ()) -> None:
        """Until so many events have a result, those `left_out` not counted."""
        missing = count
        while missing > 0:
            self._alive()
            for found in await self._reader.fetch(_FETCH_SECONDS):
                moment, number = time.monotonic(), number_of(found.value or b"")
                if number not in self.seen:
                    self.seen[number] = moment
                    self._values[number] = found.value or b""
                    missing -= number not in left_out

    def check(self, left_out: Collection[int] = ()) -> None:
        """Raises RuntimeError unless everything seen has succeeded: a worker that fails quickly is not a quick one."""
        outcomes = Counter(outcome_of(value) for number, value in self._values.items() if number not in left_out)
        if set(outcomes) - {"succeeded"}:
            raise RuntimeError(f"not all events succeeded: {dict(outcomes)}")


def number_of(value: bytes) -> int:
    """The event's number, found without reading the whole. Raises ValueError for a result that has none."""
    begin = value.index(_BEFORE_NUMBER) + len(_BEFORE_NUMBER)
    return int(value[begin : value.index(b'"', begin)])


def outcome_of(value: bytes) -> str:
    return str(orjson.loads(value)["data"]["outcome"])
