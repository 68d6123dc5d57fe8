"""Workers, a broker and systems in which everything goes wrong in an order that one seed fixes, and a judge of what
came of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from random import Random
from typing import Any

from service.domain.outcomes import Overall
from service.domain.record import Partition
from service.engine.commit_metadata import decode
from service.engine.intake import IntakeLimits
from service.engine.offsets import Position
from service.engine.ports import SourceUnavailable
from service.engine.retry import RetryPolicy
from tests.fakes.broker import CommitTrouble, FakeBroker
from tests.fakes.erratic_systems import LONGEST_CALL_SECONDS, ErraticSystems, Ledger, PlacedEvent
from tests.fakes.events import DEAD_LETTERS, RESULTS, FakeEvent, Told, told_by
from tests.fakes.member import Member
from tests.fakes.source import FakeSource

SESSION_SECONDS = LONGEST_CALL_SECONDS * 3
"""A dead worker is missed only when its last call has come to its end."""
DRAIN_SECONDS = LONGEST_CALL_SECONDS * 2
GRACE_SECONDS = LONGEST_CALL_SECONDS * 2
PATIENT = RetryPolicy(max_attempts=60, initial_seconds=0.2, max_seconds=5, deadline_seconds=100_000)
CALM_SECONDS = 3600.0
"""In which, without any more trouble, everything must have come to its end."""


class Chaos:
    """One run. `live` is its course; `faults` is what is wrong with it afterwards."""

    def __init__(self, seed: int) -> None:
        self._random = random = Random(seed)
        partitions = [Partition("changes", number) for number in range(random.randint(1, 3))]
        self.broker = FakeBroker(*partitions)
        self.broker.delay = self._delay
        self.broker.commit_trouble = self._commit_trouble
        self.broker.assign = self._assign
        self.events = _events(random, partitions)
        self.ledger = Ledger(self.events, self._is_told, self._is_marked)
        self._to_come = list(self.events)
        self._trouble = random.choice((0.0, 0.2, 0.5))
        self._members: list[Member] = []
        self._ever: list[Member] = []
        self._expelled: set[str] = set()
        self._started = 0
        self._aside: set[asyncio.Task[None]] = set()

    async def live(self) -> None:
        """Trouble, then calm until everything has its result, then an orderly end."""
        for _ in range(self._random.randint(1, 2)):
            self._start_worker()
        for _ in range(self._random.randint(4, 10)):
            self._publish_some()
            await asyncio.sleep(self._random.expovariate(1 / 5))
            await self._random.choice(
                (self._kill, self._kill, self._stop, self._join, self._rebalance, self._expel, self._trouble_source)
            )()
        await self._calm_down()

    def faults(self) -> list[str]:
        """Everything that should not be, in words."""
        return [*self.ledger.objections, *self._faults_of_records(), *self._faults_of_commits(), *self._wrong_counts()]

    @property
    def met(self) -> set[str]:
        """The kinds of trouble that the workers came through."""
        observers = [member.observer for member in self._ever]
        seen = {
            "a commit was not stored": any(observer.commit_failures for observer in observers),
            "a partition was lost": any(observer.lost for observer in observers),
            "a record was dropped": any(observer.records_dropped for observer in observers),
            "a call was retried": any(observer.retries for observer in observers),
            "Kafka was away": any(observer.source_failures for observer in observers),
            "finished work was inherited": any(p.completed for observer in observers for p in observer.positions),
            "a mark was inherited": any(p.attempted for observer in observers for p in observer.positions),
            "a call was repeated": any(times > 1 for times in self.ledger.applied.values()),
            "a transfer was found done": self.ledger.found_done > 0,
        }
        return {what for what, happened in seen.items() if happened}

    # ── trouble ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _start_worker(self) -> None:
        self._started += 1
        name = f"worker {self._started}"
        member = Member(
            self.broker,
            lambda process: ErraticSystems(self.ledger, process, self._random, lambda: self._trouble, self._expelled),
            name,
            concurrency=self._random.choice((1, 3, 100)),
            intake=IntakeLimits(self._random.choice((3, 10_000)), 10_000_000),
            drain_seconds=DRAIN_SECONDS,
            retry=PATIENT,
            uniform=self._random.uniform,
        )
        self._members.append(member.start(lambda: GRACE_SECONDS))
        self._ever.append(member)

    def _publish_some(self) -> None:
        for _ in range(min(len(self._to_come), self._random.randint(0, 6))):
            placed = self._to_come.pop(0)
            self.broker.append(placed.partition, placed.event.encode(), placed.offset)

    async def _kill(self) -> None:
        if self._members:
            member = self._members.pop(self._random.randrange(len(self._members)))
            await member.process.kill()
            self._leave_aside(self._end_session(member))
            self._start_worker()

    async def _end_session(self, member: Member) -> None:
        await asyncio.sleep(SESSION_SECONDS)
        self.broker.leave(member.source)

    async def _stop(self) -> None:
        if self._members:
            member = self._members.pop(self._random.randrange(len(self._members)))
            self._leave_aside(member.stop())

    async def _join(self) -> None:
        if len(self._members) < 3:
            self._start_worker()

    async def _rebalance(self) -> None:
        self.broker.rebalance()

    async def _expel(self) -> None:
        """The group believes that a worker is gone. The worker hears of it only later."""
        if self._members:
            member = self._random.choice(self._members)
            self._expelled.add(member.process.name)
            self.broker.leave(member.source)
            self._leave_aside(self._let_find_out(member, self._random.uniform(0, 5)))

    async def _let_find_out(self, member: Member, after_seconds: float) -> None:
        await asyncio.sleep(after_seconds)
        if not member.process.killed:
            await member.source.find_out()
            self._expelled.discard(member.process.name)

    async def _trouble_source(self) -> None:
        if self._members:
            verb = self._random.choice(("fetch", "claim", "start"))
            self._random.choice(self._members).source.troubles[verb].append(SourceUnavailable("made to fail"))

    def _delay(self, verb: str) -> float:
        return self._random.uniform(0, 0.05 if verb == "fetch" else 0.4)

    def _commit_trouble(self, partition: Partition) -> CommitTrouble | None:
        return self._random.choice(list(CommitTrouble)) if self._random.random() < self._trouble / 3 else None

    def _assign(
        self, members: Sequence[FakeSource], partitions: Sequence[Partition]
    ) -> Mapping[FakeSource, Sequence[Partition]]:
        chosen = {partition: self._random.choice(members) for partition in partitions}
        return {member: [partition for partition in partitions if chosen[partition] is member] for member in members}

    def _leave_aside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    # ── calm ────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _calm_down(self) -> None:
        self._trouble = 0.0
        while self._to_come:
            self._publish_some()
        if not self._members:
            self._start_worker()
        async with asyncio.timeout(CALM_SECONDS):
            while not all(self.broker.position(p) == Position(self._end(p)) for p in self.broker.partitions):  # noqa: ASYNC110 - asked, not told
                await asyncio.sleep(1)
            await asyncio.gather(*(member.stop() for member in self._members))
            if self._aside:
                await asyncio.wait(self._aside)

    def _end(self, partition: Partition) -> int:
        log = self.broker.logs[partition]
        return log[-1][0] + 1 if log else 0

    # ── the judge ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _is_told(self, placed: PlacedEvent) -> bool:
        return any(told.event_id == placed.event.id for told in self._told(RESULTS))

    def _is_marked(self, placed: PlacedEvent) -> bool:
        return placed.offset in self.broker.position(placed.partition).attempted

    def _told(self, topic: str) -> list[Told]:
        return [told_by(sent) for sent in self.broker.published if sent.topic == topic]

    def _faults_of_records(self) -> list[str]:
        """Each event has exactly one result, the right one, and each that failed exactly one dead letter."""
        results, letters = self._told(RESULTS), self._told(DEAD_LETTERS)
        expected = Counter((placed.partition, placed.offset, _expected(placed)) for placed in self.events)
        told = Counter((one.partition, one.offset, one.overall) for one in results)
        failed = Counter((one.partition, one.offset) for one in results if one.overall is Overall.FAILED)
        lettered = Counter((one.partition, one.offset) for one in letters)
        return [
            *(f"no result, or not the right one: {missing}" for missing in expected - told),
            *(f"one result too many: {surplus}" for surplus in told - expected),
            *(f"failed without a dead letter: {missing}" for missing in failed - lettered),
            *(f"one dead letter too many: {surplus}" for surplus in lettered - failed),
        ]

    def _faults_of_commits(self) -> list[str]:
        """After every commit, finished is exactly what was published, in this commit or before it."""
        faults: list[str] = []
        published: dict[Partition, set[int]] = {partition: set() for partition in self.broker.partitions}
        for number, commit in enumerate(self.broker.commits):
            mine = published[commit.partition]
            mine.update(told_by(sent).offset for sent in commit.records)
            position = decode(commit.offset, commit.metadata)
            for placed in self.events:
                offset = placed.offset
                if placed.partition == commit.partition and _counts_as_finished(offset, position) != (offset in mine):
                    faults.append(f"commit {number} of {commit.owner} is wrong about {commit.partition}@{offset}")
        return faults

    def _wrong_counts(self) -> list[str]:
        """Every event that succeeded was applied, a transfer exactly once."""
        return [
            f"{placed.event.id} was applied {times} times"
            for placed in self.events
            if placed.event.valid
            and not placed.refused
            and ((times := self.ledger.applied[placed.event.id]) < 1 or (placed.event.transfer and times > 1))
        ]


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
        )
        events.append(PlacedEvent(event, partition, offset, refused=random.random() < 0.1))
    return events


def _expected(placed: PlacedEvent) -> Overall:
    return Overall.SUCCEEDED if placed.event.valid and not placed.refused else Overall.FAILED


def _counts_as_finished(offset: int, position: Position) -> bool:
    return offset < position.frontier or any(start <= offset < end for start, end in position.completed)
