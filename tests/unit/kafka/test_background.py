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

    coordinator: Any = SimpleNamespace(_do_heartbeat=beat)
    background.on_heartbeat(cast("AIOKafkaConsumer", SimpleNamespace(_coordinator=coordinator)), told.append)
    before = suspend_aware_clock()

    assert await coordinator._do_heartbeat() is confirmed

    assert len(told) == confirmed
    assert all(before <= sent_at <= answered_at[0] for sent_at in told)
