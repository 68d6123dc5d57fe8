"""Whether we may read and write topics, asked without reading or writing a record.

Kafka tells a client nothing of its own permissions in advance, but checks them before anything else: a fetch of nothing
is answered by a refusal or not, and so is a produce request without a batch, which is then invalid and stores nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import TopicAuthorizationFailedError
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.structs import TopicPartition

from service.domain.checks import Check, fault, ok, skipped
from service.kafka.connection import connection_arguments
from service.settings import KafkaSettings

_ALL_REPLICAS = -1
_TIMEOUT_MS = 1000
_READ_COMMITTED = 1


async def check_access(settings: KafkaSettings, reads: Sequence[str], writes: Sequence[str]) -> list[Check]:
    """One check for each topic, by its full name. Raises `KafkaError`."""
    client = AIOKafkaClient(**connection_arguments(settings))
    try:
        await client.bootstrap()
        client.set_topics([*reads, *writes])
        await client.force_metadata_update()
        return [await _asked(client, topic, "Read") for topic in reads] + [
            await _asked(client, topic, "Write") for topic in writes
        ]
    finally:
        await client.close()


async def _asked(client: AIOKafkaClient, topic: str, operation: str) -> Check:
    subject = f"{operation.lower()} {topic}"
    remedy = f"an ACL that allows {operation} and Describe on topic {topic}"
    if topic in client.cluster.unauthorized_topics:
        return fault("kafka", subject, "not permitted: the topic is hidden from us", remedy)
    leader = client.cluster.leader_for_partition(TopicPartition(topic, 0))
    if leader is None or leader < 0:
        return skipped("kafka", subject, "the topic is missing")
    request = (_fetch if operation == "Read" else _produce)(topic)
    [(_, [(_, code, *_), *_]), *_] = (await client.send(leader, request)).topics
    if code == TopicAuthorizationFailedError.errno:
        return fault("kafka", subject, "not permitted", remedy)
    return ok("kafka", subject, "permitted")


def _fetch(topic: str) -> Any:
    return FetchRequest(0, 0, 1, _READ_COMMITTED, [(topic, [(0, 0, 1)])])


def _produce(topic: str) -> Any:
    return ProduceRequest(None, _ALL_REPLICAS, _TIMEOUT_MS, [(topic, [(0, b"")])])
