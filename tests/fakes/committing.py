"""A commit loop with everything around it, on a fake broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from service.domain.operations import EventIdentity, Plan
from service.domain.outcomes import Outcome
from service.domain.record import Partition
from service.engine.commits import Check, Commits, unchecked
from service.engine.offsets import Offsets, Position
from tests.builders.outcomes import REFUSED, operation, outcome, record
from tests.fakes.broker import CommitTrouble, FakeBroker
from tests.fakes.events import RESULTS, render, told_by
from tests.fakes.process import FakeProcess
from tests.fakes.recording import RecordingObserver
from tests.fakes.stores import FakeStore

PARTITION = Partition("changes", 0)
COMMIT_SECONDS = 1.0


@dataclass(slots=True)
class Subject:
    """A commit loop with everything around it."""

    broker: FakeBroker
    offsets: Offsets
    commits: Commits
    observer: RecordingObserver
    settled: list[int]
    running: asyncio.Task[None]

    def receive(self, *offsets: int) -> None:
        for offset in offsets:
            self.offsets.receive(offset)

    def add(self, *offsets: int, failed: bool = False, writes: str = "", reads: str = "") -> None:
        """Each letter of `writes` and `reads` is an entity that the record touches."""
        keys = [frozenset(("eholdings", entity) for entity in touched) for touched in (writes, reads)]
        plan = Plan(EventIdentity("e1", "/ils", "holdings.changed"), "diku", None, (), *keys)
        for offset in offsets:
            finding = operation(REFUSED) if failed else operation()
            self.commits.add(outcome(finding, of=record(offset, partition=PARTITION)), plan)

    @property
    def results(self) -> list[list[int]]:
        """Offsets whose results were published, commit by commit."""
        return [
            [told_by(sent).offset for sent in commit.records if sent.topic == RESULTS] for commit in self.broker.commits
        ]

    @property
    def positions(self) -> list[int]:
        return [commit.offset for commit in self.broker.commits]


@asynccontextmanager
async def committing(start: Position | None = None, check: Check = unchecked) -> AsyncIterator[Subject]:
    """A loop that runs, each of its commits taking a second."""
    broker, observer, settled = FakeBroker(PARTITION), RecordingObserver(), list[int]()
    broker.delay = lambda verb: COMMIT_SECONDS / 2
    offsets = Offsets(start or Position(0))

    def note(stored: Outcome) -> None:
        settled.append(stored.record.offset)

    store = FakeStore(broker, PARTITION, broker.fence(PARTITION), FakeProcess())
    commits = Commits(PARTITION, offsets, store, render, note, observer, check)
    running = asyncio.create_task(commits.run())
    yield Subject(broker, offsets, commits, observer, settled, running)
    running.cancel()
    await asyncio.wait((running,))


def failing(*troubles: CommitTrouble | None) -> Callable[[Partition], CommitTrouble | None]:
    """One trouble for each commit, none when they are used up."""
    left = list(troubles)
    return lambda partition: left.pop(0) if left else None
