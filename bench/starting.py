"""Starts the worker that is to be measured, on topics of its own. Owns what every worker is told."""

from __future__ import annotations

import socket
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench.contestants import Contestant
from bench.keys import Draw, uniform
from bench.load import Running
from bench.mixes import Mix
from bench.processes import WORKER_CORE, process
from bench.report import print_progress
from bench.results import KafkaReader, Results
from bench.stage import Stage
from service.kafka.topic_admin import ensure_topics
from service.kafka.topics import CHANGES, RESULTS, TOPICS
from service.settings import KafkaSettings

LINGER_MS = 2
"""For which the publisher of events waits for more of them, as producers do (5 ms by default since Kafka 4.0): requests
for each event would fill the core of the broker by themselves."""
LOG_CHARACTERS = 2000
"""Of its log, told of a worker that has ended."""


@asynccontextmanager
async def running(
    stage: Stage, contestant: Contestant, mix: Mix, *, draw: Draw = uniform, keys: int = 1000, partitions: int = 0
) -> AsyncIterator[Running]:
    """The contestant on topics of its own, from its start; nothing is published before `warm_up`. `partitions` are
    those of the topic of its events, where they are not the contract's."""
    kafka, prefix = await fresh_topics(stage.servers, partitions)
    consumer, producer = reader_of(stage.servers, prefix + RESULTS), publisher(stage.servers)
    http_port = _free_port()
    settings = _settings(stage, kafka, prefix, contestant, http_port)
    with tempfile.TemporaryFile() as log:
        async with consumer, producer:
            began = time.monotonic()
            async with process(*contestant.command, settings=settings, core=WORKER_CORE, log=log) as worker:

                def alive() -> None:
                    if worker.returncode is not None:
                        log.seek(0)
                        told = log.read().decode(errors="replace")[-LOG_CHARACTERS:]
                        raise RuntimeError(f"{contestant.name} ended with {worker.returncode}:\n{told}")

                results = Results(KafkaReader(consumer), alive)
                print_progress(f"{contestant.name}: {mix.name}")
                metrics_port = http_port if contestant.tells_metrics else None
                yield Running(stage, mix, worker, producer, prefix, results, draw, keys, began, metrics_port)


async def fresh_topics(servers: str, partitions: int = 0) -> tuple[KafkaSettings, str]:
    """All topics under a prefix of their own, ready for use; and that prefix."""
    prefix = f"bench-{uuid.uuid4().hex[:8]}."
    kafka = KafkaSettings(bootstrap_servers=servers, group_id=prefix + "group")
    if partitions:
        await _create(kafka, prefix + CHANGES, partitions)
    await ensure_topics(kafka, prefix)
    await _await_leaders(kafka, prefix)
    return kafka, prefix


def reader_of(servers: str, topic: str) -> AIOKafkaConsumer:
    """Of committed records, from the beginning. To be started."""
    return AIOKafkaConsumer(
        topic, bootstrap_servers=servers, isolation_level="read_committed", auto_offset_reset="earliest"
    )


def publisher(servers: str) -> AIOKafkaProducer:
    """Of events, as senders publish them. To be started."""
    return AIOKafkaProducer(bootstrap_servers=servers, enable_idempotence=True, linger_ms=LINGER_MS)


async def _create(kafka: KafkaSettings, topic: str, partitions: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, partitions, 1)])
    finally:
        await admin.close()


async def _await_leaders(kafka: KafkaSettings, prefix: str) -> None:
    """Until every partition can be used; a broker takes a moment for those of a new topic."""
    async with AIOKafkaConsumer(
        *(prefix + spec.name for spec in TOPICS), bootstrap_servers=kafka.bootstrap_servers
    ) as consumer:
        await consumer.end_offsets(consumer.assignment())


def _settings(
    stage: Stage, kafka: KafkaSettings, prefix: str, contestant: Contestant, http_port: int
) -> dict[str, str]:
    """All that a worker does by default it does here."""
    return {
        "RELAY_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "RELAY_KAFKA__GROUP_ID": kafka.group_id,
        "RELAY_TOPICS__PREFIX": prefix,
        "RELAY_FOLIO__URL": f"http://127.0.0.1:{stage.stub_port}",
        "RELAY_FOLIO__TENANT": "bench",
        "RELAY_FOLIO__TOKEN": "bench",
        "RELAY_HTTP__HOST": "127.0.0.1",
        "RELAY_HTTP__PORT": str(http_port),
        **contestant.settings,
    }


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
