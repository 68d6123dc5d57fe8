"""The topics of the contract: what they are called, and how each should be. Values, and how one that exists compares.

`topic_admin` asks the brokers and creates; nothing changes or deletes a topic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

CHANGES = "holdings.changes"
TRANSFER_REQUESTS = "holdings.transfer-requests"
EXPORT_REQUESTS = "holdings.export-requests"
RESULTS = "holdings.results"
DEAD_LETTERS = "holdings.dead-letters"
EXPORT_ROWS = "holdings.export-rows"
METRICS = "holdings.metrics"

LETTER_BYTES: Final = 4_194_304
"""A dead letter is the record in with headers added, and must fit where the record in did."""

CLEANUP: Final = "cleanup.policy"
RETENTION: Final = "retention.ms"
SIZE: Final = "max.message.bytes"

_DAY_MS: Final = 24 * 60 * 60 * 1000
WEEK_MS: Final = 7 * _DAY_MS
MONTH_MS: Final = 30 * _DAY_MS
"""Dead letters wait for somebody who reads them."""


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as the contract wants it, its name without the prefix.

    `retention_ms` and `max_message_bytes` are the least that will do; None leaves it to the brokers.
    """

    name: str
    partitions: int
    retention_ms: int = WEEK_MS
    max_message_bytes: int | None = None
    cleanup_policy: str = "delete"

    @property
    def config(self) -> dict[str, str]:
        """What the topic is created with."""
        made = {CLEANUP: self.cleanup_policy, RETENTION: str(self.retention_ms)}
        return made | ({SIZE: str(self.max_message_bytes)} if self.max_message_bytes is not None else {})


TOPICS = (
    TopicSpec(CHANGES, 6),
    TopicSpec(TRANSFER_REQUESTS, 6),
    TopicSpec(EXPORT_REQUESTS, 6),
    TopicSpec(RESULTS, 6, max_message_bytes=LETTER_BYTES),
    TopicSpec(DEAD_LETTERS, 6, retention_ms=MONTH_MS, max_message_bytes=LETTER_BYTES),
    TopicSpec(EXPORT_ROWS, 6),
    TopicSpec(METRICS, 1),
)


@dataclass(frozen=True, slots=True)
class FoundTopic:
    """A topic as it is. `config` is None where we may not read it."""

    partitions: int
    config: Mapping[str, str | None] | None = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing about a topic that is not as it should be."""

    what: str
    """`partitions`, or the name of the topic's setting."""
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.what} is {self.found}, expected {self.expected}"


@dataclass(frozen=True, slots=True)
class TopicState:
    """What was found or done. `refusal` says why a missing topic could not be created, in the brokers' words."""

    name: str
    created: bool = False
    missing: bool = False
    differences: tuple[Difference, ...] = ()
    config_unread: bool = False
    """We may not read the topic's settings (Kafka: DescribeConfigs), so only its partitions were compared."""
    refusal: str | None = None

    @property
    def as_expected(self) -> bool:
        return not (self.missing or self.differences)


def differences_of(spec: TopicSpec, found: FoundTopic) -> tuple[Difference, ...]:
    """In what an existing topic differs. More retention and more room than asked for are no difference."""
    differing: list[Difference] = []
    if found.partitions != spec.partitions:
        differing.append(Difference("partitions", str(found.partitions), str(spec.partitions)))
    config = found.config or {}
    policy = config.get(CLEANUP)
    if policy is not None and policy != spec.cleanup_policy:
        differing.append(Difference(CLEANUP, policy, spec.cleanup_policy))
    kept = _number(config.get(RETENTION))
    if kept is not None and 0 <= kept < spec.retention_ms:
        differing.append(Difference(RETENTION, str(kept), f"at least {spec.retention_ms}"))
    room = _number(config.get(SIZE))
    if room is not None and spec.max_message_bytes is not None and room < spec.max_message_bytes:
        differing.append(Difference(SIZE, str(room), f"at least {spec.max_message_bytes}"))
    return tuple(differing)


def _number(text: str | None) -> int | None:
    try:
        return int(text) if text is not None else None
    except ValueError:
        return None
