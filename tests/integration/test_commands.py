"""The commands as users type them, on a real broker."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from service.kafka.topics import CHANGES, DEAD_LETTERS, EXPORT_REQUESTS, EXPORT_ROWS, RESULTS, TOPICS, TRANSFER_REQUESTS
from tests.support.relay_process import RelayProcess
from tests.support.topic_reading import TopicReader


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and all that it printed."""

    code: int | None
    printed: str


async def command(*words: str, settings: Mapping[str, str], standard_input: bytes = b"") -> Ended:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", *words),
        env={**os.environ, **settings},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate(standard_input)
    return Ended(process.returncode, printed.decode())


def settings_for(kafka: str, prefix: str) -> dict[str, str]:
    return {
        "RELAY_KAFKA__BOOTSTRAP_SERVERS": kafka,
        "RELAY_KAFKA__GROUP_ID": prefix + "group",
        "RELAY_TOPICS__PREFIX": prefix,
        "RELAY_HTTP__PORT": "0",
        "COLUMNS": "200",
    }


async def make_topics(
    kafka: str, names: Sequence[str], partitions: int = 1, config: Mapping[str, str] | None = None
) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=dict(config or {})) for name in names])
    finally:
        await admin.close()


def event(event_id: str, resource_id: str, **attributes: str) -> dict[str, object]:
    data = {"eholdings": {"action": "deselect", "resourceId": resource_id}}
    kind = {"specversion": "1.0", "id": event_id, "source": "/tests", "type": "holdings.changed"}
    return {**kind, **attributes, "data": data}


async def test_topics_creates_what_is_missing_and_then_finds_nothing_to_do(kafka: str, topic_prefix: str) -> None:
    settings = settings_for(kafka, topic_prefix)

    first = await command("topics", settings=settings)
    second = await command("topics", settings=settings)

    assert (first.code, first.printed.count("created")) == (0, len(TOPICS))
    assert (second.code, second.printed.count("as it should be")) == (0, len(TOPICS))


async def test_topics_reports_what_differs_and_leaves_it_alone(kafka: str, topic_prefix: str) -> None:
    settings = settings_for(kafka, topic_prefix)
    await make_topics(kafka, [topic_prefix + CHANGES], partitions=3)
    await make_topics(kafka, [topic_prefix + RESULTS], config={"retention.ms": "1000", "cleanup.policy": "compact"})

    told = await command("topics", settings=settings)
    again = await command("topics", "--format", "json", settings=settings)

    assert (told.code, again.code) == (1, 1)
    assert "partitions is 3, expected 6" in told.printed
    assert told.printed.count("created") == len(TOPICS) - 2
    differing = {entry["topic"]: entry["differences"] for entry in orjson.loads(again.printed) if entry["differences"]}
    assert differing == {
        topic_prefix + CHANGES: [{"what": "partitions", "found": "3", "expected": "6"}],
        topic_prefix + RESULTS: [
            {"what": "partitions", "found": "1", "expected": "6"},
            {"what": "cleanup.policy", "found": "compact", "expected": "delete"},
            {"what": "retention.ms", "found": "1000", "expected": "at least 604800000"},
            {"what": "max.message.bytes", "found": "1048588", "expected": "at least 4194304"},
        ],
    }


async def test_topics_only_reports_when_it_is_to_check(kafka: str, topic_prefix: str) -> None:
    settings = settings_for(kafka, topic_prefix)

    told = [await command("topics", "--check", "--format", "json", settings=settings) for _ in range(2)]

    assert [ended.code for ended in told] == [1, 1]
    assert [entry["state"] for entry in orjson.loads(told[1].printed)] == ["missing"] * len(TOPICS)


async def test_publish_sends_every_event_under_its_entity_and_says_where(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    settings = settings_for(kafka, topic_prefix)
    await command("topics", settings=settings)
    lines = tmp_path / "events.jsonl"
    lines.write_bytes(b"\n".join(orjson.dumps(event(f"e{n}", f"22-1-{n}")) for n in range(3)) + b"\n\n")
    array = orjson.dumps([event("from-stdin", "22-1-9", partitionkey="my-own-key")])

    told = await command("publish", str(lines), "-", settings=settings, standard_input=array)

    assert told.code == 0, told.printed
    async with TopicReader(kafka, topic_prefix + CHANGES) as reader:
        await reader.read_to_end()
        stored = {record.key: record for record in reader.records}
    assert stored.keys() == {b"22-1-0", b"22-1-1", b"22-1-2", b"my-own-key"}
    mine = stored[b"my-own-key"]
    assert f"-[0]: holdings.changed from-stdin → {mine.topic}/{mine.partition}@{mine.offset}" in told.printed
    assert f"{lines}:3: holdings.changed e2" in told.printed


async def test_publish_sends_nothing_when_one_event_is_invalid(kafka: str, topic_prefix: str) -> None:
    settings = settings_for(kafka, topic_prefix)
    await command("topics", settings=settings)
    lines = orjson.dumps(event("good", "22-1-1")) + b"\n" + orjson.dumps(event("bad", "twenty-two"))

    told = await command("publish", "-", settings=settings, standard_input=lines)

    assert told.code == 1
    assert "-:2: invalid-data: data.eholdings.resourceId" in told.printed
    async with TopicReader(kafka, topic_prefix + CHANGES) as reader:
        await reader.read_to_end()
        assert not reader.records


async def test_a_worker_says_which_topics_it_waits_for_and_needs_no_others(kafka: str, topic_prefix: str) -> None:
    worker = RelayProcess(settings_for(kafka, topic_prefix))
    await worker.start()
    try:
        await worker.says(f"topics are missing: {topic_prefix}{CHANGES}, {topic_prefix}{TRANSFER_REQUESTS}")
        needed = (CHANGES, TRANSFER_REQUESTS, EXPORT_REQUESTS, RESULTS, DEAD_LETTERS)
        await make_topics(kafka, [topic_prefix + name for name in needed])

        await worker.says("partition.taken")
        worker.terminate()

        assert await worker.ended() == 0
    finally:
        await worker.close()


async def test_a_worker_that_may_export_needs_the_topic_of_the_rows_too(kafka: str, topic_prefix: str) -> None:
    holdingsiq = {"RELAY_HOLDINGSIQ__URL": "http://127.0.0.1:1", "RELAY_HOLDINGSIQ__API_KEY": "key"}
    worker = RelayProcess(settings_for(kafka, topic_prefix) | holdingsiq)
    await worker.start()
    try:
        needed = (CHANGES, TRANSFER_REQUESTS, EXPORT_REQUESTS, RESULTS, DEAD_LETTERS)
        await make_topics(kafka, [topic_prefix + name for name in needed])

        await worker.says(f"topics are missing: {topic_prefix}{EXPORT_ROWS};")
    finally:
        await worker.close()


async def test_brokers_that_cannot_be_had_are_named(topic_prefix: str) -> None:
    told = await command("topics", settings=settings_for("127.0.0.1:1", topic_prefix))

    assert told.code == 4
    assert "Kafka: 127.0.0.1:1" in told.printed
