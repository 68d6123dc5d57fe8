"""An observer that writes down what it is told."""

from __future__ import annotations

from service.domain.operations import Plan
from service.domain.outcomes import Outcome
from service.domain.record import Partition, Record
from service.engine.offsets import Position
from service.engine.ports import Commit, CommitFailure
from tests.fakes.observing import SilentObserver


class RecordingObserver(SilentObserver):
    """Implements `engine.ports.Observer`."""

    def __init__(self) -> None:
        self.records_received: list[Record] = []
        self.records_dropped: list[Record] = []
        self.records_held: list[tuple[int, str]] = []
        self.outcomes: list[Outcome] = []
        self.breakages: list[Exception] = []
        self.retries: list[tuple[str, int, float, str]] = []
        """System, attempts, pause in seconds, message."""
        self.commits: list[Commit] = []
        self.commit_failures: list[tuple[CommitFailure, str]] = []
        self.source_failures: list[str] = []
        self.suspensions: list[float] = []
        self.silences: list[float] = []
        self.silences_ended = 0
        self.taken: list[Partition] = []
        self.positions: list[Position] = []
        """What the last owners of those taken had left."""
        self.released: list[Partition] = []
        self.lost: list[tuple[Partition, str]] = []

    @property
    def in_work(self) -> int:
        """Records of which neither an outcome nor the loss was told."""
        return len(self.records_received) - len(self.outcomes) - len(self.records_dropped)

    def received(self, record: Record) -> None:
        self.records_received.append(record)

    def retrying(
        self, record: Record, plan: Plan, system: str, attempts: int, pause_seconds: float, message: str
    ) -> None:
        self.retries.append((system, attempts, pause_seconds, message))

    def settled(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    def committed(self, partition: Partition, commit: Commit) -> None:
        self.commits.append(commit)

    def commit_failed(self, partition: Partition, failure: CommitFailure, message: str) -> None:
        self.commit_failures.append((failure, message))

    def dropped(self, record: Record, message: str) -> None:
        self.records_dropped.append(record)

    def held(self, outcome: Outcome, message: str) -> None:
        self.records_held.append((outcome.record.offset, message))

    def broken(self, record: Record, plan: Plan, error: Exception) -> None:
        self.breakages.append(error)

    def suspended(self, seconds: float) -> None:
        self.suspensions.append(seconds)

    def out_of_touch(self, seconds: float) -> None:
        self.silences.append(seconds)

    def in_touch_again(self) -> None:
        self.silences_ended += 1

    def source_failed(self, message: str) -> None:
        self.source_failures.append(message)

    def partition_taken(self, partition: Partition, position: Position) -> None:
        self.taken.append(partition)
        self.positions.append(position)

    def partition_released(self, partition: Partition, reason: str) -> None:
        self.released.append(partition)

    def partition_lost(self, partition: Partition, message: str) -> None:
        self.lost.append((partition, message))
