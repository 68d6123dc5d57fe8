"""Takes away topics that were made for a while: those of a demonstration, which leaves nothing behind.

Knows the topics of the contract under a prefix and touches no other.
"""

from __future__ import annotations

import asyncio
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError, for_code

from service.engine.ports import SourceUnavailable
from service.kafka.connection import connection_arguments
from service.kafka.topics import TOPICS
from service.settings import KafkaSettings

_GONE_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 0.05


async def delete_topics(settings: KafkaSettings, prefix: str) -> list[str]:
    """Deletes the contract's topics that exist under this prefix; returns their names once the brokers list them no
    more.

    An empty prefix is refused with ValueError: those are the topics of a service in use. Raises `SourceUnavailable`.
    """
    if not prefix:
        raise ValueError("topics without a prefix are not temporary")
    wanted = {prefix + spec.name for spec in TOPICS}
    admin = AIOKafkaAdminClient(**connection_arguments(settings))
    try:
        async with asyncio.timeout(_GONE_SECONDS):
            await admin.start()
            names = sorted(wanted & set(await admin.list_topics()))
            if names:
                await _delete(admin, names)
            while wanted & set(await admin.list_topics()):  # noqa: ASYNC110 - the brokers do not tell
                await asyncio.sleep(_LOOK_SECONDS)
    except (KafkaError, TimeoutError) as error:
        raise SourceUnavailable(f"{settings.bootstrap_servers}: {type(error).__name__}: {error}") from error
    finally:
        await admin.close()
    return names


async def _delete(admin: AIOKafkaAdminClient, names: list[str]) -> None:
    """Somebody else may have deleted one meanwhile; any other refusal is raised as its `KafkaError`."""
    for name, code in (await admin.delete_topics(names)).topic_error_codes:
        if code and for_code(code) is not UnknownTopicOrPartitionError:
            raise for_code(code)(name)
