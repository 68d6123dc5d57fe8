"""The worker in Go on a real broker: one result for each event, order per key, the calls of the plain worker."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from bench.mixes import FAILING, FOUR_CALLS, ONE_CALL, UPDATES, Mix
from service.engine.ports import Outgoing
from service.kafka.publisher import publish_all
from service.kafka.topic_admin import ensure_topics
from service.kafka.topics import CHANGES, RESULTS
from service.settings import KafkaSettings
from tests.go_worker.recording import Recording, calls_of_the_plain_worker, recording_stub
from tests.support.relay_process import RelayProcess
from tests.support.topic_reading import TopicReader, event_ids

KEYS = 40
SECONDS = 60.0
KILLS = 5


@dataclass(slots=True)
class Scene:
    """A worker that is not started yet, its topics, and the systems that it asks."""

    kafka: KafkaSettings
    prefix: str
    systems: Recording
    worker: RelayProcess
    results: TopicReader

    async def publish(self, mix: Mix, numbers: range) -> None:
        await self.publish_events(mix.events(numbers.start, [number % KEYS for number in numbers]))

    async def publish_events(self, events: Sequence[Outgoing]) -> None:
        await publish_all(self.kafka, self.prefix, events)

    async def results_of(self, count: int) -> None:
        """Until so many are committed."""
        await self.results.read_until(lambda reader: len(reader.records) >= count, SECONDS)

    async def all_results(self) -> list[int]:
        """The numbers of their events, once nothing is left to do."""
        ends = await self._ends()
        await self.results_of(sum(ends.values()))
        async with asyncio.timeout(SECONDS):
            while await self.committed() != ends:  # noqa: ASYNC110 - another process commits
                await asyncio.sleep(0.05)
        await self.results.read_to_end()
        return [int(number or "") for number in event_ids(self.results)]

    async def committed(self) -> dict[TopicPartition, int]:
        """By the group, where there is something."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka.bootstrap_servers)
        await admin.start()
        try:
            found = await admin.list_consumer_group_offsets(self.kafka.group_id)
        finally:
            await admin.close()
        return {where: at.offset for where, at in found.items()}

    async def _ends(self) -> dict[TopicPartition, int]:
        async with AIOKafkaConsumer(self.prefix + CHANGES, bootstrap_servers=self.kafka.bootstrap_servers) as consumer:
            ends = await consumer.end_offsets(consumer.assignment())
        return {where: end for where, end in ends.items() if end}

    @asynccontextmanager
    async def uncommitted(self) -> AsyncIterator[AIOKafkaConsumer]:
        """Reads results from here on, as soon as they are written."""
        async with AIOKafkaConsumer(
            self.prefix + RESULTS, bootstrap_servers=self.kafka.bootstrap_servers, isolation_level="read_uncommitted"
        ) as consumer:
            await consumer.seek_to_end()
            for where in consumer.assignment():
                await consumer.position(where)
            yield consumer


@pytest.fixture
async def scene(kafka: str, topic_prefix: str) -> AsyncIterator[Scene]:
    settings = KafkaSettings(bootstrap_servers=kafka, group_id=topic_prefix + "go")
    await ensure_topics(settings, topic_prefix)
    async with recording_stub() as (systems, url), TopicReader(kafka, topic_prefix + RESULTS) as results:
        environment = {
            "RELAY_KAFKA__BOOTSTRAP_SERVERS": kafka,
            "RELAY_KAFKA__GROUP_ID": settings.group_id,
            "RELAY_TOPICS__PREFIX": topic_prefix,
            "RELAY_FOLIO__URL": url,
            "RELAY_FOLIO__TENANT": "bench",
            "RELAY_FOLIO__TOKEN": "token",
        }
        worker = RelayProcess(environment, command=("-m", "bench.go_worker"))
        try:
            yield Scene(settings, topic_prefix, systems, worker, results)
        finally:
            await worker.close()


def rises(numbers: Sequence[int]) -> bool:
    return all(one < other for one, other in pairwise(numbers))


async def test_every_event_has_one_result_and_those_of_a_key_keep_their_order(scene: Scene) -> None:
    await scene.publish(FOUR_CALLS, range(600))

    await scene.worker.start()
    found = await scene.all_results()

    assert sorted(found) == list(range(600))
    assert {result["data"]["outcome"] for result in scene.results.events} == {"succeeded"}
    assert len(scene.systems.calls) == 600 * FOUR_CALLS.calls
    published, put = defaultdict[bytes, list[int]](list), defaultdict[str, list[int]](list)
    for record, number in zip(scene.results.records, found, strict=True):
        published[record.key].append(number)
    for call in scene.systems.calls:
        if call.method == "PUT" and call.path.count("/") == 3:
            put[call.path].append(int(call.content["data"]["attributes"]["coverageStatement"].removeprefix("as of ")))
    assert len(published) == len(put) == KEYS
    assert [numbers for numbers in (*published.values(), *put.values()) if not rises(numbers)] == []


@pytest.mark.parametrize("mix", [ONE_CALL, FOUR_CALLS, UPDATES], ids=lambda mix: mix.name)
async def test_it_makes_the_calls_of_the_plain_worker(scene: Scene, mix: Mix) -> None:
    [event] = mix.events(7, [5])
    await scene.publish_events([event])

    await scene.worker.start()
    await scene.results_of(1)

    assert scene.systems.calls == await calls_of_the_plain_worker(event)


async def test_a_worker_that_is_killed_with_results_written_leaves_one_for_each_event(scene: Scene) -> None:
    await scene.publish(ONE_CALL, range(200))
    await scene.worker.start()
    await scene.results_of(200)

    for kill in range(1, KILLS + 1):
        async with scene.uncommitted() as written:
            await scene.publish(ONE_CALL, range(kill * 200, kill * 200 + 200))
            async with asyncio.timeout(SECONDS):
                await written.getone()
            scene.worker.kill()
            await scene.worker.ended()
        await scene.worker.start()
        await scene.results_of(kill * 200 + 200)

    assert sorted(await scene.all_results()) == list(range(200 + KILLS * 200))


async def test_it_ends_with_the_first_event_that_fails_and_commits_nothing(scene: Scene) -> None:
    await scene.publish_events([ONE_CALL.event(0, f"{FAILING}1"), ONE_CALL.event(1, "1-1-2")])

    await scene.worker.start()

    assert await scene.worker.ended() == 1
    assert f"event 0: DELETE /eholdings/resources/{FAILING}1: 503 Unavailable" in scene.worker.log
    assert await scene.committed() == {}
    await scene.results.read_to_end()
    assert scene.results.records == []
