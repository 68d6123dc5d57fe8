"""Systems that stumble at random, and that go on with what has reached them when its caller dies. They judge order,
mutual exclusion and marks while they are called."""

from __future__ import annotations

import asyncio
import contextvars
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Literal, TypeAlias

from service.domain.answers import Answer, Finding, Settled, failed, succeeded
from service.domain.codes import Code
from service.domain.operations import Step
from service.domain.record import Partition
from service.engine.ports import CallContext
from tests.fakes.events import FakeEvent, event_id_of
from tests.fakes.process import FakeProcess
from tests.fakes.systems import deny, stumble

LONGEST_CALL_SECONDS = 3.0

Fate: TypeAlias = Literal["answered", "never arrived", "lost on the way there", "lost on the way back", "denied"]
TROUBLES: tuple[Fate, ...] = ("never arrived", "lost on the way there", "lost on the way back", "denied")


@dataclass(frozen=True, slots=True)
class PlacedEvent:
    """An event, and where in the log it is. A refused one is valid, but the systems do not want it."""

    event: FakeEvent
    partition: Partition
    offset: int
    refused: bool = False

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
        is_told: Callable[[PlacedEvent], bool],
        is_marked: Callable[[PlacedEvent], bool],
    ) -> None:
        """`is_told` says whether an event has its result, `is_marked` whether a mark for it is stored."""
        self.events = {placed.event.id: placed for placed in events}
        self.applied: Counter[str] = Counter()
        self.found_done = 0
        """Transfers of which it was found that an earlier attempt had been applied."""
        self.objections: list[str] = []
        self.under_way: set[asyncio.Task[Finding | None]] = set()
        self._is_told = is_told
        self._is_marked = is_marked
        self._decided: set[str] = set()

    def check_call(self, called: PlacedEvent, running: Iterable[PlacedEvent], worker: str) -> None:
        """Whether this call may start, as the one worker sees it (`running`) and as all do together."""
        for other in running:
            if called.conflicts_with(other):
                self.objections.append(f"{worker} calls {called.event.id} while its call of {other.event.id} runs")
        for other in self.events.values():
            if called.is_behind(other) and other.event.valid and other.event.id not in self._decided:
                self.objections.append(f"{worker} calls {called.event.id} before {other.event.id} is decided")
            if other.is_behind(called) and other.event.valid and self._is_told(other):
                self.objections.append(f"{worker} calls {called.event.id} after {other.event.id} was told")
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


class ErraticSystems:
    """Implements `engine.ports.Systems` for one worker. `trouble` is the share of calls that go wrong now; a worker in
    `expelled` does not know that it has lost its partitions, so it is not blamed for calling."""

    def __init__(
        self, ledger: Ledger, process: FakeProcess, random: Random, trouble: Callable[[], float], expelled: set[str]
    ) -> None:
        self._ledger = ledger
        self._process = process
        self._random = random
        self._trouble = trouble
        self._expelled = expelled
        self._running: list[PlacedEvent] = []

    def unconfigured(self, step: Step) -> Finding | None:
        return None

    async def attempt(self, step: Step, context: CallContext) -> Answer:
        placed = self._ledger.events[event_id_of(step)]
        if placed.event.transfer:
            await context.mark()
        await self._process.breathe()
        if self._process.name not in self._expelled:
            self._ledger.check_call(placed, self._running, self._process.name)
        self._running.append(placed)
        try:
            return await self._call(placed, step, context)
        finally:
            self._running.remove(placed)

    async def _call(self, placed: PlacedEvent, step: Step, context: CallContext) -> Answer:
        fate: Fate = self._random.choice(TROUBLES) if self._random.random() < self._trouble() else "answered"
        serving = asyncio.get_running_loop().create_task(
            self._serve(placed, fate, uncertain=context.uncertain), context=contextvars.Context()
        )
        self._ledger.under_way.add(serving)
        serving.add_done_callback(self._ledger.under_way.discard)
        finding = await asyncio.shield(serving)
        await self._process.breathe()
        match fate:
            case "never arrived":
                return stumble()(step)
            case "lost on the way there" | "lost on the way back":
                return stumble(uncertain=True, status=None)(step)
            case "denied":
                return deny()(step)
            case "answered":
                self._ledger.decide(placed)
                return Settled((finding or succeeded(200),))

    async def _serve(self, placed: PlacedEvent, fate: Fate, *, uncertain: bool) -> Finding | None:
        """The server's side of a call."""
        seconds = self._random.uniform(0.01, LONGEST_CALL_SECONDS)
        await asyncio.sleep(seconds / 2)
        applies = fate in ("answered", "lost on the way back")
        finding = self._ledger.apply(placed, uncertain=uncertain) if applies else None
        await asyncio.sleep(seconds / 2)
        return finding
