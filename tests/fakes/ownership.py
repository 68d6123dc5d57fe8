"""Who may act for a partition, and who did that may not. It knows what no worker can know: all claims and the group.

A partition belongs to whom the group has dealt it out, and, where there are transactions, to whoever was the last to
claim it. Anybody else starts no call for it, publishes nothing and commits nothing.

One case is excepted, because the worker cannot know, and nothing is promised of it (docs/guarantees.md, "What is not
promised"): the group has struck out a member that is awake, and the member has not heard of it yet. It may go on
calling, and without transactions go on publishing; it still commits nothing. A worker that was replaced while it slept
is not excepted: the sleep itself tells it to ask first. Where the group had struck it out meanwhile, but nobody had
claimed its partitions yet, the answer is that they are its own, and of a claim that comes later it cannot know.

What had left before a worker fell asleep is no concern of this judge, who looks at calls and records when they leave.
"""

from __future__ import annotations

from collections.abc import Sequence

from service.domain.record import Partition
from service.engine.ports import Outgoing
from tests.fakes.broker import FakeBroker
from tests.fakes.member import Member
from tests.fakes.transactions import StoredCommit


class Ownership:
    """Judge of all workers on one broker."""

    def __init__(self, broker: FakeBroker) -> None:
        self.objections: list[str] = []
        self.replaced_asleep = 0
        """Times that a worker woke up and somebody else had claimed a partition of its."""
        self.excused: list[Outgoing] = []
        """Published by workers that had been struck out and could not know."""
        self._broker = broker
        self._members: dict[str, Member] = {}
        self._unaware: set[str] = set()
        self._held: dict[str, set[Partition]] = {}
        self._lost_asleep: set[tuple[str, Partition]] = set()
        broker.stored = self._judge_commit

    def watch(self, member: Member) -> None:
        """From its start on."""
        name = member.process.name
        self._members[name] = member
        member.process.silenced.append(lambda: self._fall_asleep(name))
        member.process.woken.append(lambda: self._wake(name))
        member.source.publishing = lambda partition, records: self._judge_publication(name, partition, records)

    def struck_out(self, member: Member) -> None:
        """The group has struck out a member that is awake and does not know."""
        self._unaware.add(member.process.name)

    def judge_call(self, worker: str, partition: Partition) -> bool:
        """Whether the call that is about to leave counts; one of a worker that cannot know better does not."""
        return self._judge(worker, partition, "starts a call")

    def _judge_publication(self, worker: str, partition: Partition, records: Sequence[Outgoing]) -> None:
        """Outside of transactions."""
        if not self._judge(worker, partition, "publishes"):
            self.excused += records

    def _judge(self, worker: str, partition: Partition, does: str) -> bool:
        if self._owns(worker, partition):
            return True
        asleep = (worker, partition) in self._lost_asleep
        if self._is_unaware(worker) and not asleep:
            return False
        when = " in its sleep" if asleep else ""
        self.objections.append(f"{worker} {does} for {partition}, which it has lost{when}")
        return True

    def _judge_commit(self, commit: StoredCommit) -> None:
        if not self._owns(commit.owner, commit.partition):
            self.objections.append(f"{commit.owner} commits for {commit.partition}, which it has lost")

    def _owns(self, worker: str, partition: Partition) -> bool:
        member = self._members[worker]
        if self._broker.claimants.get(partition) == worker or self._broker.assigned.get(partition) is member.source:
            self._lost_asleep.discard((worker, partition))
            return True
        return False

    def _is_unaware(self, worker: str) -> bool:
        """A member that has joined again has heard of it."""
        if self._members[worker].source in self._broker.members:
            self._unaware.discard(worker)
        return worker in self._unaware

    def _fall_asleep(self, worker: str) -> None:
        believed = () if self._is_unaware(worker) else self._members[worker].source.epochs
        self._held[worker] = {partition for partition in believed if self._owns(worker, partition)}

    def _wake(self, worker: str) -> None:
        lost = {partition for partition in self._held.pop(worker) if not self._owns(worker, partition)}
        self.replaced_asleep += bool(lost)
        if self._members[worker].source not in self._broker.members:
            self._unaware.add(worker)
        self._lost_asleep |= {(worker, partition) for partition in lost}
