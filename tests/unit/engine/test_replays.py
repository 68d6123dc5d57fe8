"""A replayed dead letter: what was done for it before is asked about, and never done again."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from service.domain.record import Headers, Partition
from tests.fakes.broker import FakeBroker
from tests.fakes.events import FakeEvent
from tests.fakes.ledger import PlacedEvent
from tests.fakes.member import Member, settled
from tests.fakes.source import Delivery
from tests.fakes.stage import Stage
from tests.fakes.systems import FakeSystems

ONE = Partition("changes", 0)
MODE: Delivery = "exactly_once"
REPLAY: Headers = (("relay-replay-of", b"holdings.dead-letters/0/0"), ("relay-replay-since", b"1970-01-12T13:46:40Z"))


@pytest.mark.parametrize(
    ("headers", "uncertain", "since"),
    [((), False, None), (REPLAY, True, 1_000_000.0), (REPLAY[:1], True, 0.0), ((("relay-code", b"x"),), False, None)],
)
async def test_an_adapter_is_told_that_an_event_was_attempted_before(
    headers: Headers, uncertain: bool, since: float | None
) -> None:
    broker, systems = FakeBroker(ONE), FakeSystems()
    broker.append(ONE, FakeEvent("e1", ("a",)).encode(), headers=headers)
    member = Member(broker, systems).start()

    await settled(broker, "e1")
    await member.stop()

    [call] = systems.calls
    assert (call.context.uncertain, call.context.replayed_since) == (uncertain, since)


@pytest.mark.parametrize("seed", range(20))
async def test_a_transfer_that_was_applied_is_found_applied_however_its_replay_goes(seed: int) -> None:
    random = Random(seed)
    stage = Stage(random, [ONE], [PlacedEvent(FakeEvent("t1", ("a",), transfer=True), ONE, 0, replayed=True)], MODE)
    stage.trouble = 0.5
    stage.publish(1)
    worker = stage.start_worker()
    await asyncio.sleep(random.uniform(0, 20))
    stage.members.remove(worker)
    await worker.kill()

    await stage.come_to_rest()

    assert stage.faults() == [], "neither applied again nor called a failure"
