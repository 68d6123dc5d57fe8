"""One owned partition, from its claim to its end."""

from __future__ import annotations

import asyncio

from service.domain.record import Partition
from service.engine.offsets import Position
from service.engine.partition import OwnedPartition
from service.engine.ports import Claim
from tests.builders.outcomes import operation, outcome, record
from tests.fakes.broker import FakeBroker
from tests.fakes.events import render
from tests.fakes.process import FakeProcess
from tests.fakes.recording import RecordingObserver
from tests.fakes.stores import FakeStore

PARTITION = Partition("changes", 0)


async def test_nothing_is_stored_once_the_lease_has_ended_and_that_is_no_loss_to_be_told() -> None:
    """What was settled waits for its commit when the partition is given up."""
    broker, lost = FakeBroker(PARTITION), list[str]()
    store = FakeStore(broker, PARTITION, broker.fence(PARTITION), FakeProcess())
    owned = OwnedPartition(PARTITION, 1, Claim(Position(0), store), render, RecordingObserver())
    owned.start(lambda partition, why: lost.append(why))
    waiting = record(0, partition=PARTITION)
    owned.receive(waiting)

    owned.settle(outcome(operation(), of=waiting))
    owned.lease.end("given up")
    await asyncio.sleep(10)
    await owned.close("given up")

    assert (broker.commits, lost) == ([], [])
