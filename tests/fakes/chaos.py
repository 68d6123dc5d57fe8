"""Workers, a broker and systems in which everything goes wrong in an order that one seed fixes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from random import Random
from typing import Any

from service.domain.record import Partition
from service.engine.ports import SourceUnavailable
from tests.fakes.broker import CommitTrouble
from tests.fakes.events import DEAD_LETTERS, RESULTS, FakeEvent
from tests.fakes.ledger import PlacedEvent
from tests.fakes.member import Member
from tests.fakes.source import FakeSource
from tests.fakes.stage import PULSE_LIMIT_SECONDS, SESSION_SECONDS, SILENCE_LIMIT_SECONDS, Stage

STEPS_AHEAD = 60
"""Within so many steps of its process a blow falls that was aimed at a step."""


class Chaos:
    """One run. `live` is its course; `stage` tells what is wrong with it afterwards."""

    def __init__(self, seed: int) -> None:
        self._random = random = Random(seed)
        partitions = [Partition("changes", number) for number in range(random.randint(1, 3))]
        events = _events(random, partitions)
        self.stage = Stage(random, partitions, events, random.choice(("exactly_once", "exactly_once", "at_least_once")))
        self._broker = self.stage.broker
        self._broker.delay = self._delay
        self._broker.commit_trouble = self._commit_trouble
        self._broker.assign = self._assign
        self._aside: set[asyncio.Task[None]] = set()

    async def live(self) -> None:
        """Trouble, then calm until everything has its result, then an orderly end."""
        self.stage.trouble = self._random.choice((0.0, 0.2, 0.5))
        for _ in range(self._random.randint(1, 2)):
            self._start_worker()
        for _ in range(self._random.randint(4, 10)):
            self.stage.publish(self._random.randint(0, 6))
            await asyncio.sleep(self._random.expovariate(1 / 5))
            self._random.choice(
                (
                    self._kill,
                    self._kill_at_a_step,
                    self._suspend,
                    self._suspend_at_a_step,
                    self._stop,
                    self._join,
                    self._rebalance,
                    self._strike_out,
                    self._cut_off,
                    self._trouble_source,
                    self._take_a_topic_away,
                )
            )()
        await self.stage.come_to_rest()
        while self._aside:
            await asyncio.wait(self._aside)

    # ── trouble ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _start_worker(self) -> None:
        self.stage.start_worker(
            self._random.choice((1, 3, 100)), self._random.choice((3, 10_000)), self._random.choice((1, 3, 100))
        )

    def _one_of_us(self) -> Member | None:
        awake = [member for member in self.stage.members if not member.process.silent]
        return self._random.choice(awake) if awake else None

    def _kill(self) -> None:
        if member := self._one_of_us():
            self._end(member)

    def _kill_at_a_step(self) -> None:
        if member := self._one_of_us():
            member.process.before_step(self._step_ahead(member), lambda: self._end(member))

    def _end(self, member: Member) -> None:
        if member in self.stage.members:
            member.process.die()
            self.stage.members.remove(member)
            self._leave_aside(member.process.kill())
            self._start_worker()

    def _suspend(self) -> None:
        if member := self._one_of_us():
            self._put_to_sleep(member)

    def _suspend_at_a_step(self) -> None:
        if member := self._one_of_us():
            member.process.before_step(self._step_ahead(member), lambda: self._put_to_sleep(member))

    def _put_to_sleep(self, member: Member) -> None:
        """For less than its pulse lets pass, for less than its session, or for longer than that."""
        low, high = self._random.choice(
            (
                (0.01, PULSE_LIMIT_SECONDS * 0.9),
                (PULSE_LIMIT_SECONDS, SESSION_SECONDS * 0.9),
                (SESSION_SECONDS, SESSION_SECONDS * 2),
                (SESSION_SECONDS, SESSION_SECONDS * 6),
            )
        )
        member.process.suspend()
        self._leave_aside(_wake(member, self._random.uniform(low, high)))

    def _step_ahead(self, member: Member) -> int:
        return member.process.steps + self._random.randint(1, STEPS_AHEAD)

    def _stop(self) -> None:
        if self.stage.members:
            member = self.stage.members.pop(self._random.randrange(len(self.stage.members)))
            self._leave_aside(member.stop())

    def _join(self) -> None:
        if len(self.stage.members) < 3:
            self._start_worker()

    def _rebalance(self) -> None:
        self._broker.rebalance()

    def _strike_out(self) -> None:
        """The group believes that a worker is gone that is awake. The worker hears of it only later."""
        if (member := self._one_of_us()) and member.source in self._broker.members:
            self.stage.ownership.struck_out(member)
            self._broker.leave(member.source)
            self._leave_aside(_let_find_out(member, self._random.uniform(0, 5)))

    def _cut_off(self) -> None:
        """Nothing gets through between the group and a worker that is awake; for less than it bears, for less than its
        session, or for longer than that."""
        low, high = self._random.choice(
            (
                (0.01, SILENCE_LIMIT_SECONDS * 0.9),
                (SILENCE_LIMIT_SECONDS, SESSION_SECONDS * 0.9),
                (SESSION_SECONDS, SESSION_SECONDS * 3),
            )
        )
        if (member := self._one_of_us()) and member.source in self._broker.members and member.source.in_touch:
            member.source.lose_touch()
            self._leave_aside(_restore(member, self._random.uniform(low, high)))

    def _trouble_source(self) -> None:
        if self.stage.members:
            verb = self._random.choice(("fetch", "claim", "start"))
            self._random.choice(self.stage.members).source.troubles[verb].append(SourceUnavailable("made to fail"))

    def _take_a_topic_away(self) -> None:
        self._leave_aside(self._without(self._random.choice((RESULTS, DEAD_LETTERS)), self._random.uniform(1, 30)))

    async def _without(self, topic: str, seconds: float) -> None:
        self._broker.refused_topics.add(topic)
        await asyncio.sleep(seconds)
        self._broker.refused_topics.discard(topic)

    def _delay(self, verb: str) -> float:
        return self._random.uniform(0, {"fetch": 0.05, "find out": SESSION_SECONDS / 5}.get(verb, 0.4))

    def _commit_trouble(self, partition: Partition) -> CommitTrouble | None:
        return self._random.choice(list(CommitTrouble)) if self._random.random() < self.stage.trouble / 3 else None

    def _assign(
        self, members: Sequence[FakeSource], partitions: Sequence[Partition]
    ) -> Mapping[FakeSource, Sequence[Partition]]:
        chosen = {partition: self._random.choice(members) for partition in partitions}
        return {member: [partition for partition in partitions if chosen[partition] is member] for member in members}

    def _leave_aside(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._broker.spawn(work)
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)


async def _wake(member: Member, after_seconds: float) -> None:
    await asyncio.sleep(after_seconds)
    member.process.wake()


async def _restore(member: Member, after_seconds: float) -> None:
    await asyncio.sleep(after_seconds)
    await member.source.regain_touch()


async def _let_find_out(member: Member, after_seconds: float) -> None:
    await asyncio.sleep(after_seconds)
    if not member.process.silent:
        await member.source.find_out()


def _events(random: Random, partitions: Sequence[Partition]) -> list[PlacedEvent]:
    events: list[PlacedEvent] = []
    following = dict.fromkeys(partitions, 0)
    for number in range(random.randint(5, 30)):
        partition = random.choice(partitions)
        offset = following[partition] + random.choice((0, 0, 0, 1, 5))
        following[partition] = offset + 1
        event = FakeEvent(
            f"e{number}",
            tuple(random.sample("abcdef", random.choice((1, 1, 1, 2)))),
            tuple(random.sample("rst", random.choice((0, 0, 1)))),
            transfer=random.random() < 0.3,
            valid=random.random() > 0.1,
            rows=random.randint(1, 12) if random.random() < 0.2 else 0,
        )
        refused = random.random() < 0.1
        replayed = event.transfer and event.valid and not refused and random.random() < 0.3
        events.append(PlacedEvent(event, partition, offset, refused, replayed))
    return events
