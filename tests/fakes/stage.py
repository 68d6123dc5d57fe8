"""What a simulated course needs beside its course: a broker, systems, workers, and a judge of what came of it all."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import TypeVar

from service.domain.outcomes import Overall
from service.domain.record import Partition
from service.domain.replays import LetterPlace, with_replay
from service.engine import hearing, pulse
from service.engine.commit_metadata import decode
from service.engine.intake import IntakeLimits
from service.engine.offsets import Position
from service.engine.ports import Outgoing
from service.engine.retry import RetryPolicy
from tests.fakes.broker import FakeBroker
from tests.fakes.erratic_systems import ErraticSystems
from tests.fakes.events import DEAD_LETTERS, RESULTS, ROWS, Told, row_told_by, told_by
from tests.fakes.export_judging import faults_of_rows
from tests.fakes.export_ledger import ExportLedger
from tests.fakes.fates import TROUBLES, USUAL_CALL_SECONDS, Fate
from tests.fakes.ledger import Ledger, PlacedEvent
from tests.fakes.member import Member
from tests.fakes.ownership import Ownership
from tests.fakes.source import Delivery

Counted = TypeVar("Counted")

SESSION_SECONDS = USUAL_CALL_SECONDS * 3
PULSE_LIMIT_SECONDS = SESSION_SECONDS * pulse.SHARE_OF_SESSION
SILENCE_LIMIT_SECONDS = SESSION_SECONDS * hearing.SHARE_OF_SESSION
DRAIN_SECONDS = USUAL_CALL_SECONDS * 2
GRACE_SECONDS = USUAL_CALL_SECONDS * 2
PATIENT = RetryPolicy(max_attempts=60, initial_seconds=0.2, max_seconds=5, deadline_seconds=100_000)
LETTER = LetterPlace("holdings.dead-letters", 0, 0)
"""That a replayed event says it was. Nothing looks at it."""
CALM_SECONDS = 3600.0
"""In which, without any more trouble, everything must have come to its end."""


class Stage:
    """`trouble` is the share of calls and commits that go wrong now, `fate` what becomes of a call for an event."""

    def __init__(
        self, random: Random, partitions: Sequence[Partition], events: Sequence[PlacedEvent], delivery: Delivery
    ) -> None:
        self.events = events
        self.delivery = delivery
        self.broker = FakeBroker(*partitions, session_seconds=SESSION_SECONDS)
        self.ownership = Ownership(self.broker)
        self.ledger = Ledger(events, self._is_finished, self._is_marked)
        self.exports = ExportLedger(self._is_noted)
        self.trouble = 0.0
        self.fate: Callable[[PlacedEvent], Fate] = self._any_fate
        self.members: list[Member] = []
        """Those that were neither stopped nor killed."""
        self.ever: list[Member] = []
        self._random = random
        self._to_come = list(events)

    def start_worker(self, concurrency: int = 100, intake_records: int = 10_000, updates_together: int = 100) -> Member:
        name = f"worker {len(self.ever) + 1}"
        member = Member(
            self.broker,
            lambda process: ErraticSystems(
                self.ledger,
                self.exports,
                process,
                self._random,
                self.fate,
                lambda partition: self.ownership.judge_call(name, partition),
            ),
            name,
            concurrency=concurrency,
            intake=IntakeLimits(intake_records, 10_000_000),
            drain_seconds=DRAIN_SECONDS,
            retry=PATIENT,
            uniform=self._random.uniform,
            clock=asyncio.get_running_loop().time,
            suspension_seconds=PULSE_LIMIT_SECONDS,
            silence_seconds=SILENCE_LIMIT_SECONDS,
            delivery=self.delivery,
            updates_together=updates_together,
        )
        self.ownership.watch(member)
        self.members.append(member.start(lambda: GRACE_SECONDS))
        self.ever.append(member)
        return member

    def publish(self, count: int) -> None:
        """The next events."""
        for placed in self._to_come[:count]:
            headers = with_replay((), LETTER, None) if placed.replayed else ()
            self.broker.append(placed.partition, placed.event.encode(), placed.offset, headers)
        del self._to_come[:count]

    async def come_to_rest(self) -> None:
        """Without any more trouble: publish what is left, wait until all is finished, stop the workers. Raises
        `TimeoutError` when that takes longer than it may."""
        self.trouble = 0.0
        self.publish(len(self._to_come))
        if not self.members:
            self.start_worker()
        async with asyncio.timeout(CALM_SECONDS):
            while not all(self.broker.position(p) == Position(self._end(p)) for p in self.broker.partitions):  # noqa: ASYNC110 - asked, not told
                await asyncio.sleep(1)
            while leaving := list(self.members):  # one that is killed meanwhile is replaced
                await asyncio.gather(*(member.stop() for member in leaving))
                self.members = [member for member in self.members if member not in leaving]
        for member in self.ever:
            member.process.spare()

    def _any_fate(self, placed: PlacedEvent) -> Fate:
        return self._random.choice(TROUBLES) if self._random.random() < self.trouble else "answered"

    def _end(self, partition: Partition) -> int:
        log = self.broker.logs[partition]
        return log[-1][0] + 1 if log else 0

    # ── the judge ───────────────────────────────────────────────────────────────────────────────────────────────────

    def faults(self) -> list[str]:
        """Everything that should not be, in words."""
        return [
            *self.ledger.objections,
            *self.exports.objections,
            *self.ownership.objections,
            *(f"an adapter raised {error!r}" for member in self.ever for error in member.observer.breakages),
            *self._faults_of_records(),
            *faults_of_rows(self.events, self._published(), self.delivery),
            *self._faults_of_commits(),
            *self._wrong_counts(),
        ]

    @property
    def met(self) -> set[str]:
        """The kinds of trouble that the workers came through."""
        observers = [member.observer for member in self.ever]
        ids = [told.event_id for told in self._told(RESULTS)]
        seen = {
            "a commit was not stored": any(observer.commit_failures for observer in observers),
            "a partition was lost": any(observer.lost for observer in observers),
            "a record was dropped": any(observer.records_dropped for observer in observers),
            "an outcome was held": any(observer.records_held for observer in observers),
            "a call was retried": any(observer.retries for observer in observers),
            "Kafka was away": any(observer.source_failures for observer in observers),
            "finished work was inherited": any(p.completed for observer in observers for p in observer.positions),
            "a mark was inherited": any(p.attempted for observer in observers for p in observer.positions),
            "a call was repeated": any(times > 1 for times in self.ledger.applied.values()),
            "a transfer was found done": self.ledger.found_done > 0,
            "an export was found in the list": self.exports.found_in_list > 0,
            "an export was gone on with": any(p.progress for observer in observers for p in observer.positions),
            "a download was cut": self.exports.downloads_cut > 0,
            "a download was gone on with": self.exports.downloads_gone_on_with > 0,
            "updates left together": self.ledger.joint_calls > 0,
            "updates were refused together": self.ledger.joint_refusals > 0,
            "a worker slept": any(member.process.wakings for member in self.ever),
            "a sleep was noticed": any(observer.suspensions for observer in observers),
            "a silence of the group was noticed": any(observer.silences for observer in observers),
            "a worker was replaced in its sleep": self.ownership.replaced_asleep > 0,
            "a worker was killed": any(member.process.killed for member in self.ever),
            "a result was published again": len(ids) > len(set(ids)),
        }
        return {what for what, happened in seen.items() if happened}

    def _is_finished(self, placed: PlacedEvent) -> bool:
        return _counts_as_finished(placed.offset, self.broker.position(placed.partition))

    def _is_marked(self, placed: PlacedEvent) -> bool:
        return placed.offset in self.broker.position(placed.partition).attempted

    def _is_noted(self, placed: PlacedEvent) -> bool:
        return placed.offset in self.broker.position(placed.partition).notes

    def _published(self) -> list[Outgoing]:
        """All of it, less what nobody can be blamed for."""
        excused = {id(record) for record in self.ownership.excused}
        return [sent for sent in self.broker.published if id(sent) not in excused]

    def _told(self, topic: str) -> list[Told]:
        return [told_by(sent) for sent in self._published() if sent.topic == topic]

    def _faults_of_records(self) -> list[str]:
        """Each event has its result, the right one, and each that failed its dead letter; exactly one of them in
        transactions, at least one outside."""
        results, letters = self._told(RESULTS), self._told(DEAD_LETTERS)
        expected = Counter((placed.partition, placed.offset, _expected(placed)) for placed in self.events)
        told = self._counted((one.partition, one.offset, one.overall) for one in results)
        failed = self._counted((one.partition, one.offset) for one in results if one.overall is Overall.FAILED)
        lettered = self._counted((one.partition, one.offset) for one in letters)
        return [
            *(f"no result, or not the right one: {missing}" for missing in expected - told),
            *(f"one result too many: {surplus}" for surplus in told - expected),
            *(f"failed without a dead letter: {missing}" for missing in failed - lettered),
            *(f"one dead letter too many: {surplus}" for surplus in lettered - failed),
        ]

    def _counted(self, told: Iterable[Counted]) -> Counter[Counted]:
        return Counter(told if self.delivery == "exactly_once" else set(told))

    def _faults_of_commits(self) -> list[str]:
        """After every commit, finished is exactly what was published with it or with an earlier one that was stored,
        and so are the rows of an export that is not finished.

        Outside of transactions a worker that has slept may go back to the last position of which it knows that it was
        stored, when it was not told so of a later one.
        """
        faults: list[str] = []
        known: set[tuple[str, Partition, int, str]] = set()
        published: dict[Partition, set[int]] = {partition: set() for partition in self.broker.partitions}
        rows: defaultdict[tuple[Partition, int], set[int]] = defaultdict(set)
        for number, commit in enumerate(self.broker.commits):
            mine = published[commit.partition]
            mine.update(told_by(sent).offset for sent in commit.records if sent.topic != ROWS)
            for row in (row_told_by(sent) for sent in commit.records if sent.topic == ROWS):
                rows[commit.partition, row.offset].add(row.number)
            position = decode(commit.offset, commit.metadata)
            what = (commit.owner, commit.partition, commit.offset, commit.metadata)
            if self.delivery == "at_least_once" and not commit.records and what in known:
                continue
            known.add(what)
            wrong = (
                placed
                for placed in self.events
                if placed.partition == commit.partition
                and (
                    _counts_as_finished(placed.offset, position) != (placed.offset in mine)
                    or position.progress.get(placed.offset, 0)
                    != (0 if placed.offset in mine else len(rows[commit.partition, placed.offset]))
                )
            )
            faults += (
                f"commit {number} of {commit.owner} is wrong about {placed.partition}@{placed.offset}"
                for placed in wrong
            )
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


def _expected(placed: PlacedEvent) -> Overall:
    return Overall.SUCCEEDED if placed.event.valid and not placed.refused else Overall.FAILED


def _counts_as_finished(offset: int, position: Position) -> bool:
    return offset < position.frontier or any(start <= offset < end for start, end in position.completed)
