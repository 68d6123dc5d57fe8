"""What an aiokafka consumer runs in the background, none of which may end before the consumer does.

A cancellation that leaks inside of aiokafka ends such a task without a word: nothing raises, nothing is fetched any
more, and nobody hears of a rebalance. And a consumer that cannot be stopped in good order goes on telling its group
that it is there, which then waits for it as long as a rebalance may take. aiokafka has no public names for any of this.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer


def ended(consumer: AIOKafkaConsumer) -> list[str]:
    """What of a started consumer has come to its end, in words."""
    tasks = {
        "the fetching": consumer._fetcher._fetch_task,
        "the membership in the group": consumer._coordinator._coordination_task,
        "the knowledge of the cluster": consumer._client._sync_task,
    }
    return [what for what, task in tasks.items() if task is None or task.done()]


async def end(consumer: AIOKafkaConsumer, seconds: float) -> None:
    """Stop a consumer in good order within `seconds`; whatever of it runs then is cancelled. Raises nothing."""
    stopping = asyncio.ensure_future(consumer.stop())
    await asyncio.wait((stopping,), timeout=seconds)
    if stopping.done() and not stopping.cancelled() and stopping.exception() is None:
        return
    client = consumer._client
    tasks = {stopping, client._sync_task, *_parts(consumer._fetcher, "_fetch_task")}
    tasks.update(_parts(consumer._coordinator, "_coordination_task", "_heartbeat_task", "_commit_refresh_task"))
    tasks.update(*_parts(consumer._fetcher, "_pending_tasks"))
    running = [task for task in tasks if task is not None and not task.done()]
    for task in running:
        task.cancel()
    closing = asyncio.ensure_future(client.close())
    await asyncio.wait((*running, closing), timeout=seconds)


def _parts(owner: object, *names: str) -> list[Any]:
    """Those of its attributes that are there: a consumer without a group has fewer, and one that did not start none."""
    return [getattr(owner, name) for name in names if hasattr(owner, name)]
