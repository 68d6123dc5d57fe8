"""Asks the brokers for the topics of the contract, and creates what is missing. Never changes, never destroys."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from service.engine.ports import SourceUnavailable
from service.kafka.connection import connection_arguments
from service.kafka.diagnosis import unavailable
from service.kafka.topics import CLEANUP, RETENTION, SIZE, TOPICS, FoundTopic, TopicSpec, TopicState, differences_of
from service.settings import KafkaSettings

DEFAULT_REPLICATION_FACTOR = 3
LISTED_SECONDS = 5.0
"""For brokers to list a new topic. One that exists and is not listed after that is hidden from us."""
_LOOK_SECONDS = 0.05
HIDDEN = "it exists, but we may not see it: permission to describe it is missing"


async def ensure_topics(
    settings: KafkaSettings, prefix: str, *, replication_factor: int = 0, create: bool = True
) -> list[TopicState]:
    """As `examine_topics`, for whoever cannot go on without: raises `SourceUnavailable` for a refusal too."""
    states = await examine_topics(settings, prefix, replication_factor=replication_factor, create=create)
    if refused := [f"{state.name} cannot be created: {state.refusal}" for state in states if state.refusal]:
        raise SourceUnavailable("; ".join(refused))
    return states


async def examine_topics(
    settings: KafkaSettings, prefix: str, *, replication_factor: int = 0, create: bool = True
) -> list[TopicState]:
    """The state of every topic of the contract, after creating the missing ones where `create` says so.

    Raises `SourceUnavailable` when the brokers cannot be had.
    """
    admin = AIOKafkaAdminClient(**connection_arguments(settings))
    try:
        await admin.start()
        found = await _found(admin, [prefix + spec.name for spec in TOPICS])
        missing = [spec for spec in TOPICS if prefix + spec.name not in found]
        asked = await _create(admin, prefix, missing, replication_factor) if create else {}
        await _wait_until_listed(admin, [name for name, told in asked.items() if told in (None, HIDDEN)])
        found |= await _found(admin, [name for name, told in asked.items() if told == HIDDEN])
        return [_state(prefix + spec.name, spec, found, asked) for spec in TOPICS]
    except KafkaError as error:
        raise await unavailable(settings, error) from error
    finally:
        await admin.close()


def _state(name: str, spec: TopicSpec, found: Mapping[str, FoundTopic], asked: Mapping[str, str | None]) -> TopicState:
    if name in found:
        topic = found[name]
        return TopicState(name, differences=differences_of(spec, topic), config_unread=topic.config is None)
    if name not in asked:
        return TopicState(name, missing=True)
    refusal = asked[name]
    return TopicState(name, created=refusal is None, missing=refusal is not None, refusal=refusal)


async def _create(
    admin: AIOKafkaAdminClient, prefix: str, specs: Sequence[TopicSpec], replication_factor: int
) -> dict[str, str | None]:
    """Why which could not be made; None for one that was. `HIDDEN` where somebody made it meanwhile, or had before."""
    if not specs:
        return {}
    if not replication_factor:
        replication_factor = min(DEFAULT_REPLICATION_FACTOR, len((await admin.describe_cluster())["brokers"]))
    topics = [
        NewTopic(prefix + spec.name, spec.partitions, replication_factor, topic_configs=spec.config) for spec in specs
    ]
    response = await admin.create_topics(topics)
    asked: dict[str, str | None] = {}
    for name, code, *rest in response.topic_errors:
        if not code:
            asked[name] = None
        elif for_code(code) is TopicAlreadyExistsError:
            asked[name] = HIDDEN
        else:
            asked[name] = rest[0] if rest and rest[0] else for_code(code).__name__
    return asked


async def _wait_until_listed(admin: AIOKafkaAdminClient, names: Sequence[str]) -> None:
    """Brokers learn of a topic a little after the controller has made it; until then it cannot be used."""
    deadline = time.monotonic() + LISTED_SECONDS
    while set(names) - set(await admin.list_topics()) and time.monotonic() < deadline:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(_LOOK_SECONDS)


async def _found(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, FoundTopic]:
    """Those of `names` that exist, and that we may see."""
    existing = sorted(set(await admin.list_topics()) & set(names)) if names else []
    if not existing:
        return {}
    configs = await _configs(admin, existing)
    return {
        topic["topic"]: FoundTopic(len(topic["partitions"]), configs.get(topic["topic"]))
        for topic in await admin.describe_topics(existing)
    }


async def _configs(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """The settings that are compared, of the topics whose settings we may read."""
    wanted = dict.fromkeys((CLEANUP, RETENTION, SIZE))
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name, wanted) for name in names])
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for answer in answers
        for code, _, _, name, entries in _resources(answer)
        if not code
    }


def _resources(answer: Any) -> list[tuple[int, str | None, int, str, list[Any]]]:
    return list(answer.resources)
