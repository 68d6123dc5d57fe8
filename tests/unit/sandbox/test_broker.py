"""A real broker of one's own: it serves once started, keeps its records through a crash, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import socket
import uuid
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from service.sandbox.broker import BrokerError, LocalBroker
from service.sandbox.broker_probe import is_ready
from tests.plugins.brokers import StartBroker

pytestmark = pytest.mark.broker


async def create_topic(servers: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        created = await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
        assert [error for _, error, *_ in created.topic_errors] == [0]
    finally:
        await admin.close()


async def publish(servers: str, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=servers, transactional_id=f"{topic}-writer")
    await producer.start()
    try:
        async with producer.transaction():
            await producer.send_and_wait(topic, value)
    finally:
        await producer.stop()


async def first_value(servers: str, topic: str) -> bytes:
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=servers, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    await consumer.start()
    try:
        return bytes((await consumer.getone()).value)
    finally:
        await consumer.stop()


def port_of(servers: str) -> int:
    return int(servers.rpartition(":")[2])


async def test_the_shared_broker_takes_transactions(kafka: str, topic_prefix: str) -> None:
    topic = f"{topic_prefix}events"
    await create_topic(kafka, topic)

    await publish(kafka, topic, b"one")

    assert await first_value(kafka, topic) == b"one"


async def test_records_outlive_a_crash_of_the_broker_which_comes_back_at_its_address(local_broker: StartBroker) -> None:
    broker = await local_broker()
    servers = broker.bootstrap_servers
    await create_topic(servers, "events")
    await publish(servers, "events", b"before the crash")

    broker.kill()
    assert await is_ready("127.0.0.1", port_of(servers)) is False
    assert await broker.restart() == servers

    assert await first_value(servers, "events") == b"before the crash"


async def test_a_stopped_broker_leaves_nothing_behind(local_broker: StartBroker) -> None:
    broker = await local_broker()
    folder, port = broker.log_file.parent, port_of(broker.bootstrap_servers)
    assert (folder / "data").is_dir()

    await broker.stop()

    assert not folder.exists()
    assert broker.process_id is None
    assert await is_ready("127.0.0.1", port) is False


async def test_a_folder_of_ones_own_keeps_its_topics_from_one_broker_to_the_next(tmp_path: Path) -> None:
    first = LocalBroker(folder=tmp_path / "kafka")
    servers = await first.start()
    await create_topic(servers, "events")
    await publish(servers, "events", b"kept")
    await first.stop()

    second = LocalBroker(folder=tmp_path / "kafka")
    try:
        assert await first_value(await second.start(), "events") == b"kept"
    finally:
        await second.stop()


async def test_a_setting_that_kafka_refuses_is_named_in_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with pytest.raises(BrokerError, match=r"Invalid value 0 for configuration num\.io\.threads"):
        await LocalBroker(properties={"num.io.threads": "0"}).start()

    assert list(tmp_path.iterdir()) == []


async def test_a_broker_that_does_not_come_up_shows_the_end_of_its_log_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    broker = LocalBroker(jvm_options=("-Xmx1k",))

    with pytest.raises(BrokerError, match=r"(?s)ended with exit code 1\. The end of its log:.*Too small maximum heap"):
        await broker.start()

    assert list(tmp_path.iterdir()) == []
    assert broker.process_id is None


async def test_a_broker_that_has_just_started_leaves_three_quarters_of_its_memory_to_topics_and_clients() -> None:
    broker = LocalBroker(jvm_options=("-Xmx64m",))  # instead of 256 MiB
    try:
        servers = await broker.start()
        await create_topic(servers, "events")
        await publish(servers, "events", b"in a small heap")

        assert await first_value(servers, "events") == b"in a small heap"
    finally:
        await broker.stop()


async def test_a_broker_that_is_out_of_memory_ends_instead_of_answering_nobody() -> None:
    broker = LocalBroker(jvm_options=("-Xmx20m",))

    with pytest.raises(BrokerError, match=r"(?s)ended with exit code 3\. The end of its log:.*OutOfMemoryError"):
        await broker.start()


async def test_a_broker_whose_port_is_taken_while_it_was_away_says_so(local_broker: StartBroker) -> None:
    broker = await local_broker()
    broker.kill()

    with (
        socket.create_server(("127.0.0.1", port_of(broker.bootstrap_servers))),
        pytest.raises(BrokerError, match="taken"),
    ):
        await broker.restart()

    assert broker.process_id is None


def test_a_broker_started_under_one_event_loop_can_be_stopped_under_another() -> None:
    broker = LocalBroker()
    servers = asyncio.run(broker.start())

    assert asyncio.run(is_ready("127.0.0.1", port_of(servers))) is True
    asyncio.run(broker.stop())

    assert asyncio.run(is_ready("127.0.0.1", port_of(servers))) is False


async def test_a_broker_is_started_once(local_broker: StartBroker) -> None:
    broker = await local_broker()

    with pytest.raises(BrokerError, match="started already"):
        await broker.start()


async def test_a_broker_that_was_not_started_has_no_address() -> None:
    with pytest.raises(BrokerError, match="has not been started"):
        _ = LocalBroker().bootstrap_servers


async def test_it_starts_under_a_cluster_id_that_looks_like_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    dashes = uuid.UUID(bytes=b"\xfb" * 16)  # "-_v7-_v7…" in base64
    monkeypatch.setattr("service.sandbox.broker.uuid.uuid4", lambda: dashes)
    broker = LocalBroker()
    try:
        assert await broker.start()
    finally:
        await broker.stop()
