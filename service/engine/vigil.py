"""Whether this worker may have been replaced without knowing: because it slept, or because its group has fallen silent.
Makes the leases of its partitions say so, and owns nothing else."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from service.domain.record import Partition
from service.engine.hearing import Hearing
from service.engine.partition import OwnedPartition
from service.engine.ports import Observer
from service.engine.progress import Progress
from service.engine.pulse import Pulse

SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class VigilLimits:
    """After how long it is possible."""

    suspension_seconds: float = 15.0
    """That the worker was not awake."""
    silence_seconds: float = 22.5
    """That its group was not heard of."""


class Vigil:
    """Over the partitions of one worker."""

    def __init__(
        self,
        limits: VigilLimits,
        owned: Mapping[Partition, OwnedPartition],
        clock: Callable[[], float],
        silent_seconds: Callable[[], float],
        observer: Observer,
        progress: Progress,
    ) -> None:
        """`owned` is what the worker has at any time. For `clock` and `silent_seconds` see `Pulse` and `Hearing`."""
        self._limits = limits
        self._owned = owned
        self._observer = observer
        self._progress = progress
        self._pulse = Pulse(limits.suspension_seconds, clock, self._suspended)
        self._hearing = Hearing(limits.silence_seconds, silent_seconds, self._lost_touch, self._regained_touch)
        self._awoke_at = -math.inf
        """When a suspension was last noticed, by the loop's clock."""

    async def keep(self) -> None:
        """Look regularly, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(self._pulse.interval_seconds)

    def look(self) -> None:
        """Called before anything leaves, too."""
        self._pulse.feel()
        self._hearing.listen()

    def begin(self, owned: OwnedPartition, claim_began_at: float) -> None:
        """Look at a partition that is new among the owned: its claim began at that time, by the loop's clock."""
        self.look()
        if self._hearing.is_lost:
            owned.lease.lose_touch()
        if self._awoke_at + self._limits.suspension_seconds > claim_began_at:
            owned.doubt()  # what we were told of the group, or the claim itself, may be older than the suspension

    def _suspended(self, seconds: float) -> None:
        self._observer.suspended(seconds)
        self._awoke_at = asyncio.get_running_loop().time()
        for owned in self._owned.values():
            owned.doubt()

    def _lost_touch(self, seconds: float) -> None:
        self._observer.out_of_touch(seconds)
        self._progress.expect(SILENCE, math.inf)
        for owned in self._owned.values():
            owned.lease.lose_touch()

    def _regained_touch(self) -> None:
        self._observer.in_touch_again()
        self._progress.came(SILENCE)
        for owned in self._owned.values():
            owned.lease.regain_touch()
