"""Reading topics beside the worker: what is committed, once, from the beginning; and taking temporary topics away."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaProducer

from service.engine.ports import Outgoing, SourceUnavailable
from service.kafka.publisher import publish_all
from service.kafka.reader import TopicReader, read_all
from service.kafka.temporary_topics import delete_topics
from service.kafka.topic_admin import ensure_topics
from service.kafka.topics import DEAD_LETTERS, RESULTS, TOPICS
from service.settings import KafkaSettings


def settings_for(kafka: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=kafka)


async def test_every_record_is_read_as_it_lies_in_the_topic(kafka: str, topic_prefix: str) -> None:
    settings = settings_for(kafka)
    await ensure_topics(settings, topic_prefix)
    records = [Outgoing(RESULTS, b"k%d" % number, b"v%d" % number, (("h", b"1"),)) for number in range(50)]
    records.append(Outgoing(DEAD_LETTERS, b"key", None))

    published = await publish_all(settings, topic_prefix, records)

    found = await read_all(settings, topic_prefix, (RESULTS, DEAD_LETTERS))
    assert {(r.topic, r.partition, r.offset) for r in found} == {
        (p.topic.removeprefix(topic_prefix), p.partition, p.offset) for p in published
    }
    assert {(r.topic, r.key, r.value, r.headers) for r in found} == {
        (r.topic, r.key, r.value, r.headers) for r in records
    }


async def test_what_a_transaction_took_back_is_never_seen(kafka: str, topic_prefix: str) -> None:
    settings = settings_for(kafka)
    await ensure_topics(settings, topic_prefix)
    producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=f"{topic_prefix}producer")
    await producer.start()
    try:
        await producer.begin_transaction()
        await producer.send_and_wait(topic_prefix + RESULTS, b"taken back", partition=0)
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send_and_wait(topic_prefix + RESULTS, b"kept", partition=0)
    finally:
        await producer.stop()

    assert [stored.value for stored in await read_all(settings, topic_prefix, (RESULTS,))] == [b"kept"]


async def test_a_reader_goes_on_where_it_was(kafka: str, topic_prefix: str) -> None:
    settings = settings_for(kafka)
    await ensure_topics(settings, topic_prefix)
    async with TopicReader(settings, topic_prefix, (RESULTS,)) as reader:
        assert await reader.fetch_rest() == []
        for value in (b"first", b"second"):
            await publish_all(settings, topic_prefix, [Outgoing(RESULTS, b"k", value)])
            assert [stored.value for stored in await reader.fetch_rest()] == [value]
        assert await reader.fetch(0.05) == []


async def test_temporary_topics_are_deleted_and_no_others(kafka: str, topic_prefix: str) -> None:
    settings = settings_for(kafka)
    other = f"other-{topic_prefix}"
    for prefix in (topic_prefix, other):
        await ensure_topics(settings, prefix)

    assert await delete_topics(settings, topic_prefix) == sorted(topic_prefix + spec.name for spec in TOPICS)

    assert all(state.missing for state in await ensure_topics(settings, topic_prefix, create=False))
    assert not any(state.missing for state in await ensure_topics(settings, other, create=False))
    assert await delete_topics(settings, topic_prefix) == []


async def test_topics_without_a_prefix_are_never_deleted(kafka: str) -> None:
    with pytest.raises(ValueError, match="not temporary"):
        await delete_topics(settings_for(kafka), "")


async def test_a_broker_that_cannot_be_had_is_said_to_be_so() -> None:
    nowhere = settings_for("127.0.0.1:1")
    with pytest.raises(SourceUnavailable, match=r"127\.0\.0\.1:1"):
        await read_all(nowhere, "p.", (RESULTS,))
    with pytest.raises(SourceUnavailable, match=r"127\.0\.0\.1:1"):
        await delete_topics(nowhere, "p.")


async def test_what_is_in_a_transaction_that_has_not_ended_is_waited_for(
    kafka: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(kafka)
    await ensure_topics(settings, topic_prefix)
    producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=f"{topic_prefix}producer")
    await producer.start()
    try:
        await producer.begin_transaction()
        await producer.send_and_wait(topic_prefix + RESULTS, b"in time", partition=0)
        monkeypatch.setattr("service.kafka.reader.STABLE_SECONDS", 0.5)
        with pytest.raises(SourceUnavailable, match="stays open"):
            await read_all(settings, topic_prefix, (RESULTS,))
        monkeypatch.undo()

        reading = asyncio.create_task(read_all(settings, topic_prefix, (RESULTS,)))
        await producer.commit_transaction()

        assert [stored.value for stored in await reading] == [b"in time"]
    finally:
        await producer.stop()
