"""What the stores do without a broker. What they do with one is told by `tests/contract/test_brokers.py`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import NoReturn

import pytest

from service.domain.record import Partition
from service.engine.ports import Outgoing, OwnershipLost
from service.kafka.stores import SharedStore, SharedStores
from service.settings import KafkaSettings


async def _unexpected(*_: object, **__: object) -> NoReturn:
    raise AssertionError("it was sent")


async def test_a_member_under_another_id_than_at_its_claim_publishes_nothing_more() -> None:
    coordinator = SimpleNamespace(member_id="relay-1")
    consumer = SimpleNamespace(_coordinator=coordinator, commit=_unexpected)
    stores = SharedStores(KafkaSettings(), "")
    store = SharedStore(Partition("changes", 0), stores, SimpleNamespace(send_batch=_unexpected), consumer)

    coordinator.member_id = ""

    with pytest.raises(OwnershipLost, match="with the membership"):
        await store.commit([Outgoing("results", b"key", b"value")], 1, "")
