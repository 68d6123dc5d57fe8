"""What the stores do without a broker. What they do with one is told by `tests/contract/test_brokers.py`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import NoReturn
from unittest.mock import AsyncMock

import pytest
from aiokafka.errors import ProducerClosed

from service.domain.record import Partition
from service.engine.ports import Outgoing, OwnershipLost, StoreUnavailable
from service.kafka.admission import Admission
from service.kafka.stores import SharedStore, SharedStores, _send_all
from service.settings import KafkaSettings


async def _unexpected(*_: object, **__: object) -> NoReturn:
    raise AssertionError("it was sent")


async def test_a_member_under_another_id_than_at_its_claim_publishes_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    coordinator = SimpleNamespace(member_id="relay-1")
    consumer = SimpleNamespace(_coordinator=coordinator, commit=_unexpected)
    monkeypatch.setattr("service.kafka.stores.AIOKafkaProducer", _unexpected)
    store = SharedStore(Partition("changes", 0), SharedStores(KafkaSettings(), ""), consumer)

    coordinator.member_id = ""

    with pytest.raises(OwnershipLost, match="with the membership"):
        await store.commit([Outgoing("results", b"key", b"value")], 1, "")


class _Builder:
    """Of aiokafka's batch, what a store uses."""

    def __init__(self) -> None:
        self.values: list[bytes | None] = []

    def append(self, *, value: bytes | None, **_: object) -> object:
        self.values.append(value)
        return self

    def close(self) -> None: ...


async def _one_partition(_topic: str) -> set[int]:
    return {0}


class _Producer:
    """Of aiokafka's, what a store uses. `takes` says what becomes of a record."""

    def __init__(self, takes: Callable[[], asyncio.Future[object]]) -> None:
        self._takes = takes
        self.sent: list[bytes | None] = []
        self.stopped = False
        known = SimpleNamespace(partitions_for_topic=lambda _: {0}, unauthorized_topics=set())
        self.client = SimpleNamespace(cluster=known)

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        self.stopped = True

    async def partitions_for(self, topic: str) -> set[int]:
        return await _one_partition(topic)

    def create_batch(self) -> _Builder:
        return _Builder()

    async def send_batch(self, batch: _Builder, _topic: str, **_: object) -> asyncio.Future[object]:
        self.sent += batch.values
        return self._takes()


def _consumer() -> SimpleNamespace:
    """Of aiokafka's, what a store uses: a member of its group, all of whose tasks are running."""
    return SimpleNamespace(
        commit=AsyncMock(),
        _fetcher=SimpleNamespace(_fetch_task=_never()),
        _coordinator=SimpleNamespace(member_id="relay-1", _coordination_task=_never()),
        _client=SimpleNamespace(_sync_task=_never()),
    )


def _never() -> asyncio.Future[object]:
    return asyncio.get_running_loop().create_future()


def _acknowledged() -> asyncio.Future[object]:
    acknowledged = _never()
    acknowledged.set_result(None)
    return acknowledged


def _dead() -> asyncio.Future[object]:
    raise ProducerClosed


@pytest.mark.parametrize("end", [_never, _dead], ids=["silent", "ended"])
async def test_a_producer_that_takes_nothing_any_more_is_replaced_and_the_commit_can_be_tried_again(
    monkeypatch: pytest.MonkeyPatch, end: Callable[[], asyncio.Future[object]]
) -> None:
    stuck, sound = _Producer(end), _Producer(_acknowledged)
    made = iter([stuck, sound])
    monkeypatch.setattr("service.kafka.stores.AIOKafkaProducer", lambda **_: next(made))
    monkeypatch.setattr("service.kafka.stores.SEND_SECONDS", 0.05)
    monkeypatch.setattr(Admission, "_ask", AsyncMock(return_value=math.inf))
    consumer = _consumer()
    store = await SharedStores(KafkaSettings(), "").open(Partition("changes", 0), consumer)
    records = [Outgoing("results", b"key", b"value")]

    with pytest.raises(StoreUnavailable):
        await store.commit(records, 1, "")
    committed_before = consumer.commit.await_count
    await store.commit(records, 1, "")

    assert stuck.stopped
    assert committed_before == 0
    assert sound.sent == [b"value"]
    assert consumer.commit.await_count == 1


async def test_a_commit_ends_with_the_consumer_through_which_it_would_go() -> None:
    consumer, asked = _consumer(), asyncio.Event()

    async def commit(_: object) -> None:
        asked.set()
        await _never()

    consumer.commit = commit
    store = SharedStore(Partition("changes", 0), SharedStores(KafkaSettings(), ""), consumer)
    committing = asyncio.create_task(store.commit([], 1, ""))
    await asked.wait()

    consumer._client._sync_task.set_result(None)

    with pytest.raises(OwnershipLost, match="the knowledge of the cluster"):
        await asyncio.wait_for(committing, 5)


async def test_a_commit_that_is_given_up_does_not_wait_for_what_was_sent_before() -> None:
    unanswered: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    blocked = asyncio.Event()

    async def send_batch(_batch: _Builder, topic: str, **_: object) -> asyncio.Future[object]:
        if topic == "first":
            return unanswered
        blocked.set()
        return await asyncio.Future()

    records = [Outgoing("first", b"key", b"value"), Outgoing("second", b"key", b"value")]
    producer = SimpleNamespace(partitions_for=_one_partition, create_batch=_Builder, send_batch=send_batch)
    sending = asyncio.create_task(_send_all(Admission(KafkaSettings()), producer, "", records))
    await blocked.wait()

    sending.cancel()
    ended, _ = await asyncio.wait((sending,), timeout=5)

    assert ended == {sending}
    assert sending.cancelled()
    assert not unanswered.done(), "the producer goes on with it"
