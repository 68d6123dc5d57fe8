"""How a topic that exists compares with what the contract wants of it."""

from __future__ import annotations

import pytest

from service.kafka.topics import WEEK_MS, Difference, FoundTopic, TopicSpec, differences_of

SPEC = TopicSpec("holdings.results", 6, max_message_bytes=2_000_000)
AS_WANTED: dict[str, str | None] = {
    "cleanup.policy": "delete",
    "retention.ms": str(WEEK_MS),
    "max.message.bytes": "2000000",
}


def found(partitions: int = 6, **config: str | None) -> FoundTopic:
    """A topic as wanted but for what is said (with _ for .)."""
    return FoundTopic(partitions, AS_WANTED | {name.replace("_", "."): value for name, value in config.items()})


@pytest.mark.parametrize(
    "topic",
    [
        found(),
        found(retention_ms="-1"),
        found(retention_ms=str(WEEK_MS + 1)),
        found(max_message_bytes="9000000"),
        found(retention_ms=None, max_message_bytes=None, cleanup_policy=None),
        FoundTopic(6, None),
    ],
    ids=["as wanted", "kept for ever", "kept longer", "more room", "nothing told", "settings unread"],
)
def test_what_is_as_wanted_or_more_does_not_differ(topic: FoundTopic) -> None:
    assert differences_of(SPEC, topic) == ()


@pytest.mark.parametrize(
    ("topic", "difference"),
    [
        (found(3), Difference("partitions", "3", "6")),
        (found(12), Difference("partitions", "12", "6")),
        (found(cleanup_policy="compact"), Difference("cleanup.policy", "compact", "delete")),
        (found(cleanup_policy="compact,delete"), Difference("cleanup.policy", "compact,delete", "delete")),
        (found(retention_ms="0"), Difference("retention.ms", "0", "at least 604800000")),
        (found(max_message_bytes="1999999"), Difference("max.message.bytes", "1999999", "at least 2000000")),
    ],
)
def test_what_differs_is_told_beside_what_was_expected(topic: FoundTopic, difference: Difference) -> None:
    assert differences_of(SPEC, topic) == (difference,)


def test_room_for_large_records_matters_only_where_it_is_asked_for() -> None:
    assert differences_of(TopicSpec("holdings.changes", 6), found(max_message_bytes="10")) == ()


def test_every_difference_of_a_topic_is_told() -> None:
    assert len(differences_of(SPEC, found(1, cleanup_policy="compact", retention_ms="1", max_message_bytes="1"))) == 4
