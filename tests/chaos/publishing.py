"""Sends a workload's events all the while, whatever happens to broker and workers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiokafka import AIOKafkaProducer

from tests.chaos.workload import Workload

TURN_SECONDS = 0.2


class Publisher:
    """Sends so many events a second, as long as no more than `backlog` of them are without a result."""

    def __init__(
        self, servers: str, prefix: str, workload: Workload, done: Callable[[], int], *, rate: float, backlog: int
    ) -> None:
        """`done` tells how many events have a result."""
        self._producer = AIOKafkaProducer(bootstrap_servers=servers, enable_idempotence=True)
        self._prefix = prefix
        self._workload = workload
        self._done = done
        self._rate = rate
        self._backlog = backlog
        self._acknowledged: list[asyncio.Future[object]] = []

    async def run(self, enough: Callable[[int], bool]) -> None:
        """Until `enough` says so of the number of events, and all of them are stored. Raises `KafkaError`."""
        await self._producer.start()
        try:
            due = 0.0
            while not enough(len(self._workload.events)):
                due += self._rate * TURN_SECONDS
                while due >= 1 and not enough(len(self._workload.events)):
                    due -= 1
                    if len(self._workload.events) - self._done() < self._backlog:
                        await self._send()
                await asyncio.sleep(TURN_SECONDS)
            await asyncio.gather(*self._acknowledged)
        finally:
            await self._producer.stop()

    async def _send(self) -> None:
        sent = self._workload.next().outgoing
        headers = list(sent.headers)
        self._acknowledged.append(
            await self._producer.send(self._prefix + sent.topic, sent.value, sent.key, headers=headers)
        )
