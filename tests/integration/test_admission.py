"""What is known, before it is sent, of whether a topic takes a record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer

from service.engine.ports import Outgoing
from service.kafka.admission import Admission, stored_bytes
from service.kafka.sending import MAX_BATCH_BYTES, send_all
from service.settings import KafkaSettings
from tests.support.topic_changing import topic_operator

HEADERS = tuple((f"header-{number}", b"x" * number) for number in range(20))


@asynccontextmanager
async def producing(servers: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=servers, max_request_size=32 << 20, max_batch_size=MAX_BATCH_BYTES, enable_idempotence=True
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


def record_of(topic: str, size: int) -> Outgoing:
    return Outgoing(topic, b"key", b"v" * size, HEADERS)


async def test_a_record_that_counts_as_fitting_is_taken_by_the_broker(kafka: str, topic_prefix: str) -> None:
    topic = topic_prefix + "t"
    async with topic_operator(kafka) as operator, producing(kafka) as producer:
        await operator.create(topic, 1)
        await operator.limit(topic, 50_000)
        admission = Admission(KafkaSettings(bootstrap_servers=kafka))
        fitting = record_of("t", 50_000 - stored_bytes(record_of("t", 0)))
        one_more = record_of("t", len(fitting.value or b"") + 1)

        refusals = await admission.refusals(producer, topic_prefix, [fitting, one_more])

        assert refusals.keys() == {1}
        assert "max.message.bytes is 50000" in refusals[1]
        await producer.send_and_wait(topic, fitting.value, fitting.key, headers=list(HEADERS))


async def test_a_limit_that_was_raised_is_heeded_once_the_reading_is_old(kafka: str, topic_prefix: str) -> None:
    topic = topic_prefix + "t"
    async with topic_operator(kafka) as operator, producing(kafka) as producer:
        await operator.create(topic, 1)
        await operator.limit(topic, 50_000)
        now = [0.0]
        admission = Admission(KafkaSettings(bootstrap_servers=kafka), monotonic=lambda: now[0])
        large = [record_of("t", 60_000)]
        assert await admission.refusals(producer, topic_prefix, large)

        await operator.limit(topic, 100_000)
        assert await admission.refusals(producer, topic_prefix, large)
        now[0] = 60.0
        assert not await admission.refusals(producer, topic_prefix, large)


async def test_records_for_a_topic_that_is_not_there_are_refused_by_name(kafka: str, topic_prefix: str) -> None:
    async with producing(kafka) as producer:
        admission = Admission(KafkaSettings(bootstrap_servers=kafka))

        refusals = await admission.refusals(producer, topic_prefix, [record_of("nowhere", 1)])

        assert refusals == {0: f"there is no topic {topic_prefix}nowhere"}


async def test_what_a_broker_has_refused_is_not_sent_again_for_a_while(kafka: str, topic_prefix: str) -> None:
    async with topic_operator(kafka) as operator, producing(kafka) as producer:
        await operator.create(topic_prefix + "t", 1)
        now = [0.0]
        admission = Admission(KafkaSettings(bootstrap_servers=kafka), monotonic=lambda: now[0])
        refused = record_of("t", 1000)
        admission.learn(topic_prefix + "t", stored_bytes(refused))

        size = stored_bytes(refused)
        assert await admission.refusals(producer, topic_prefix, [record_of("t", 999), refused]) == {
            1: f"the topic {topic_prefix}t has refused {size} bytes, and these are {size}"
        }
        now[0] = 3600.0
        assert not await admission.refusals(producer, topic_prefix, [refused])


async def test_batches_of_many_records_are_as_large_as_the_topic_takes(kafka: str, topic_prefix: str) -> None:
    topic = topic_prefix + "t"
    async with topic_operator(kafka) as operator, producing(kafka) as producer:
        await operator.create(topic, 1)
        await operator.limit(topic, 5_000)
        admission = Admission(KafkaSettings(bootstrap_servers=kafka))
        records = [record_of("t", 1_000)] * 20
        assert not await admission.refusals(producer, topic_prefix, records)

        refused = await send_all(producer, topic_prefix, records, admission.batch_bytes)

        assert refused == []


async def test_after_a_batch_of_several_was_refused_records_go_one_by_one_for_a_while(
    kafka: str, topic_prefix: str
) -> None:
    topic = topic_prefix + "t"
    async with topic_operator(kafka) as operator, producing(kafka) as producer:
        await operator.create(topic, 1)
        now = [0.0]
        admission = Admission(KafkaSettings(bootstrap_servers=kafka), monotonic=lambda: now[0])
        assert not await admission.refusals(producer, topic_prefix, [record_of("t", 1_000)])
        usual = admission.batch_bytes(topic)

        admission.learn_of_several(topic)

        assert usual >= MAX_BATCH_BYTES
        assert admission.batch_bytes(topic) == 0
        assert not await admission.refusals(producer, topic_prefix, [record_of("t", 1_000)])
        now[0] = 3600.0
        assert admission.batch_bytes(topic) == usual
