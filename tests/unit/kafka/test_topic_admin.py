"""The topics of the contract: created where they are missing, reported where they differ, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource
from aiokafka.errors import (
    InvalidReplicationFactorError,
    KafkaConnectionError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
)

from service.engine.ports import SourceUnavailable
from service.kafka import topic_admin
from service.kafka.topic_admin import ensure_topics, examine_topics
from service.kafka.topics import TOPICS, Difference, TopicState
from service.settings import KafkaSettings

SETTINGS = KafkaSettings(bootstrap_servers="broker:9092")


@dataclass(slots=True)
class FakeResponse:
    topic_errors: list[tuple[str, int, str]]


@dataclass(slots=True)
class FakeConfigs:
    resources: list[tuple[int, str | None, int, str, list[tuple[str, str]]]]


@dataclass(slots=True)
class FakeAdmin:
    """aiokafka's admin client in front of a cluster that is a mapping of topics to partition counts."""

    existing: dict[str, int]
    brokers: int = 1
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    configs: dict[str, dict[str, str]] = field(default_factory=dict)
    unreadable: bool = False
    away: bool = False
    made_meanwhile: dict[str, int] = field(default_factory=dict)
    asked_for: list[NewTopic] = field(default_factory=list)
    closed: bool = False

    async def start(self) -> None:
        if self.away:
            raise KafkaConnectionError("nobody listens")

    async def list_topics(self) -> list[str]:
        return list(self.existing)

    async def describe_topics(self, names: Sequence[str]) -> list[dict[str, Any]]:
        return [{"topic": name, "partitions": [{}] * self.existing[name]} for name in names]

    async def describe_configs(self, wanted: Sequence[ConfigResource]) -> list[FakeConfigs]:
        code = TopicAuthorizationFailedError.errno if self.unreadable else 0
        return [
            FakeConfigs([(code, None, 2, asked.name, [] if code else list(self.configs.get(asked.name, {}).items()))])
            for asked in wanted
        ]

    async def describe_cluster(self) -> dict[str, Any]:
        return {"brokers": [{}] * self.brokers}

    async def create_topics(self, wanted: Sequence[NewTopic]) -> FakeResponse:
        self.asked_for.extend(wanted)
        made = {topic.name: topic.num_partitions for topic in wanted if topic.name not in self.refused}
        self.existing |= made | self.made_meanwhile
        return FakeResponse([(topic.name, *self.refused.get(topic.name, (0, ""))) for topic in wanted])

    async def close(self) -> None:
        self.closed = True


def use(admin: FakeAdmin, monkeypatch: pytest.MonkeyPatch) -> FakeAdmin:
    monkeypatch.setattr(topic_admin, "AIOKafkaAdminClient", lambda **arguments: admin)
    return admin


def everything(**other: int) -> dict[str, int]:
    """All topics as they should be, but for those said otherwise (with _ for . and -)."""
    given = {spec.name: spec.partitions for spec in TOPICS}
    return given | {name.replace("__", "-").replace("_", "."): count for name, count in other.items()}


def test_the_topics_are_those_of_the_contract() -> None:
    assert {spec.name: spec.partitions for spec in TOPICS} == {
        "holdings.changes": 6,
        "holdings.transfer-requests": 6,
        "holdings.export-requests": 6,
        "holdings.results": 6,
        "holdings.dead-letters": 6,
        "holdings.export-rows": 6,
        "holdings.metrics": 1,
    }
    assert {spec.config["cleanup.policy"] for spec in TOPICS} == {"delete"}
    assert {spec.name for spec in TOPICS if spec.config["retention.ms"] != "604800000"} == {"holdings.dead-letters"}


async def test_missing_topics_are_created_with_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = use(FakeAdmin({"test.holdings.changes": 6}), monkeypatch)

    states = await ensure_topics(SETTINGS, "test.")

    assert [state.name for state in states] == ["test." + spec.name for spec in TOPICS]
    assert [state.created for state in states] == [False] + [True] * 6
    assert "test.holdings.changes" not in [topic.name for topic in admin.asked_for]
    assert {topic.num_partitions for topic in admin.asked_for if topic.name == "test.holdings.metrics"} == {1}
    assert admin.closed


async def test_nothing_is_created_where_all_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = use(FakeAdmin(everything()), monkeypatch)

    states = await ensure_topics(SETTINGS, "")

    assert states == [TopicState(spec.name) for spec in TOPICS]
    assert admin.asked_for == []


async def test_missing_topics_are_only_reported_where_creation_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = use(FakeAdmin({}), monkeypatch)

    states = await ensure_topics(SETTINGS, "", create=False)

    assert all(state.missing and not state.created for state in states)
    assert admin.asked_for == []


async def test_another_number_of_partitions_is_reported_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = use(FakeAdmin(everything(holdings_results=3)), monkeypatch)

    states = await ensure_topics(SETTINGS, "")

    differing = {state.name: state.differences for state in states if state.differences}
    assert differing == {"holdings.results": (Difference("partitions", "3", "6"),)}
    assert admin.asked_for == []


async def test_settings_that_we_may_not_read_are_told_and_partitions_are_compared_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(FakeAdmin(everything(holdings_results=3), unreadable=True), monkeypatch)

    states = await ensure_topics(SETTINGS, "")

    assert all(state.config_unread for state in states)
    assert [state.name for state in states if not state.as_expected] == ["holdings.results"]


async def test_settings_that_differ_are_reported_with_what_was_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    config = {"cleanup.policy": "compact", "retention.ms": "3600000", "max.message.bytes": "1048588"}
    use(FakeAdmin(everything(), configs={"holdings.dead-letters": config}), monkeypatch)

    states = await ensure_topics(SETTINGS, "")

    [letters] = [state for state in states if not state.as_expected]
    assert list(map(str, letters.differences)) == [
        "cleanup.policy is compact, expected delete",
        "retention.ms is 3600000, expected at least 2592000000",
        "max.message.bytes is 1048588, expected at least 4194304",
    ]


@pytest.mark.parametrize(("asked", "brokers", "used"), [(0, 1, 1), (0, 2, 2), (0, 9, 3), (2, 1, 2)])
async def test_the_replication_factor_is_as_asked_or_three_or_as_many_as_there_are_brokers(
    asked: int, brokers: int, used: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = use(FakeAdmin({}, brokers), monkeypatch)

    await ensure_topics(SETTINGS, "", replication_factor=asked)

    assert {topic.replication_factor for topic in admin.asked_for} == {used}


async def test_a_topic_that_somebody_else_made_meanwhile_is_compared_like_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused = {"holdings.metrics": (TopicAlreadyExistsError.errno, "")}
    use(FakeAdmin({}, refused=refused, made_meanwhile={"holdings.metrics": 2}), monkeypatch)

    states = await ensure_topics(SETTINGS, "")

    metrics = {state.name: state for state in states}["holdings.metrics"]
    assert metrics == TopicState("holdings.metrics", differences=(Difference("partitions", "2", "1"),))


async def test_a_new_topic_counts_as_created_once_the_brokers_list_it(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = use(FakeAdmin({}), monkeypatch)
    listed, looks = admin.list_topics, 0

    async def list_late() -> list[str]:
        nonlocal looks
        looks += 1
        return await listed() if looks > 3 else []

    monkeypatch.setattr(FakeAdmin, "list_topics", lambda _: list_late())

    states = await ensure_topics(SETTINGS, "")

    assert all(state.created for state in states)
    assert looks == 4


async def test_a_topic_that_exists_and_is_hidden_from_us_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_admin, "LISTED_SECONDS", 0.0)
    use(FakeAdmin({}, refused={"holdings.metrics": (TopicAlreadyExistsError.errno, "")}), monkeypatch)

    states = await examine_topics(SETTINGS, "")

    metrics = {state.name: state for state in states}["holdings.metrics"]
    assert metrics.missing
    assert metrics.refusal == topic_admin.HIDDEN


async def test_topics_that_cannot_be_created_are_told_with_the_brokers_words_beside_those_that_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused = {
        "holdings.results": (InvalidReplicationFactorError.errno, "larger than available brokers"),
        "holdings.metrics": (TopicAuthorizationFailedError.errno, ""),
    }
    use(FakeAdmin({}, refused=refused), monkeypatch)

    states = await examine_topics(SETTINGS, "")

    assert {state.name: state.refusal for state in states if state.refusal} == {
        "holdings.results": "larger than available brokers",
        "holdings.metrics": "TopicAuthorizationFailedError",
    }
    assert [state.created for state in states].count(True) == len(TOPICS) - 2


async def test_whoever_needs_the_topics_is_told_of_every_one_that_cannot_be_created(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused = dict.fromkeys(
        ("holdings.results", "holdings.metrics"), (InvalidReplicationFactorError.errno, "too few brokers")
    )
    admin = use(FakeAdmin({}, refused=refused), monkeypatch)

    told = r"holdings\.results cannot be created: too few brokers; holdings\.metrics cannot be created: too few brokers"
    with pytest.raises(SourceUnavailable, match=told):
        await ensure_topics(SETTINGS, "")
    assert admin.closed


async def test_brokers_that_cannot_be_had_are_told_by_their_address(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = use(FakeAdmin({}, away=True), monkeypatch)

    with pytest.raises(SourceUnavailable, match=r"127\.0\.0\.1:1: no connection: .*BOOTSTRAP_SERVERS"):
        await ensure_topics(KafkaSettings(bootstrap_servers="127.0.0.1:1"), "")
    assert admin.closed
