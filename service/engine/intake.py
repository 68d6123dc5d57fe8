"""How much may be in memory. Decides purely which partitions rest and which go on; polling itself never stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from service.domain.record import Partition

METADATA_HIGH_BYTES, METADATA_LOW_BYTES = 3000, 1500
"""Intake of a partition rests while the metadata of its commits is longer than the first, until it is below the
second."""


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """What one worker keeps in memory, over all partitions: records received and not settled, and their bytes."""

    records: int
    bytes: int


class Load(Protocol):
    """What a partition has in memory."""

    @property
    def unsettled(self) -> int: ...

    @property
    def unsettled_bytes(self) -> int: ...

    @property
    def metadata_bytes(self) -> int: ...


class Throttle:
    """Half of the limits is kept for the owned partitions in equal shares, so that none starves another. The other half
    is for whoever needs more than its share: a partition may take of it as much as it leaves. So one that is alone
    has a quarter of the limits beside its share, and many that are busy have nearly equal parts. A partition that has
    used up what it may have rests until it is at half of that, so that none flutters."""

    def __init__(self, limits: IntakeLimits) -> None:
        self._limits = limits
        self._resting: set[Partition] = set()

    def paused(self, owned: Mapping[Partition, Load]) -> list[Partition]:
        """Those of `owned` that rest."""
        self._resting &= owned.keys()
        return list(self._resting)

    @property
    def resting(self) -> frozenset[Partition]:
        return frozenset(self._resting)

    def adjust(self, owned: Mapping[Partition, Load]) -> tuple[list[Partition], list[Partition]]:
        """The partitions to pause, and those to resume."""
        self._resting &= owned.keys()
        allowed = self._allowed(owned)
        pause = [p for p, load in owned.items() if p not in self._resting and _is_full(load, allowed)]
        resume = [p for p in self._resting if _is_light(owned[p], allowed)]
        self._resting.update(pause)
        self._resting.difference_update(resume)
        return pause, resume

    def relieve(self, partition: Partition, owned: Mapping[Partition, Load]) -> bool:
        """Whether it has rested and need not rest any more. It is to be resumed then."""
        if partition not in self._resting or partition not in owned:
            return False
        if not _is_light(owned[partition], self._allowed(owned)):
            return False
        self._resting.discard(partition)
        return True

    def _allowed(self, owned: Mapping[Partition, Load]) -> _Allowed:
        loads = owned.values()
        return _Allowed(
            _allowance([load.unsettled for load in loads], self._limits.records),
            _allowance([load.unsettled_bytes for load in loads], self._limits.bytes),
        )


class _Allowed(NamedTuple):
    """What any partition may have now. Shares are fractions."""

    records: float
    bytes: float


def _allowance(used: Sequence[int], limit: int) -> float:
    if not used:
        return 0.0
    share = limit / 2 / len(used)
    left = limit / 2 - sum(have - share for have in used if have > share)
    return share + max(0.0, left)


def _is_full(load: Load, allowed: _Allowed) -> bool:
    return (
        load.unsettled >= allowed.records
        or load.unsettled_bytes >= allowed.bytes
        or load.metadata_bytes >= METADATA_HIGH_BYTES
    )


def _is_light(load: Load, allowed: _Allowed) -> bool:
    return (
        load.unsettled * 2 <= allowed.records
        and load.unsettled_bytes * 2 <= allowed.bytes
        and (load.metadata_bytes < METADATA_LOW_BYTES or not load.unsettled)
    )
