"""The stage: a broker with topics of its own, the sandbox full of seeds, and the worker. Owns start and stop of them.

What it uses on a broker that was given is told apart by a prefix that nobody else has, and taken away at the end.
"""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from service.demo import samples
from service.demo.environment import kafka_environment, sandbox_environment
from service.demo.worker import WorkerProcess
from service.engine.ports import SourceUnavailable
from service.kafka.temporary_topics import delete_topics
from service.kafka.topic_admin import ensure_topics
from service.sandbox.broker import LocalBroker
from service.sandbox.server import Sandbox
from service.settings import KafkaSettings, Settings

Tell = Callable[[str], None]
"""Told in a few words what is being done."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs. `environment` is what any command needs to use the same Kafka and systems."""

    kafka: KafkaSettings
    prefix: str
    sandbox: Sandbox
    worker: WorkerProcess
    environment: dict[str, str]


@asynccontextmanager
async def set_up(settings: Settings, tell: Tell, *, own_broker: bool) -> AsyncIterator[Stage]:
    """The stage, ready to be played on, for as long as the block lasts. Kafka is a broker of its own, or the one that
    the settings name.

    Raises `BrokerError`, `SourceUnavailable`, `WorkerFailed` or `OSError`; whatever had been started is stopped then.
    """
    async with AsyncExitStack() as running:
        name = f"demo-{uuid.uuid4().hex[:8]}"
        prefix = f"{name}."
        servers = settings.kafka.bootstrap_servers
        if own_broker:
            tell("Starting a Kafka broker")
            servers = await running.enter_async_context(_broker())
        kafka = settings.kafka.model_copy(update={"bootstrap_servers": servers, "group_id": name})
        tell(f"Making topics {prefix}… on {servers}")
        if not own_broker:
            running.push_async_callback(_take_away, kafka, prefix, tell)
        await ensure_topics(kafka, prefix, replication_factor=settings.topics.replication_factor)
        tell("Starting the sandbox, and filling it")
        sandbox = await running.enter_async_context(Sandbox())
        for seed in samples.seeds():
            sandbox.load(seed)
        tell("Starting the worker")
        systems = sandbox_environment(sandbox.folio_url, sandbox.scsb_url, sandbox.holdingsiq_url)
        environment = {**kafka_environment(kafka, prefix), **systems}
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="holdings-relay-demo-")))
        worker = WorkerProcess.start(environment, folder / "worker.log")
        running.push_async_callback(worker.stop)
        await worker.ready()
        yield Stage(kafka, prefix, sandbox, worker, environment)


@asynccontextmanager
async def _broker() -> AsyncIterator[str]:
    broker = LocalBroker()
    try:
        yield await broker.start()
    finally:
        await asyncio.shield(broker.stop())


async def _take_away(kafka: KafkaSettings, prefix: str, tell: Tell) -> None:
    """Topics that cannot be taken away are told of, not fought for."""
    try:
        await delete_topics(kafka, prefix)
    except SourceUnavailable as error:
        tell(f"The topics {prefix}… are left behind: {error}")
