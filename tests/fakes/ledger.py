"""What the systems have applied, over all workers, and what they object to: calls out of order, at the same time, or
without a mark. Owns no call."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from service.domain.answers import Finding, failed, succeeded
from service.domain.codes import Code
from service.domain.record import Partition
from tests.fakes.events import FakeEvent


@dataclass(frozen=True, slots=True)
class PlacedEvent:
    """An event, and where in the log it is. A refused one is valid, but the systems do not want it. A replayed one had
    been applied when it became a dead letter."""

    event: FakeEvent
    partition: Partition
    offset: int
    refused: bool = False
    replayed: bool = False

    def conflicts_with(self, other: PlacedEvent) -> bool:
        """Whether both touch an entity that not both only read."""
        mine, theirs = self.event, other.event
        return not set(mine.writes).isdisjoint(theirs.writes + theirs.reads) or not set(mine.reads).isdisjoint(
            theirs.writes
        )

    def is_behind(self, other: PlacedEvent) -> bool:
        """Whether it must not overtake `other`."""
        return self.partition == other.partition and self.offset > other.offset and self.conflicts_with(other)


class Ledger:
    """What the systems hold and what they object to, over all workers."""

    def __init__(
        self,
        events: Iterable[PlacedEvent],
        is_finished: Callable[[PlacedEvent], bool],
        is_marked: Callable[[PlacedEvent], bool],
    ) -> None:
        """`is_finished` says whether it is stored that an event has its result, `is_marked` whether a mark for it
        is."""
        self.events = {placed.event.id: placed for placed in events}
        self.applied = Counter(placed.event.id for placed in self.events.values() if placed.replayed)
        self.found_done = 0
        """Transfers of which it was found that an earlier attempt had been applied."""
        self.joint_calls = self.joint_refusals = 0
        """Calls that carried out several events, and those of them that were refused."""
        self.objections: list[str] = []
        self.under_way: set[asyncio.Task[Any]] = set()
        self._is_finished = is_finished
        self._is_marked = is_marked
        self._decided: set[str] = set()

    def check_call(
        self, called: PlacedEvent, running: Iterable[PlacedEvent], worker: str, ahead: Iterable[PlacedEvent] = ()
    ) -> None:
        """Whether this call may start, as the one worker sees it (`running`) and as all do together. `ahead` are those
        that the same call carries out before."""
        decided = self._decided.union(placed.event.id for placed in ahead)
        for other in running:
            if called.conflicts_with(other):
                self.objections.append(f"{worker} calls {called.event.id} while its call of {other.event.id} runs")
        for other in self.events.values():
            if called.is_behind(other) and other.event.valid and other.event.id not in decided:
                self.objections.append(f"{worker} calls {called.event.id} before {other.event.id} is decided")
            if other.is_behind(called) and other.event.valid and self._is_finished(other):
                self.objections.append(f"{worker} calls {called.event.id} after {other.event.id} was finished")
        if called.event.transfer and not self._is_marked(called):
            self.objections.append(f"{worker} transfers {called.event.id} without a mark")

    def apply(self, placed: PlacedEvent, *, uncertain: bool) -> Finding:
        """A transfer can be applied once: afterwards its source is no longer where it was."""
        if placed.refused:
            return failed(Code.REFUSED, 422, "no")
        if placed.event.transfer and self.applied[placed.event.id]:
            self.found_done += uncertain
            return succeeded(200) if uncertain else failed(Code.REFUSED, 200, "the source does not exist")
        self.applied[placed.event.id] += 1
        return succeeded(200)

    def decide(self, placed: PlacedEvent) -> None:
        """A worker has been given the final answer."""
        self._decided.add(placed.event.id)
