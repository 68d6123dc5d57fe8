"""A whole relay for a test: topics, a sandbox, workers, and a way to send events and to read what came of them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from service.engine.ports import Outgoing
from service.kafka.publisher import publish_all
from service.kafka.topic_admin import ensure_topics
from service.kafka.topics import CHANGES, DEAD_LETTERS, EXPORT_REQUESTS, RESULTS, TRANSFER_REQUESTS
from service.sandbox.server import Sandbox, SandboxSettings
from service.sandbox.systems import default_systems
from service.settings import KafkaSettings
from tests.support.published import assert_as_published
from tests.support.relay_process import RelayProcess
from tests.support.topic_reading import TopicReader, event_ids

SESSION_SECONDS = 6
RESULT_SECONDS = 60.0
STRUCTURED = (("content-type", b"application/cloudevents+json"),)


def worker_settings(bootstrap_servers: str, prefix: str, sandbox: Sandbox) -> dict[str, str]:
    """The environment of a worker against the sandbox."""
    return {
        "RELAY_KAFKA__BOOTSTRAP_SERVERS": bootstrap_servers,
        "RELAY_KAFKA__GROUP_ID": prefix + "relay",
        "RELAY_KAFKA__SESSION_TIMEOUT_SECONDS": str(SESSION_SECONDS),
        "RELAY_TOPICS__PREFIX": prefix,
        "RELAY_FOLIO__URL": sandbox.folio_url,
        "RELAY_FOLIO__TENANT": "diku",
        "RELAY_FOLIO__USERNAME": "relay",
        "RELAY_FOLIO__PASSWORD": "relay-password",
        "RELAY_SCSB__URL": sandbox.scsb_url,
        "RELAY_SCSB__API_KEY": "sandbox-scsb-key",
        "RELAY_HOLDINGSIQ__URL": sandbox.holdingsiq_url,
        "RELAY_HOLDINGSIQ__API_KEY": "sandbox-holdingsiq-key",
        "RELAY_EXPORTS__POLL_INITIAL_SECONDS": "0.1",
        "RELAY_HTTP__PORT": "0",
    }


@dataclass(slots=True)
class RunningRelay:
    """What a test holds on to."""

    kafka: KafkaSettings
    prefix: str
    sandbox: Sandbox
    settings: dict[str, str]
    results: TopicReader
    dead_letters: TopicReader
    workers: list[RelayProcess] = field(default_factory=list)

    async def start_worker(self, **settings: str) -> RelayProcess:
        """Another worker, with further settings by their full names."""
        worker = RelayProcess(self.settings | settings)
        self.workers.append(worker)
        await worker.start()
        return worker

    async def send(self, *records: Outgoing) -> None:
        await publish_all(self.kafka, self.prefix, records)

    async def results_of(self, count: int, seconds: float = RESULT_SECONDS) -> list[dict[str, Any]]:
        """The data of all results, once there are `count`. Fails with the workers' logs when they do not come."""
        await self._until(lambda: len(self.results.records) >= count, f"{count} results", seconds)
        return [event["data"] for event in self.results.events]

    async def results_for(self, count: int, seconds: float = RESULT_SECONDS) -> list[dict[str, Any]]:
        """The data of all results, once they tell of `count` events, some perhaps twice. Fails as `results_of`."""
        await self._until(lambda: len(set(event_ids(self.results))) >= count, f"results of {count} events", seconds)
        return [event["data"] for event in self.results.events]

    async def _until(self, enough: Callable[[], bool], what: str, seconds: float) -> None:
        try:
            await self.results.read_until(lambda _: enough(), seconds)
        except TimeoutError:
            read = f"{len(self.results.records)} results, of {len(set(event_ids(self.results)))} events"
            logs = "\n".join(worker.log[-4000:] for worker in self.workers)
            raise AssertionError(f"{what} were awaited; there are {read}. The workers said:\n{logs}") from None

    async def stop(self) -> list[int]:
        """SIGTERM to every worker; their exit codes."""
        for worker in self.workers:
            worker.terminate()
        return [await worker.ended() for worker in self.workers]


@asynccontextmanager
async def relay(
    bootstrap_servers: str, latency_seconds: Mapping[str, float] | None = None
) -> AsyncIterator[RunningRelay]:
    """Topics and a sandbox that no other test has; workers are started by the test, and ended with it. Fails where a
    result or a dead letter that was read is not as the published schemas say."""
    prefix = f"test-{uuid.uuid4().hex[:8]}."
    kafka = KafkaSettings(bootstrap_servers=bootstrap_servers, group_id=prefix + "relay")
    await ensure_topics(kafka, prefix)
    async with AsyncExitStack() as stack:
        sandbox = Sandbox(default_systems(), settings=SandboxSettings(latency_seconds=latency_seconds or {}))
        await stack.enter_async_context(sandbox)
        results = await stack.enter_async_context(TopicReader(bootstrap_servers, prefix + RESULTS))
        letters = await stack.enter_async_context(TopicReader(bootstrap_servers, prefix + DEAD_LETTERS))
        settings = worker_settings(bootstrap_servers, prefix, sandbox)
        running = RunningRelay(kafka, prefix, sandbox, settings, results, letters)
        try:
            yield running
            assert_as_published(results.records, letters.records)
        finally:
            for worker in running.workers:
                await worker.close()


def changed(event_id: str, key: str, data: Mapping[str, Any], **attributes: str) -> Outgoing:
    """A `holdings.changed` event in structured mode."""
    return _event(event_id, key, "holdings.changed", CHANGES, data, attributes)


def transfer_requested(event_id: str, key: str, data: Mapping[str, Any], **attributes: str) -> Outgoing:
    """A `holdings.transfer.requested` event in structured mode."""
    return _event(event_id, key, "holdings.transfer.requested", TRANSFER_REQUESTS, data, attributes)


def export_requested(event_id: str, key: str, data: Mapping[str, Any], **attributes: str) -> Outgoing:
    """A `holdings.export.requested` event in structured mode."""
    return _event(event_id, key, "holdings.export.requested", EXPORT_REQUESTS, data, attributes)


def _event(
    event_id: str, key: str, kind: str, topic: str, data: Mapping[str, Any], attributes: Mapping[str, str]
) -> Outgoing:
    value = {"specversion": "1.0", "id": event_id, "source": "/tests", "type": kind, **attributes, "data": data}
    return Outgoing(topic, key.encode(), orjson.dumps(value), STRUCTURED)


def by_event(results: Sequence[Mapping[str, Any]]) -> dict[str | None, Mapping[str, Any]]:
    """Results by the id of their event. Fails when an event has two."""
    found = {result["event"]["id"]: result for result in results}
    assert len(found) == len(results), "an event has more than one result"
    return found
