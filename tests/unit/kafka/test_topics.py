"""The topics of the contract: created where they are missing, reported where they differ, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka.admin import NewTopic
from aiokafka.errors import InvalidReplicationFactorError, KafkaConnectionError, TopicAlreadyExistsError

from service.engine.ports import SourceUnavailable
from service.kafka import topics
from service.kafka.topics import TOPICS, TopicState, ensure_topics
from service.settings import KafkaSettings

SETTINGS = KafkaSettings(bootstrap_servers="broker:9092")


@dataclass(slots=True)
class FakeResponse:
    topic_errors: list[tuple[str, int, str]]


@dataclass(slots=True)
class FakeAdmin:
    """aiokafka's admin client in front of a cluster that is a mapping of topics to partition counts."""

    existing: dict[str, int]
    brokers: int = 1
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    away: bool = False
    asked_for: list[NewTopic] = field(default_factory=list)
    closed: bool = False

    async def start(self) -> None:
        if self.away:
            raise KafkaConnectionError("nobody listens")

    async def list_topics(self) -> list[str]:
        return list(self.existing)

    async def describe_topics(self, names: Sequence[str]) -> list[dict[str, Any]]:
        return [{"topic": name, "partitions": [{}] * self.existing[name]} for name in names]

    async def describe_cluster(self) -> dict[str, Any]:
        return {"brokers": [{}] * self.brokers}

    async def create_topics(self, wanted: Sequence[NewTopic]) -> FakeResponse:
        self.asked_for.extend(wanted)
        return FakeResponse([(topic.name, *self.refused.get(topic.name, (0, ""))) for topic in wanted])

    async def close(self) -> None:
        self.closed = True


def use(admin: FakeAdmin, monkeypatch: pytest.MonkeyPatch) -> FakeAdmin:
    monkeypatch.setattr(topics, "AIOKafkaAdminClient", lambda **arguments: admin)
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
    assert differing == {"holdings.results": ("has 3 partitions, 6 are recommended",)}
    assert admin.asked_for == []


@pytest.mark.parametrize(("asked", "brokers", "used"), [(0, 1, 1), (0, 2, 2), (0, 9, 3), (2, 1, 2)])
async def test_the_replication_factor_is_as_asked_or_three_or_as_many_as_there_are_brokers(
    asked: int, brokers: int, used: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = use(FakeAdmin({}, brokers), monkeypatch)

    await ensure_topics(SETTINGS, "", replication_factor=asked)

    assert {topic.replication_factor for topic in admin.asked_for} == {used}


async def test_a_topic_that_somebody_else_made_meanwhile_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = {"holdings.metrics": (TopicAlreadyExistsError.errno, "")}
    use(FakeAdmin({}, refused=refused), monkeypatch)

    states = await ensure_topics(SETTINGS, "")

    assert not {state.name: state for state in states}["holdings.metrics"].created


async def test_a_topic_that_cannot_be_created_is_told_with_the_brokers_words(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = {"holdings.results": (InvalidReplicationFactorError.errno, "larger than available brokers")}
    admin = use(FakeAdmin({}, refused=refused), monkeypatch)

    with pytest.raises(SourceUnavailable, match=r"holdings\.results cannot be created: larger than available brokers"):
        await ensure_topics(SETTINGS, "")
    assert admin.closed


async def test_brokers_that_cannot_be_had_are_told_by_their_address(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = use(FakeAdmin({}, away=True), monkeypatch)

    with pytest.raises(SourceUnavailable, match=r"broker:9092: .*nobody listens"):
        await ensure_topics(SETTINGS, "")
    assert admin.closed
