"""A record on its way through the engine. Values and what has become of it so far; decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from service.domain.operations import Plan
from service.domain.record import Record
from service.domain.replays import Replay
from service.engine.lease import Lease
from service.engine.ports import Journal
from service.engine.retry import Repeat
from service.engine.stopwatch import Phase, Stopwatch


@dataclass(slots=True, eq=False)
class Job:
    """A record with its plan, under the lease of its partition. The last fields tell how far it has come."""

    record: Record
    plan: Plan
    lease: Lease
    mark: Callable[[], Awaitable[None]]
    attempted: bool
    """Whether a call that must not happen twice may have been made before: for this record by an earlier owner of the
    partition, or for the dead letter that it was."""
    journal: Journal | None = None
    """Of an export, which keeps what it has done as it goes. So it may be broken off, but while it is `ordering`."""
    span: str | None = None
    """W3C trace context of our own span for the record; None when none is recorded."""
    replay: Replay | None = None
    """What the record says of the dead letter that it was."""
    apart: bool = False
    """Whether an attempt together with others came to nothing, so that it leaves by itself from now on."""
    joint_attempts: int = 0
    """Such attempts, when it was one of those who were taken along."""
    begun: bool = False
    ordering: bool = False
    """While its export is being asked for: only the answer tells how the export is called."""
    resumes_at: float = 0.0
    """When the next attempt is due, by the loop's clock; in the past while none is awaited."""
    repeat: Repeat | None = None
    """What the attempt before came to, from its end to the beginning of the next; None where nothing is repeated."""
    now: Callable[[], float] = field(default_factory=lambda: asyncio.get_running_loop().time)
    """The loop's clock."""
    watch: Stopwatch = field(init=False)
    """Where its time goes; begins in its lanes."""

    def __post_init__(self) -> None:
        self.watch = Stopwatch(self.now())

    async def pause(self, seconds: float) -> None:
        """Let `seconds` pass, or raise `OwnershipLost`; that of an export at once when the worker stops, for the next
        owner goes on with it."""
        if self.journal is not None:
            self.lease.check_lasts()
        self.resumes_at = self.now() + seconds
        self.watch.turn(Phase.PAUSE, self.now())
        await self.lease.pause(seconds)
        self.watch.turn(Phase.GATE, self.now())
