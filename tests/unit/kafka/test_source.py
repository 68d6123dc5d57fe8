"""Records that were fetched before somebody sought another place are not handed on after it, and an assignment confirms
nothing younger than the question that it answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from service.domain.record import Partition
from service.kafka.source import KafkaSource
from service.settings import KafkaSettings

WHERE, OTHER = Partition("t", 0), Partition("t", 1)


class FakeConsumer:
    """Has one record of each partition, at its position."""

    def seek(self, where: TopicPartition, offset: int) -> None: ...

    async def getmany(self, **limits: Any) -> dict[TopicPartition, list[ConsumerRecord]]:
        return {
            TopicPartition(*where): [ConsumerRecord(where.topic, where.number, 200, 0, 0, None, b"{}", None, 0, 2, ())]
            for where in (WHERE, OTHER)
        }


@pytest.mark.parametrize(
    ("meanwhile", "handed_on"),
    [
        (lambda source: None, [WHERE, OTHER]),
        (lambda source: source.seek(WHERE, 182), [OTHER]),
    ],
    ids=["nothing", "a claim or a rebalance sought another place"],
)
async def test_what_was_fetched_before_a_seek_that_comes_while_the_logs_are_checked_is_left(
    monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[KafkaSource], None], handed_on: list[Partition]
) -> None:
    source = KafkaSource(KafkaSettings(), ["t"], stores=None, damaged=None)  # type: ignore[arg-type]
    monkeypatch.setattr(source, "_consumer", FakeConsumer())
    monkeypatch.setattr("service.kafka.background.ended", lambda _: [])
    monkeypatch.setattr(source, "_epochs", {WHERE: 1, OTHER: 1})

    async def check_logs() -> None:
        meanwhile(source)

    monkeypatch.setattr(source, "_check_logs", check_logs)

    records = await source.fetch(0.0)

    assert [record.partition for record in records] == handed_on


def test_an_assignment_that_was_long_in_coming_confirms_only_what_was_so_when_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr("service.kafka.source.suspend_aware_clock", lambda: now[0])
    source = KafkaSource(KafkaSettings(), ["t"], stores=None, damaged=None)  # type: ignore[arg-type]
    assert source.silent_seconds() == 0.0, "nobody has let us in yet"

    source.begin_to_join()
    now[0] += 30
    source.take_assignment([WHERE], "member")

    assert source.silent_seconds() == 30.0
