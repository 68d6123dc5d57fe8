"""Reading stretches of partitions, on a real broker: what is committed, from an offset to an end."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaProducer

from service.domain.record import Partition
from service.engine.ports import SourceUnavailable
from service.kafka import spans as module
from service.kafka.reader import Stored
from service.kafka.spans import Span, SpanReader, TopicMissing
from service.kafka.topic_admin import ensure_topics
from service.kafka.topics import CHANGES
from service.settings import KafkaSettings


@pytest.fixture
async def where(kafka: str, topic_prefix: str) -> Partition:
    await ensure_topics(KafkaSettings(bootstrap_servers=kafka), topic_prefix)
    return Partition(topic_prefix + CHANGES, 0)


@pytest.fixture
async def reader(kafka: str) -> AsyncIterator[SpanReader]:
    async with SpanReader(KafkaSettings(bootstrap_servers=kafka)) as made:
        yield made


@pytest.fixture
async def producer(kafka: str, topic_prefix: str) -> AsyncIterator[AIOKafkaProducer]:
    made = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=topic_prefix + "test")
    await made.start()
    yield made
    await made.stop()


async def send(producer: AIOKafkaProducer, where: Partition, *values: bytes) -> None:
    """One transaction."""
    async with producer.transaction():
        for value in values:
            await producer.send_and_wait(where.topic, value, partition=where.number)


async def values(reader: SpanReader, span: Span, where: Partition) -> list[bytes | None]:
    return [one.value async for batch in reader.read({where: span}) for one in batch]


async def test_what_is_committed_is_read_from_an_offset_to_an_end_and_nothing_behind_it(
    where: Partition, reader: SpanReader, producer: AIOKafkaProducer
) -> None:
    await send(producer, where, b"0", b"1", b"2")
    span = (await reader.stable_spans([where]))[where]
    await producer.begin_transaction()
    await producer.send_and_wait(where.topic, b"taken back", partition=0)
    await producer.abort_transaction()
    await send(producer, where, b"later")

    assert span == Span(0, 4), "and the end of the transaction"
    assert await values(reader, span, where) == [b"0", b"1", b"2"]
    assert await values(reader, Span(1, 2), where) == [b"1"]
    assert await values(reader, Span(2, 2), where) == []
    assert await values(reader, (await reader.stable_spans([where]))[where], where) == [b"0", b"1", b"2", b"later"]


async def test_one_record_is_found_at_its_offset_and_none_where_there_is_none(
    where: Partition, reader: SpanReader, producer: AIOKafkaProducer
) -> None:
    await send(producer, where, b"0", b"1")
    await reader.stable_spans([where])  # the end of a transaction shows a little after its producer hears of it

    found = [await reader.at(where, offset) for offset in range(4)]

    assert [one and one.value for one in found] == [b"0", b"1", None, None]
    assert isinstance(found[1], Stored)
    assert found[1].offset == 1


async def test_a_moment_is_found_and_a_partition_without_anything_later_is_left_out(
    kafka: str, where: Partition, reader: SpanReader
) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka) as plain:
        for at_ms in (1_700_000_000_000, 1_700_000_009_000):
            await plain.send_and_wait(where.topic, b"v", partition=0, timestamp_ms=at_ms)

    assert await reader.since([where, Partition(where.topic, 1)], 1_700_000_000_001) == {where: 1}
    assert await reader.since([where], 1_700_000_009_001) == {}


async def test_whoever_must_know_everything_waits_for_transactions_to_end(
    where: Partition, reader: SpanReader, producer: AIOKafkaProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STABLE_SECONDS", 0.3)
    await producer.begin_transaction()
    await producer.send_and_wait(where.topic, b"open", partition=0)

    with pytest.raises(SourceUnavailable, match=r"/0: a transaction has been open since offset 0"):
        await reader.stable_spans([where])
    assert await reader.spans([where]) == {where: Span(0, 0)}
    monkeypatch.undo()
    await producer.commit_transaction()

    assert await reader.stable_spans([where]) == {where: Span(0, 2)}


async def test_a_topic_that_is_not_there_is_named_and_not_made(reader: SpanReader, topic_prefix: str) -> None:
    for _ in range(2):
        with pytest.raises(TopicMissing, match=f"there is no topic {topic_prefix}nothing"):
            await reader.partitions(topic_prefix + "nothing")
