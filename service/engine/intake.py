"""How much may be in memory. Decides purely which partitions rest and which go on; polling itself never stops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

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
    """Gives each owned partition an equal share of the limits. A partition that has used its share up rests until it
    is at half of it, so that one hot partition neither starves the others nor flutters."""

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
        shares = max(1, len(owned))
        pause = [p for p, load in owned.items() if p not in self._resting and self._is_full(load, shares)]
        resume = [p for p in self._resting if self._is_light(owned[p], shares)]
        self._resting.update(pause)
        self._resting.difference_update(resume)
        return pause, resume

    def _is_full(self, load: Load, shares: int) -> bool:
        return (
            load.unsettled * shares >= self._limits.records
            or load.unsettled_bytes * shares >= self._limits.bytes
            or load.metadata_bytes >= METADATA_HIGH_BYTES
        )

    def _is_light(self, load: Load, shares: int) -> bool:
        return (
            load.unsettled * shares * 2 <= self._limits.records
            and load.unsettled_bytes * shares * 2 <= self._limits.bytes
            and (load.metadata_bytes < METADATA_LOW_BYTES or not load.unsettled)
        )
