"""Coming to rest, before a rebalance or the end: what may still end does, and what has ended is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping

from service.engine.job import Job
from service.engine.partition import OwnedPartition
from service.engine.ports import Observer

COMMIT_SHARE = 0.25
"""Of the time for a drain, what is kept for the last commits."""


async def settle_down(partitions: Iterable[OwnedPartition], seconds: float) -> None:
    """Hold the leases, and wait until no call runs and every outcome is stored, `seconds` at most. Whose lease has
    ended, or ends meanwhile, is not waited for: its outcomes cannot be stored."""
    held = list(partitions)
    for owned in held:
        owned.lease.hold()
    rest = [asyncio.ensure_future(_at_rest(owned)) for owned in held]
    if rest:
        _, pending = await asyncio.wait(rest, timeout=seconds)
        for task in pending:
            task.cancel()


async def _at_rest(owned: OwnedPartition) -> None:
    async def come_to_rest() -> None:
        await owned.lease.idle()
        await owned.emptied()

    coming, over = asyncio.ensure_future(come_to_rest()), asyncio.ensure_future(owned.lease.until_ended())
    try:
        await asyncio.wait((coming, over), return_when=asyncio.FIRST_COMPLETED)
    finally:
        coming.cancel()
        over.cancel()


async def drain(
    partitions: Collection[OwnedPartition],
    running: Mapping[Job, asyncio.Task[None]],
    observer: Observer,
    grace_seconds: float,
) -> None:
    """Before stopping: let every record that has begun come to its end, as long as there is time.

    A record that has not begun, or whose next attempt is due too late, is left to the next owner; so is an export that
    is not just being asked for, which the next owner goes on with.
    """
    work_seconds = grace_seconds * (1 - COMMIT_SHARE)
    until = asyncio.get_running_loop().time() + work_seconds
    for owned in partitions:
        owned.lease.limit(until)
    for job, task in list(running.items()):
        is_left_over = job.journal is not None and not job.ordering
        if not job.begun or job.resumes_at > until or is_left_over:
            task.cancel()
            observer.dropped(job.record, "the worker stops")
    if running:
        await asyncio.wait(running.values(), timeout=work_seconds)
    await settle_down(partitions, grace_seconds * COMMIT_SHARE)
