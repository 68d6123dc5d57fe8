"""What an aiokafka consumer runs in the background, none of which may end before the consumer does.

A cancellation that leaks inside of aiokafka ends such a task without a word: nothing raises, nothing is fetched any
more, and nobody hears of a rebalance. And a consumer that cannot be stopped in good order goes on telling its group
that it is there, which then waits for it as long as a rebalance may take. aiokafka has no public names for any of this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from aiokafka import AIOKafkaConsumer

from service.engine.ports import OwnershipLost
from service.engine.pulse import suspend_aware_clock

LEAVE_SECONDS = 3.0


def ended(consumer: AIOKafkaConsumer) -> list[str]:
    """What of a started consumer has come to its end, in words."""
    return [what for what, task in tasks(consumer).items() if task.done()]


async def while_it_lives(consumer: AIOKafkaConsumer, work: Coroutine[Any, Any, None]) -> None:
    """Do `work`, which needs the consumer. Raises `OwnershipLost` once something of the consumer has ended: whatever is
    asked of it may then never come."""
    doing = asyncio.ensure_future(work)
    try:
        await asyncio.wait((doing, *tasks(consumer).values()), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            return doing.result()
    finally:
        doing.cancel()
    raise OwnershipLost(f"the consumer has come to its end by itself: {', '.join(ended(consumer))}")


def tasks(consumer: AIOKafkaConsumer) -> dict[str, asyncio.Task[None]]:
    """Those without which a started consumer is of no use, in words."""
    return {
        "the fetching": consumer._fetcher._fetch_task,
        "the membership in the group": consumer._coordinator._coordination_task,
        "the knowledge of the cluster": consumer._client._sync_task,
    }


def watch_membership(
    consumer: AIOKafkaConsumer, confirmed: Callable[[float], None], expelled: Callable[[], None]
) -> None:
    """Have `confirmed` told when each heartbeat was sent, by `suspend_aware_clock`, that the group has confirmed: it
    confirms members of its present generation alone, those included that it wants to join anew. Have `expelled` called
    when any answer says that we are no such member."""
    coordinator = consumer._coordinator
    beat, reset = coordinator._do_heartbeat, coordinator.reset_generation

    async def tell() -> bool:
        sent_at = suspend_aware_clock()
        is_member = bool(await beat())
        if is_member:
            confirmed(sent_at)
        return is_member

    def forget() -> None:
        reset()
        expelled()

    coordinator._do_heartbeat, coordinator.reset_generation = tell, forget


async def end(consumer: AIOKafkaConsumer, seconds: float) -> None:
    """Stop a consumer in good order within `seconds`; whatever of it runs then is cancelled. Raises nothing."""
    stopping = asyncio.ensure_future(consumer.stop())
    await asyncio.wait((stopping,), timeout=seconds)
    if stopping.done() and not stopping.cancelled() and stopping.exception() is None:
        return
    client = consumer._client
    begun = {stopping, client._sync_task, *_parts(consumer._fetcher, "_fetch_task")}
    begun.update(_parts(consumer._coordinator, "_coordination_task", "_heartbeat_task", "_commit_refresh_task"))
    begun.update(*_parts(consumer._fetcher, "_pending_tasks"))
    running = [task for task in begun if task is not None and not task.done()]
    for task in running:
        task.cancel()
    await asyncio.wait((*running, asyncio.ensure_future(_let_go(consumer))), timeout=seconds)


async def _let_go(consumer: AIOKafkaConsumer) -> None:
    """Tell the group, so that it need not find out by itself, and close the connections."""
    leaving = getattr(consumer._coordinator, "maybe_leave_group", None)
    if leaving is not None:
        await asyncio.wait((leaving(),), timeout=LEAVE_SECONDS)
    await consumer._client.close()


def _parts(owner: object, *names: str) -> list[Any]:
    """Those of its attributes that are there: a consumer without a group has fewer, and one that did not start none."""
    return [getattr(owner, name) for name in names if hasattr(owner, name)]
