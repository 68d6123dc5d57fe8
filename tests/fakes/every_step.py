"""One small fixed course, taken again and again: each time another step of the first worker is its last, or the one
before a sleep in which it is replaced.

A step is what a worker does from one await to the next, so that no await is left out.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, Literal, TypeAlias, get_args

from service.domain.record import Partition
from tests.fakes.events import FakeEvent
from tests.fakes.fates import Fate
from tests.fakes.ledger import PlacedEvent
from tests.fakes.member import Member
from tests.fakes.source import Delivery
from tests.fakes.stage import SESSION_SECONDS, Stage
from tests.fakes.virtual_time import run_virtually

Blow: TypeAlias = Literal["killed", "replaced in its sleep"]
BLOWS: tuple[Blow, ...] = get_args(Blow)

ONE, TWO = Partition("changes", 0), Partition("changes", 1)
EVENTS = (
    PlacedEvent(FakeEvent("first of a", ("a",)), ONE, 0),
    PlacedEvent(FakeEvent("transfer", ("a", "b"), transfer=True), ONE, 1),
    PlacedEvent(FakeEvent("refused", ("b",)), ONE, 2, refused=True),
    PlacedEvent(FakeEvent("invalid", ("c",), valid=False), ONE, 4),
    PlacedEvent(FakeEvent("reader", ("d",), ("a",)), ONE, 5),
    PlacedEvent(FakeEvent("export", ("e",), rows=3), ONE, 6),
    PlacedEvent(FakeEvent("first of g", ("g",)), ONE, 8),
    PlacedEvent(FakeEvent("taken along", ("g",)), ONE, 9),
    PlacedEvent(FakeEvent("other partition", ("a",)), TWO, 0),
    PlacedEvent(FakeEvent("taken along from there", ("g",)), TWO, 1),
)
LOST = {"first of a": (1,), "export": (1, 4, 6, 8)}
"""Which of the calls for an event have their answer lost: of an export that to the POST, and later what is behind the
middle of the file."""


class SteppedCourse:
    """The course with a blow before the step `number` of the first worker. `live` is the course; `stage` tells what is
    wrong with it afterwards."""

    def __init__(self, number: int, blow: Blow, delivery: Delivery) -> None:
        self.stage = Stage(Random(1), (ONE, TWO), EVENTS, delivery)
        self.struck = False
        """Whether the first worker has come so far."""
        self._calls: Counter[str] = Counter()
        self._number = number
        self._blow: Callable[[Member], None] = self._kill if blow == "killed" else self._put_to_sleep
        self._aside: set[asyncio.Task[None]] = set()

    async def live(self) -> None:
        stage = self.stage
        stage.broker.delay = lambda verb: 0.1
        stage.fate = self._fate
        first = stage.start_worker()
        first.process.before_step(self._number, lambda: self._strike(first))
        stage.publish(len(EVENTS))
        await stage.come_to_rest()
        while self._aside:
            await asyncio.wait(self._aside)

    def _fate(self, placed: PlacedEvent) -> Fate:
        event_id = placed.event.id
        self._calls[event_id] += 1
        return "lost on the way back" if self._calls[event_id] in LOST.get(event_id, ()) else "answered"

    def _strike(self, first: Member) -> None:
        self.struck = True
        self._blow(first)
        self.stage.start_worker()

    def _kill(self, first: Member) -> None:
        first.process.die()
        self.stage.members.remove(first)
        self._leave_aside(first.process.kill())

    def _put_to_sleep(self, first: Member) -> None:
        first.process.suspend()
        self._leave_aside(self._wake(first))

    async def _wake(self, first: Member) -> None:
        """While the heir is at work."""
        await asyncio.sleep(SESSION_SECONDS + 3)
        first.process.wake()

    def _leave_aside(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.stage.broker.spawn(work)
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)


def strike_at(number: int, blow: Blow, delivery: Delivery) -> SteppedCourse:
    """The course, run to its end."""
    course = SteppedCourse(number, blow, delivery)
    run_virtually(course.live())
    return course


def steps_undisturbed(delivery: Delivery) -> int:
    """How many steps the worker takes when nothing befalls it."""
    course = strike_at(0, "killed", delivery)
    return course.stage.ever[0].process.steps
