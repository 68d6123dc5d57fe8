"""`holdings-relay check` against a real broker and the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest

from service.commands.check import exit_code, look
from service.commands.console import Exit
from service.kafka.access import check_access
from service.kafka.reader import read_all
from service.kafka.topic_admin import ensure_topics
from service.kafka.topics import CHANGES, METRICS, RESULTS, TOPICS
from service.sandbox.server import Sandbox
from service.settings import KafkaSettings, load
from tests.integration.test_commands import command, make_topics
from tests.support.relay import worker_settings

SECRETS = ("relay-password", "sandbox-scsb-key", "sandbox-holdingsiq-key")


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as running:
        yield running


async def checked(settings: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> tuple[Exit, dict[str, str]]:
    """What the command ends with, and how each thing stands, by area and subject. Fails where a secret is told."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    checks = await look(load(), 10)
    told = "".join(f"{found.message}{found.remedy}" for found in checks)
    assert not [secret for secret in SECRETS if secret in told]
    return exit_code(checks), {f"{found.area} {found.subject}".strip(): found.standing for found in checks}


async def test_all_is_well_once_the_topics_are_there(
    kafka: str, topic_prefix: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = worker_settings(kafka, topic_prefix, sandbox)

    before, standing_before = await checked(settings, monkeypatch)
    await ensure_topics(KafkaSettings(bootstrap_servers=kafka), topic_prefix)
    after, standing_after = await checked(settings, monkeypatch)

    missing = [name for name, standing in standing_before.items() if standing == "fault"]
    assert (before, missing) == (Exit.FAILED, [f"kafka topic {topic_prefix}{spec.name}" for spec in TOPICS])
    assert (after, set(standing_after.values())) == (Exit.DONE, {"ok"}), standing_after
    looked_at = {"kafka transactions", f"kafka group {topic_prefix}relay", f"kafka read {topic_prefix}{CHANGES}"}
    assert looked_at <= set(standing_after)


async def test_a_topic_that_differs_is_a_warning(
    kafka: str, topic_prefix: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = worker_settings(kafka, topic_prefix, sandbox) | {"RELAY_DELIVERY": "at_least_once"}
    await make_topics(kafka, [topic_prefix + METRICS], partitions=2)
    await ensure_topics(KafkaSettings(bootstrap_servers=kafka), topic_prefix)

    code, found = await checked(settings, monkeypatch)

    assert code == Exit.DONE
    assert found[f"kafka topic {topic_prefix}{METRICS}"] == "warning"
    assert found["kafka transactions"] == "skipped"


async def test_asking_whether_we_may_write_stores_nothing(kafka: str, topic_prefix: str) -> None:
    settings = KafkaSettings(bootstrap_servers=kafka)
    await ensure_topics(settings, topic_prefix)

    checks = await check_access(settings, [topic_prefix + CHANGES], [topic_prefix + RESULTS])

    assert [found.standing for found in checks] == ["ok", "ok"]
    assert await read_all(settings, topic_prefix, [CHANGES, RESULTS]) == []


async def test_brokers_that_cannot_be_had_and_wrong_keys_are_told_together(topic_prefix: str, sandbox: Sandbox) -> None:
    wrong = {"RELAY_SCSB__API_KEY": "wrong-key", "COLUMNS": "250"}

    ended = await command("check", settings=worker_settings("127.0.0.1:1", topic_prefix, sandbox) | wrong)

    assert ended.code == Exit.KAFKA
    assert "no connection: Connection refused" in ended.printed
    assert "RELAY_KAFKA__BOOTSTRAP_SERVERS" in ended.printed
    assert "Authentication Failed" in ended.printed
    assert "wrong-key" not in ended.printed
