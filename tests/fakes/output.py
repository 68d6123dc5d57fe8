"""The topics that workers publish to: records outside of transactions and in them, and what a reader sees of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from service.engine.ports import Outgoing


class Fate(Enum):
    """Of a transaction."""

    OPEN = auto()
    COMMITTED = auto()
    ABORTED = auto()


@dataclass(slots=True, eq=False)
class Transaction:
    """Records that become visible together, or never."""

    fate: Fate = Fate.OPEN
    records: list[Outgoing] = field(default_factory=list)


class Output:
    """Each topic has one partition."""

    def __init__(self) -> None:
        self._log: list[tuple[Outgoing, Transaction]] = []
        self.published: list[Outgoing] = []
        """Everything outside of transactions and in those that were committed, in the order in which it counted."""

    def publish(self, record: Outgoing) -> None:
        """Outside of any transaction."""
        self._log.append((record, Transaction(Fate.COMMITTED)))
        self.published.append(record)

    def add(self, transaction: Transaction, record: Outgoing) -> None:
        self._log.append((record, transaction))
        transaction.records.append(record)

    def end(self, transaction: Transaction, fate: Fate) -> None:
        transaction.fate = fate
        if fate is Fate.COMMITTED:
            self.published += transaction.records

    def readable(self, topic: str) -> list[Outgoing]:
        """Under `read_committed`: nothing that is behind the first open transaction."""
        seen: list[Outgoing] = []
        for record, transaction in self._log:
            if record.topic != topic:
                continue
            if transaction.fate is Fate.OPEN:
                break
            if transaction.fate is Fate.COMMITTED:
                seen.append(record)
        return seen
