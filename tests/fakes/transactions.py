"""The transactions of the simulated broker: one at a time for each partition, of the last who has claimed it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from service.domain.record import Partition
from service.engine.ports import Outgoing
from tests.fakes.output import Fate, Output, Transaction

METADATA_LIMIT_BYTES = 4096
"""Kafka's `offset.metadata.max.bytes`."""


class Refused(Exception):
    """The broker does not do what was asked."""


class Fenced(Refused):
    """Somebody else has claimed the partition since."""


class MetadataTooLarge(Refused):
    """More than `METADATA_LIMIT_BYTES`."""


@dataclass(frozen=True, slots=True)
class StoredCommit:
    """What one commit has made durable. Outside of a transaction, `records` were published before."""

    partition: Partition
    records: tuple[Outgoing, ...]
    offset: int
    metadata: str
    owner: str


class Transactions:
    """`store` is called for each that is committed with an offset in it."""

    def __init__(self, output: Output, store: Callable[[StoredCommit], None]) -> None:
        self._output = output
        self._store = store
        self._fences: defaultdict[Partition, int] = defaultdict(int)
        self._open: dict[Partition, tuple[Transaction, tuple[int, str] | None]] = {}

    def fence(self, partition: Partition) -> int:
        """From now on nobody but the holder of this number stores anything for the partition. What is open is
        aborted."""
        if (opened := self._open.pop(partition, None)) is not None:
            self._output.end(opened[0], Fate.ABORTED)
        self._fences[partition] += 1
        return self._fences[partition]

    def bar(self, partition: Partition) -> None:
        """Fence whoever has claimed the partition, in favour of nobody."""
        self.fence(partition)

    def write(self, partition: Partition, fence: int, records: Sequence[Outgoing]) -> None:
        """Into the transaction of the partition's claimant, which begins with it. Raises `Fenced`, as all below."""
        transaction, offset = self._transaction(partition, fence)
        for record in records:
            self._output.add(transaction, record)
        self._open[partition] = (transaction, offset)

    def write_offset(self, partition: Partition, fence: int, offset: int, metadata: str) -> None:
        """Likewise. Raises `MetadataTooLarge`."""
        transaction, _ = self._transaction(partition, fence)
        check_length(metadata)
        self._open[partition] = (transaction, (offset, metadata))

    def abort(self, partition: Partition, fence: int) -> None:
        transaction, _ = self._transaction(partition, fence)
        self._open.pop(partition, None)
        self._output.end(transaction, Fate.ABORTED)

    def end(self, partition: Partition, fence: int, owner: str) -> None:
        """Records and offset count from now on."""
        transaction, offset = self._transaction(partition, fence)
        self._open.pop(partition, None)
        self._output.end(transaction, Fate.COMMITTED)
        if offset is not None:
            self._store(StoredCommit(partition, tuple(transaction.records), *offset, owner))

    def _transaction(self, partition: Partition, fence: int) -> tuple[Transaction, tuple[int, str] | None]:
        if self._fences[partition] != fence:
            raise Fenced(f"another worker has taken {partition}")
        return self._open.get(partition, (Transaction(), None))


def check_length(metadata: str) -> None:
    """Raises `MetadataTooLarge`."""
    if len(metadata) > METADATA_LIMIT_BYTES:
        raise MetadataTooLarge(f"{len(metadata)} bytes of metadata")
