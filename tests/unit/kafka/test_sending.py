"""Which record goes into which batch. What a broker makes of them is told by `tests/contract/test_brokers.py`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder

from service.engine.ports import Outgoing
from service.kafka.sending import Refused, send_all

PARTITIONS = 6


class Producer:
    """Takes batches of real builders, and keeps them."""

    def __init__(self, batch_bytes: int = 1000, *outcomes: Exception | None) -> None:
        self._batch_bytes = batch_bytes
        self._outcomes = list(outcomes)
        self.sent: list[tuple[str, int, int]] = []
        self.unsent: Exception | None = None

    async def partitions_for(self, topic: str) -> set[int]:
        return set(range(PARTITIONS))

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(self._batch_bytes, 0)

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> asyncio.Future[Any]:
        if self.unsent is not None and self.sent:
            raise self.unsent
        assert batch.append(timestamp=None, key=b"", value=b"") is None, "the batch is still open"
        self.sent.append((topic, partition, batch.record_count()))
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        outcome = self._outcomes.pop(0) if self._outcomes else None
        if outcome is None:
            future.set_result(None)
        else:
            future.set_exception(outcome)
        return future


def record(key: bytes | None, size: int = 10) -> Outgoing:
    return Outgoing("results", key, bytes(size), (("content-type", b"json"),))


async def send(
    producer: Producer, prefix: str, records: Sequence[Outgoing], takes_bytes: float = math.inf
) -> list[Refused]:
    return await send_all(producer, prefix, records, lambda topic: takes_bytes)


async def test_a_record_goes_where_every_client_of_kafka_sends_its_key() -> None:
    keys = [f"1-2-{number}".encode() for number in range(50)]
    partitioner, everywhere = DefaultPartitioner(), list(range(PARTITIONS))
    producer = Producer(batch_bytes=1)

    for key in keys:
        await send(producer, "x.", [record(key)])

    assert producer.sent == [("x.results", partitioner(key, everywhere, everywhere), 1) for key in keys]


async def test_records_of_one_partition_share_batches_that_are_full_and_partitions_take_turns() -> None:
    producer = Producer(batch_bytes=400)
    records = [record(key) for key in (b"a", b"b") for _ in range(20)]

    refused = await send(producer, "", records)

    assert refused == []
    assert sum(count for _, _, count in producer.sent) == 40
    assert max(count for _, _, count in producer.sent) > 2
    partitions = [partition for _, partition, _ in producer.sent]
    assert len(set(partitions)) == 2
    assert partitions[0] != partitions[1]


async def test_a_topic_that_takes_less_than_the_producer_gets_smaller_batches() -> None:
    producer = Producer(batch_bytes=100_000)

    await send(producer, "", [record(b"a", 300) for _ in range(6)], takes_bytes=1_000)

    assert [count for _, _, count in producer.sent] == [2, 2, 2]


async def test_a_topic_that_takes_no_batch_of_several_gets_each_record_alone() -> None:
    producer = Producer(batch_bytes=100_000)

    await send(producer, "", [record(b"a") for _ in range(3)], takes_bytes=0)

    assert [count for _, _, count in producer.sent] == [1, 1, 1]


async def test_a_record_larger_than_a_batch_is_sent_alone() -> None:
    producer = Producer(batch_bytes=400)

    await send(producer, "", [record(b"a"), record(b"a", 5_000), record(b"a")])

    assert [count for _, _, count in producer.sent] == [1, 1, 1]


async def test_a_record_with_neither_key_nor_value_is_sent() -> None:
    producer = Producer()

    await send(producer, "", [Outgoing("dead-letters", None, None, ())])

    assert [(topic, count) for topic, _, count in producer.sent] == [("dead-letters", 1)]


async def test_a_refused_batch_comes_back_with_its_error_and_its_records() -> None:
    error = KafkaError("no")
    producer = Producer(400, None, error)
    records = [record(b"a", 300), record(b"a", 301)]

    [refused] = await send(producer, "", records)

    assert (refused.error, list(refused.records)) == (error, records[1:])


async def test_when_a_batch_cannot_be_sent_those_before_it_have_come_to_their_end() -> None:
    producer = Producer(400, KafkaError("seen"))
    producer.unsent = KafkaError("closed")

    with pytest.raises(KafkaError, match="closed"):
        await send(producer, "", [record(b"a", 300), record(b"a", 301)])
    # an exception that nobody has seen would fail the test when its future is collected


async def test_a_commit_that_is_given_up_does_not_wait_for_what_was_sent_before() -> None:
    unanswered: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    blocked = asyncio.Event()

    async def send_batch(_batch: BatchBuilder, topic: str, **_: object) -> asyncio.Future[object]:
        if topic == "first":
            return unanswered
        blocked.set()
        return await asyncio.Future()

    async def one_partition(_topic: str) -> set[int]:
        return {0}

    records = [Outgoing("first", b"key", b"value"), Outgoing("second", b"key", b"value")]
    producer = SimpleNamespace(
        partitions_for=one_partition, create_batch=lambda: BatchBuilder(1000, 0), send_batch=send_batch
    )
    sending = asyncio.create_task(send_all(producer, "", records, lambda topic: math.inf))
    await blocked.wait()

    sending.cancel()
    ended, _ = await asyncio.wait((sending,), timeout=5)

    assert ended == {sending}
    assert sending.cancelled()
    assert not unanswered.done(), "the producer goes on with it"
