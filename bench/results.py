"""Reads the results of a worker as its readers would, with the moment at which each could be seen."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

import orjson
from aiokafka import AIOKafkaConsumer

_BEFORE_NUMBER = b'"event":{"id":"'
_BEFORE_OWN_NUMBER = b'"id":"'
_FETCH_SECONDS = 1.0


class Reader(Protocol):
    """Gives the values of records that have come in, none after so many seconds."""

    async def fetch(self, timeout_seconds: float) -> Sequence[bytes]: ...


class KafkaReader:
    """Committed records of all partitions of a topic. Costs less than `service.kafka.reader.TopicReader`, for what it
    costs is taken from the broker and the stub."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def fetch(self, timeout_seconds: float) -> Sequence[bytes]:
        batches = await self._consumer.getmany(timeout_ms=round(timeout_seconds * 1000))
        return [record.value for batch in batches.values() for record in batch]


class Results:
    """Over a reader of `holdings.results`, or of another topic whose records are `numbered` otherwise. `alive` raises
    when the worker has ended."""

    def __init__(
        self, reader: Reader, alive: Callable[[], None], numbered: Callable[[bytes], int] | None = None
    ) -> None:
        self._reader = reader
        self._alive = alive
        self._numbered = numbered or number_of
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
            values = await self._reader.fetch(_FETCH_SECONDS)
            moment = time.monotonic()
            for value in values:
                number = self._numbered(value)
                if number not in self.seen:
                    self.seen[number] = moment
                    self._values[number] = value
                    missing -= number not in left_out

    def check(self, left_out: Collection[int] = ()) -> None:
        """Raises RuntimeError unless everything seen has succeeded: a worker that fails quickly is not a quick one."""
        outcomes = Counter(outcome_of(value) for number, value in self._values.items() if number not in left_out)
        if set(outcomes) - {"succeeded"}:
            raise RuntimeError(f"not all events succeeded: {dict(outcomes)}")


def number_of(value: bytes) -> int:
    """The event's number, found without reading the whole. Raises ValueError for a result that has none."""
    return _number_behind(_BEFORE_NUMBER, value)


def own_number_of(value: bytes) -> int:
    """Of an event itself. Raises ValueError for one that has none."""
    return _number_behind(_BEFORE_OWN_NUMBER, value)


def _number_behind(words: bytes, value: bytes) -> int:
    begin = value.index(words) + len(words)
    return int(value[begin : value.index(b'"', begin)])


def outcome_of(value: bytes) -> str:
    return str(orjson.loads(value)["data"]["outcome"])
