"""What the stores of `at_least_once` do without a broker. What they do with one is told by
`tests/contract/test_brokers.py`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import NoReturn
from unittest.mock import AsyncMock

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import (
    IllegalGenerationError,
    IllegalStateError,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerClosed,
    RebalanceInProgressError,
    RequestTimedOutError,
    UnknownMemberIdError,
)
from aiokafka.structs import OffsetAndMetadata

from service.domain.record import Partition
from service.engine.ports import Ahead, CommitFailure, Outgoing, OwnershipLost, Store, StoreUnavailable
from service.kafka.admission import Admission
from service.kafka.shared_stores import SharedStore, SharedStores
from service.settings import KafkaSettings


async def _unexpected(*_: object, **__: object) -> NoReturn:
    raise AssertionError("it was sent")


async def test_a_member_under_another_id_than_at_its_claim_publishes_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    coordinator = SimpleNamespace(member_id="relay-1")
    consumer = SimpleNamespace(_coordinator=coordinator, commit=_unexpected)
    monkeypatch.setattr("service.kafka.shared_stores.AIOKafkaProducer", _unexpected)
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

    def size(self) -> int:
        return sum(len(value or b"") for value in self.values)

    def close(self) -> None: ...


async def _one_partition(_topic: str) -> set[int]:
    return {0}


class _Producer:
    """Of aiokafka's, what a store uses. `takes` says what becomes of a record."""

    def __init__(self, takes: Callable[[], asyncio.Future[object]]) -> None:
        self.takes = takes
        self.batches = 0
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
        self.batches += 1
        self.sent += batch.values
        return self.takes()


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
    monkeypatch.setattr("service.kafka.shared_stores.AIOKafkaProducer", lambda **_: next(made))
    monkeypatch.setattr("service.kafka.shared_stores.SEND_SECONDS", 0.05)
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


@pytest.fixture
def producer(monkeypatch: pytest.MonkeyPatch) -> _Producer:
    """The one that all stores share."""
    made = _Producer(_acknowledged)
    monkeypatch.setattr("service.kafka.shared_stores.AIOKafkaProducer", lambda **_: made)
    monkeypatch.setattr(Admission, "_ask", AsyncMock(return_value=math.inf))
    return made


def _ahead(store: Store) -> Ahead:
    assert store.ahead is not None
    return store.ahead


async def _opened(consumer: SimpleNamespace, count: int) -> list[Store]:
    """So many stores of one worker."""
    stores = SharedStores(KafkaSettings(), "")
    return [await stores.open(Partition("changes", number), consumer) for number in range(count)]


@pytest.mark.usefixtures("producer")
async def test_positions_of_several_partitions_go_in_one_request() -> None:
    consumer = _consumer()
    stores = await _opened(consumer, 3)

    await asyncio.gather(*(store.commit([], number, "") for number, store in enumerate(stores)))

    (request,) = [call.args[0] for call in consumer.commit.await_args_list]
    assert {where.partition: stored.offset for where, stored in request.items()} == {0: 0, 1: 1, 2: 2}


@pytest.mark.usefixtures("producer")
async def test_where_positions_do_not_go_together_each_partition_has_its_own_answer() -> None:
    consumer = _consumer()
    stores = await _opened(consumer, 3)

    async def commit(offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        if TopicPartition("changes", 1) in offsets:
            raise IllegalStateError("changes/1 is not assigned")

    consumer.commit = AsyncMock(side_effect=commit)

    answers = await asyncio.gather(*(store.commit([], 7, "") for store in stores), return_exceptions=True)

    assert [type(answer) for answer in answers] == [type(None), OwnershipLost, type(None)]


@pytest.mark.usefixtures("producer")
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RebalanceInProgressError(), StoreUnavailable),
        (IllegalGenerationError(), OwnershipLost),
        (UnknownMemberIdError(), OwnershipLost),
        (RequestTimedOutError(), StoreUnavailable),
    ],
)
async def test_what_befalls_the_group_befalls_every_partition(error: KafkaError, told: type[Exception]) -> None:
    consumer = _consumer()
    consumer.commit = AsyncMock(side_effect=error)
    stores = await _opened(consumer, 2)

    answers = await asyncio.gather(*(store.commit([], 7, "") for store in stores), return_exceptions=True)

    assert [type(answer) for answer in answers] == [told, told]


async def test_records_of_several_partitions_go_in_one_batch(producer: _Producer) -> None:
    stores = await _opened(_consumer(), 3)

    await asyncio.gather(
        *(_ahead(store).publish([Outgoing("results", b"key", b"%d" % n)]) for n, store in enumerate(stores))
    )

    assert (producer.sent, producer.batches) == ([b"0", b"1", b"2"], 1)


async def test_only_those_whose_records_were_refused_are_told_so(producer: _Producer) -> None:
    stores = await _opened(_consumer(), 2)
    refused = _never()
    refused.set_exception(MessageSizeTooLargeError())
    outcomes = iter((_acknowledged(), refused))
    producer.takes = lambda: next(outcomes)

    answers = await asyncio.gather(
        *(
            _ahead(store).publish([Outgoing(topic, b"key", b"value")])
            for store, topic in zip(stores, "ab", strict=True)
        ),
        return_exceptions=True,
    )

    assert answers[0] is None
    assert isinstance(answers[1], OwnershipLost)
    assert answers[1].failure is CommitFailure.SPOILT
    assert producer.stopped, "it takes nothing more"


@pytest.mark.usefixtures("producer")
async def test_a_member_under_another_id_than_at_its_claim_commits_nothing_while_others_do() -> None:
    consumer = _consumer()
    stores = SharedStores(KafkaSettings(), "")
    before = await stores.open(Partition("changes", 0), consumer)
    consumer._coordinator.member_id = "relay-2"
    after = await stores.open(Partition("changes", 1), consumer)

    answers = await asyncio.gather(before.commit([], 7, ""), after.commit([], 7, ""), return_exceptions=True)

    assert [type(answer) for answer in answers] == [OwnershipLost, type(None)]


async def test_a_member_that_is_expelled_while_its_position_waits_for_others_does_not_commit_it() -> None:
    consumer = _consumer()
    store = SharedStore(Partition("changes", 0), SharedStores(KafkaSettings(), ""), consumer)
    committing = asyncio.create_task(store.commit([], 7, ""))
    await asyncio.sleep(0)

    consumer._coordinator.member_id = ""

    with pytest.raises(OwnershipLost):
        await committing
    assert consumer.commit.await_count == 0


async def test_a_member_that_is_expelled_while_its_records_wait_for_others_does_not_publish_them(
    producer: _Producer,
) -> None:
    consumer = _consumer()
    one, other = await _opened(consumer, 2)
    first, is_sent = _never(), asyncio.Event()

    def take() -> asyncio.Future[object]:
        is_sent.set()
        return first

    producer.takes = take
    under_way = asyncio.ensure_future(_ahead(one).publish([Outgoing("results", b"key", b"sent")]))
    await is_sent.wait()
    waiting = asyncio.ensure_future(_ahead(other).publish([Outgoing("results", b"key", b"late")]))
    await asyncio.sleep(0)  # it begins

    consumer._coordinator.member_id = ""
    first.set_result(None)

    await under_way
    with pytest.raises(OwnershipLost):
        await waiting
    assert producer.sent == [b"sent"]


@pytest.mark.usefixtures("producer")
async def test_positions_of_which_nothing_is_heard_in_time_can_be_committed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.kafka.shared_stores.COMMIT_SECONDS", 0.05)
    consumer = _consumer()
    stores = await _opened(consumer, 2)

    async def commit(_: object) -> None:
        await _never()

    consumer.commit = commit

    answers = await asyncio.gather(*(store.commit([], 7, "") for store in stores), return_exceptions=True)

    assert [type(answer) for answer in answers] == [StoreUnavailable, StoreUnavailable]
