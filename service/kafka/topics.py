"""The topics of the contract: what they are called and how they should be. Creates what is missing, never destroys."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from service.engine.ports import SourceUnavailable
from service.kafka.connection import connection_arguments, words
from service.settings import KafkaSettings

CHANGES = "holdings.changes"
TRANSFER_REQUESTS = "holdings.transfer-requests"
EXPORT_REQUESTS = "holdings.export-requests"
RESULTS = "holdings.results"
DEAD_LETTERS = "holdings.dead-letters"
EXPORT_ROWS = "holdings.export-rows"
METRICS = "holdings.metrics"

LETTER_BYTES = "4194304"
"""A dead letter is the record in with headers added, and must fit where the record in did."""

DEFAULT_REPLICATION_FACTOR = 3
LISTED_SECONDS = 20.0
LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as the contract wants it, its name without the prefix."""

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=lambda: {"cleanup.policy": "delete"})


TOPICS = (
    TopicSpec(CHANGES, 6),
    TopicSpec(TRANSFER_REQUESTS, 6),
    TopicSpec(EXPORT_REQUESTS, 6),
    TopicSpec(RESULTS, 6, {"cleanup.policy": "delete", "max.message.bytes": LETTER_BYTES}),
    TopicSpec(DEAD_LETTERS, 6, {"cleanup.policy": "delete", "max.message.bytes": LETTER_BYTES}),
    TopicSpec(EXPORT_ROWS, 6),
    TopicSpec(METRICS, 1),
)


@dataclass(frozen=True, slots=True)
class TopicState:
    """What was found or done. `differences` are sentences for people; an existing topic is never changed."""

    name: str
    created: bool = False
    missing: bool = False
    differences: tuple[str, ...] = ()


async def ensure_topics(
    settings: KafkaSettings, prefix: str, *, replication_factor: int = 0, create: bool = True
) -> list[TopicState]:
    """The state of every topic of the contract, after creating the missing ones where `create` says so.

    Raises `SourceUnavailable`.
    """
    admin = AIOKafkaAdminClient(**connection_arguments(settings))
    try:
        await admin.start()
        found = await _partitions(admin, [prefix + spec.name for spec in TOPICS])
        missing = [spec for spec in TOPICS if prefix + spec.name not in found]
        created = await _create(admin, prefix, missing, replication_factor) if create else set()
        return [_state(prefix + spec.name, spec, found, created) for spec in TOPICS]
    except (KafkaError, TimeoutError) as error:
        raise SourceUnavailable(f"{settings.bootstrap_servers}: {words(error)}") from error
    finally:
        await admin.close()


def _state(name: str, spec: TopicSpec, found: Mapping[str, int], created: set[str]) -> TopicState:
    if name in created:
        return TopicState(name, created=True)
    if name not in found:
        return TopicState(name, missing=True)
    if found[name] != spec.partitions:
        return TopicState(name, differences=(f"has {found[name]} partitions, {spec.partitions} are recommended",))
    return TopicState(name)


async def _create(
    admin: AIOKafkaAdminClient, prefix: str, specs: Sequence[TopicSpec], replication_factor: int
) -> set[str]:
    """Names of those made, once the brokers list them: they hear of a new topic a little after it is made. One that
    somebody else made meanwhile is no fault."""
    if not specs:
        return set()
    if not replication_factor:
        replication_factor = min(DEFAULT_REPLICATION_FACTOR, len((await admin.describe_cluster())["brokers"]))
    topics = [
        NewTopic(prefix + spec.name, spec.partitions, replication_factor, topic_configs=dict(spec.config))
        for spec in specs
    ]
    response = await admin.create_topics(topics)
    created: set[str] = set()
    for name, code, *rest in response.topic_errors:
        if not code:
            created.add(name)
        elif for_code(code) is not TopicAlreadyExistsError:
            raise SourceUnavailable(
                f"{name} cannot be created: {rest[0] if rest and rest[0] else for_code(code).__name__}"
            )
    async with asyncio.timeout(LISTED_SECONDS):
        while not created <= set(await admin.list_topics()):  # noqa: ASYNC110 - the brokers do not tell
            await asyncio.sleep(LOOK_SECONDS)
    return created


async def _partitions(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, int]:
    """Partition counts of those of `names` that exist."""
    existing = set(await admin.list_topics()) & set(names)
    if not existing:
        return {}
    return {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics(sorted(existing))}
