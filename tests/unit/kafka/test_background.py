"""What is known of aiokafka's insides."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer

from service.engine.pulse import suspend_aware_clock
from service.kafka import background


@pytest.mark.parametrize("confirmed", [True, False])
async def test_a_heartbeat_counts_from_when_it_was_sent_and_only_when_the_group_confirms_it(confirmed: bool) -> None:
    answered_at, told = list[float](), list[float]()

    async def beat() -> bool:
        answered_at.append(suspend_aware_clock())
        return confirmed

    coordinator: Any = SimpleNamespace(_do_heartbeat=beat, reset_generation=lambda: None)
    consumer = cast("AIOKafkaConsumer", SimpleNamespace(_coordinator=coordinator))
    background.watch_membership(consumer, told.append, lambda: None)
    before = suspend_aware_clock()

    assert await coordinator._do_heartbeat() is confirmed

    assert len(told) == confirmed
    assert all(before <= sent_at <= answered_at[0] for sent_at in told)


def test_that_the_group_knows_us_no_more_is_told_once_aiokafka_has_forgotten_its_membership() -> None:
    course = list[str]()
    coordinator: Any = SimpleNamespace(_do_heartbeat=None, reset_generation=lambda: course.append("forgotten"))
    consumer = cast("AIOKafkaConsumer", SimpleNamespace(_coordinator=coordinator))
    background.watch_membership(consumer, lambda sent_at: None, lambda: course.append("told"))

    coordinator.reset_generation()

    assert course == ["forgotten", "told"]
