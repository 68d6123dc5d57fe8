"""A system that is away for 24 hours, in virtual time: a whole worker on fakes, with as many events as it keeps in
memory. Counted are the calls that it makes meanwhile; what it takes of the processor is that of this process, fakes
included."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from service.domain.answers import Answer, Denial
from service.domain.operations import Step
from service.domain.record import Partition
from service.engine.ports import CallContext
from service.engine.retry import RetryPolicy
from tests.fakes.broker import FakeBroker
from tests.fakes.events import FakeEvent
from tests.fakes.member import Member, publish, results, settled
from tests.fakes.systems import FakeSystems, denied, stumbled, succeed
from tests.fakes.virtual_time import run_virtually

DAY_SECONDS: Final = 24 * 3600.0
PARTITIONS: Final = 6
RETRY: Final = RetryPolicy(max_attempts=8, initial_seconds=0.5, max_seconds=60, deadline_seconds=600)
"""As by default."""


@dataclass(frozen=True, slots=True)
class Day:
    """What became of so many events that waited for a day."""

    events: int
    probes: int
    """Calls while the system was away."""
    processor_seconds: float
    """Of the whole day."""
    failed: int
    """Results that are no success: their attempts were spent on probes."""
    caught_up_seconds: float
    """From the system's return to the last result, in virtual time."""


class Away(FakeSystems):
    """Out of reach for a day, or out of quota. Then everything succeeds."""

    def __init__(self, denial: Denial | None) -> None:
        super().__init__()
        self._denial = denial

    async def attempt(self, step: Step, context: CallContext) -> Answer:
        await super().attempt(step, context)
        if asyncio.get_running_loop().time() >= DAY_SECONDS:
            return succeed(step)
        return denied(step, self._denial) if self._denial else stumbled(step)


def day_of(events: int, denial: Denial | None) -> Day:
    """Every event is of an entity of its own. `denial` is why the system takes nothing; None: it does not answer."""
    return run_virtually(_day(events, denial))


async def _day(events: int, denial: Denial | None) -> Day:
    partitions = [Partition("changes", number) for number in range(PARTITIONS)]
    broker, systems = FakeBroker(*partitions), Away(denial)
    ids = [str(number) for number in range(events)]
    for number, partition in enumerate(partitions):
        publish(broker, partition, *(FakeEvent(name, (name,)) for name in ids[number::PARTITIONS]))
    began = time.process_time()
    member = Member(broker, systems, retry=RETRY).start()
    await asyncio.sleep(DAY_SECONDS)
    used, probes = time.process_time() - began, len(systems.calls)
    await settled(broker, *ids)
    caught_up = asyncio.get_running_loop().time() - DAY_SECONDS
    failed = sum(told.overall != "succeeded" for told in results(broker))
    await member.stop()
    return Day(events, probes, used, failed, caught_up)
