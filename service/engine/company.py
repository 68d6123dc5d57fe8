"""Who leaves together: an update of an eholdings resource, and those of the same resource that wait right behind it.

Owns the choice, and the right of the whole company to make a request; makes none. What waits does so because an
earlier call for the resource was under way or paused, so nobody is kept waiting for company.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from service.domain.operations import UpdateResource
from service.domain.outcomes import Outcome
from service.engine.job import Job
from service.engine.stopwatch import Phase

DEFAULT_MOST = 100


def sociable(job: Job) -> bool:
    """Whether the record may leave with others: the whole of it is one update of a resource, and neither an attempt
    that may have been applied nor one in company that failed lies behind it."""
    plan = job.plan
    return (
        len(plan.steps) == 1
        and isinstance(plan.steps[0], UpdateResource)
        and len(plan.writes) == 1
        and not plan.reads
        and not (job.apart or job.attempted)
    )


class Company:
    """Those whom one job takes along, from attempt to attempt. `done` are those of them who came to their outcome."""

    def __init__(self, leader: Job, behind: Callable[[], Sequence[Job]]) -> None:
        """`behind` tells who waits right behind the leader now, sociable and in order."""
        self._leader = leader
        self._behind = behind
        self.followers: tuple[Job, ...] = ()
        self.requests = 0
        """That have left in the present attempt."""
        self.done: list[tuple[Job, Outcome]] = []

    @property
    def members(self) -> tuple[Job, ...]:
        return (self._leader, *self.followers)

    def gather(self) -> bool:
        """Choose anew, right before an attempt. Whether there is anybody. One whose partition may not call now stays,
        and those behind it with it."""
        self.requests = 0
        followers: list[Job] = []
        for job in self._behind() if sociable(self._leader) else ():
            if not job.lease.is_open or job.plan.tenant != self._leader.plan.tenant:
                break
            followers.append(job)
        self.followers = tuple(followers)
        return bool(followers)

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Around an attempt: a rebalance waits for it on behalf of every member. The leader sees to itself."""
        with ExitStack() as calls:
            for follower in self.followers:
                calls.enter_context(follower.lease.under_way())
            yield

    def turn(self, phase: Phase, now: float) -> None:
        """What every member is at from now on."""
        for member in self.members:
            member.watch.turn(phase, now)

    async def may_leave(self) -> None:
        """See `CallContext.may_leave`. Raises `OwnershipLost` when any member has lost its partition."""
        for member in self.members:
            await member.lease.may_leave()
        for member in self.members:
            member.lease.check()  # it may have been lost while another was in doubt
        self.requests += 1

    def part(self, count: int, *, uncertain: bool) -> None:
        """An attempt for the first `count` members has come to nothing, and from now on each of them leaves by itself.
        `uncertain`: it may have been applied."""
        self._leader.apart = True
        for follower in self.followers[: count - 1]:
            follower.apart = True
            follower.attempted |= uncertain
            follower.joint_attempts += bool(self.requests)


def nobody() -> Sequence[Job]:
    """Behind a job that leaves by itself in any case."""
    return ()
