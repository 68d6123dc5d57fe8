"""aiokafka's consumer comes to its end without a word, or refuses to, or its group falls silent: a worker neither
stands still nor is in its own way, and knows how long ago it was heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import pytest
from aiokafka.errors import RequestTimedOutError
from aiokafka.protocol.group import HeartbeatRequest

from service.domain.record import Partition
from service.engine.ports import SourceUnavailable
from service.kafka import background
from service.kafka.source import KafkaSource
from service.kafka.stores import SharedStores
from service.kafka.topic_admin import ensure_topics
from service.kafka.topics import CHANGES
from service.settings import KafkaSettings

SESSION_SECONDS, REBALANCE_SECONDS = 6.0, 60.0
HEARTBEAT_SECONDS = SESSION_SECONDS / 5


class _Listener:
    """Knows when it was given partitions."""

    def __init__(self) -> None:
        self.given = asyncio.Event()

    async def revoking(self) -> None: ...

    def expelled(self) -> None: ...

    async def assigned(self, epochs: Mapping[Partition, int]) -> None:
        self.given.set()


@asynccontextmanager
async def member(kafka: str, prefix: str) -> AsyncIterator[KafkaSource]:
    """One that has its partitions."""
    settings = KafkaSettings(
        bootstrap_servers=kafka,
        group_id=prefix + "group",
        session_timeout_seconds=SESSION_SECONDS,
        rebalance_timeout_seconds=REBALANCE_SECONDS,
    )
    await ensure_topics(settings, prefix)
    source = KafkaSource(settings, [prefix + CHANGES], SharedStores(settings, prefix), lambda *_: None)
    listener = _Listener()
    await source.start(listener)
    try:
        async with asyncio.timeout(REBALANCE_SECONDS / 2):
            while not listener.given.is_set():
                await source.fetch(0.1)
        yield source
    finally:
        await source.stop()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(REBALANCE_SECONDS / 2):
        while not holds():  # noqa: ASYNC110 - asked, not told
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("part", ["the fetching", "the membership in the group", "the knowledge of the cluster"])
async def test_a_part_of_the_consumer_that_ends_by_itself_is_noticed_at_the_next_fetch(
    kafka: str, topic_prefix: str, part: str
) -> None:
    async with member(kafka, topic_prefix) as source:
        consumer = source._consumer
        assert consumer is not None
        task = background.tasks(consumer)[part]
        task.cancel()
        await asyncio.wait((task,))

        with pytest.raises(SourceUnavailable, match=part):
            await source.fetch(0.1)


async def test_a_consumer_that_cannot_be_stopped_in_good_order_does_not_hold_up_the_next(
    kafka: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with member(kafka, topic_prefix) as source:
        consumer = source._consumer
        assert consumer is not None

        async def refuse() -> None:
            raise asyncio.CancelledError

        monkeypatch.setattr(consumer._coordinator, "close", refuse)
        await source.stop()

        async with member(kafka, topic_prefix):  # fails when it is held up for half of the time of a rebalance
            pass


async def test_a_source_knows_how_long_its_group_has_been_silent(
    kafka: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with member(kafka, topic_prefix) as source:
        coordinator = source._consumer._coordinator  # type: ignore[union-attr]  # it was started
        answer, asked = coordinator._send_req, list[float]()

        async def lose_heartbeats(request: object) -> object:
            if isinstance(request, HeartbeatRequest):
                asked.append(source.silent_seconds())
                raise RequestTimedOutError
            return await answer(request)

        await until(lambda: source.silent_seconds() > HEARTBEAT_SECONDS / 2)
        await until(lambda: source.silent_seconds() < HEARTBEAT_SECONDS / 2)

        monkeypatch.setattr(coordinator, "_send_req", lose_heartbeats)
        await until(lambda: len(asked) > 3)
        assert asked == sorted(asked)
        assert asked[-1] > HEARTBEAT_SECONDS / 2, "a question without an answer confirms nothing"

        monkeypatch.undo()
        await until(lambda: source.silent_seconds() < HEARTBEAT_SECONDS / 2)

    assert source.silent_seconds() == 0.0, "it has left"
