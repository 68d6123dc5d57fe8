"""What the stores do without a broker. What they do with one is told by `tests/contract/test_brokers.py`."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import NoReturn

import pytest

from service.domain.record import Partition
from service.engine.ports import Outgoing, OwnershipLost
from service.kafka.admission import Admission
from service.kafka.stores import SharedStore, SharedStores, _send_all
from service.settings import KafkaSettings


async def _unexpected(*_: object, **__: object) -> NoReturn:
    raise AssertionError("it was sent")


async def test_a_member_under_another_id_than_at_its_claim_publishes_nothing_more() -> None:
    coordinator = SimpleNamespace(member_id="relay-1")
    consumer = SimpleNamespace(_coordinator=coordinator, commit=_unexpected)
    stores = SharedStores(KafkaSettings(), "")
    store = SharedStore(Partition("changes", 0), stores, SimpleNamespace(send=_unexpected), consumer)

    coordinator.member_id = ""

    with pytest.raises(OwnershipLost, match="with the membership"):
        await store.commit([Outgoing("results", b"key", b"value")], 1, "")


async def test_a_commit_that_is_given_up_does_not_wait_for_what_was_sent_before() -> None:
    unanswered: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    blocked = asyncio.Event()

    async def send(topic: str, *_: object, **__: object) -> asyncio.Future[object]:
        if topic == "first":
            return unanswered
        blocked.set()
        return await asyncio.Future()

    records = [Outgoing("first", b"key", b"value"), Outgoing("second", b"key", b"value")]
    sending = asyncio.create_task(_send_all(Admission(KafkaSettings()), SimpleNamespace(send=send), "", records))
    await blocked.wait()

    sending.cancel()
    ended, _ = await asyncio.wait((sending,), timeout=5)

    assert ended == {sending}
    assert sending.cancelled()
    assert unanswered.cancelled()
