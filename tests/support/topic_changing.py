"""What an operator does to topics while workers run: limits, deletes, makes them anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

SETTLED_SECONDS = 30.0


class TopicOperator:
    """An administrator's hands. Every verb returns when the brokers say that it is so."""

    def __init__(self, admin: AIOKafkaAdminClient) -> None:
        self._admin = admin

    async def limit(self, topic: str, size_bytes: int) -> None:
        """Of one record, from now on."""
        config = {"max.message.bytes": str(size_bytes)}
        await self._admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, config)])

    async def delete(self, topic: str) -> None:
        await self._admin.delete_topics([topic])
        async with asyncio.timeout(SETTLED_SECONDS):
            while topic in await self._admin.list_topics():  # noqa: ASYNC110 - the brokers tell only who asks
                await asyncio.sleep(0.05)

    async def create(self, topic: str, partitions: int) -> None:
        """One that was deleted may not be forgotten everywhere yet: asked for until it can be made."""
        async with asyncio.timeout(SETTLED_SECONDS):
            while True:
                answer = await self._admin.create_topics([NewTopic(topic, partitions, 1)])
                ((_, code, *_),) = answer.topic_errors
                if not code:
                    return
                if for_code(code) is not TopicAlreadyExistsError:
                    raise for_code(code)(topic)
                await asyncio.sleep(0.05)


@asynccontextmanager
async def topic_operator(bootstrap_servers: str) -> AsyncIterator[TopicOperator]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        yield TopicOperator(admin)
    finally:
        await admin.close()
