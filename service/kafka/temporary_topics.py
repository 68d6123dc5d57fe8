"""Takes away topics that were made for a while: those of a demonstration, which leaves nothing behind.

Knows the topics of the contract under a prefix and touches no other.
"""

from __future__ import annotations

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from service.engine.ports import SourceUnavailable
from service.kafka.connection import connection_arguments
from service.kafka.topics import TOPICS
from service.settings import KafkaSettings


async def delete_topics(settings: KafkaSettings, prefix: str) -> list[str]:
    """Deletes the contract's topics that exist under this prefix; returns their names.

    An empty prefix is refused with ValueError: those are the topics of a service in use. Raises `SourceUnavailable`.
    """
    if not prefix:
        raise ValueError("topics without a prefix are not temporary")
    admin = AIOKafkaAdminClient(**connection_arguments(settings))
    try:
        await admin.start()
        names = sorted(set(await admin.list_topics()) & {prefix + spec.name for spec in TOPICS})
        if names:
            await admin.delete_topics(names)
    except KafkaError as error:
        raise SourceUnavailable(f"{settings.bootstrap_servers}: {type(error).__name__}: {error}") from error
    finally:
        await admin.close()
    return names
