"""The workers of a run: real processes, each behind a door of its own to the one sandbox, and what befell them.

By its door the ledger tells who made a call: a call belongs to the life that its worker was in when it came.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from service.sandbox.ledger import now_seconds
from service.sandbox.server import Sandbox
from tests.chaos.evidence import Blow, Life, Struck
from tests.support.relay import worker_settings
from tests.support.relay_process import RelayProcess


class Worker:
    """One place for a worker process, which lives many times."""

    def __init__(self, number: int, door: Sandbox, settings: Mapping[str, str], log_file: Path) -> None:
        self.number = number
        self.lives: list[Life] = []
        self.process = RelayProcess(settings, log_file)
        self.running = False
        self.host = door.url.removeprefix("http://")

    async def start(self) -> None:
        self.lives.append(Life(self.number, now_seconds()))
        self.running = True
        await self.process.start()

    async def kill(self) -> None:
        self.lives[-1].blows.append(Struck(Blow.KILLED, now_seconds()))
        self.process.kill()
        self.running = False
        await self.process.ended()

    async def terminate(self) -> int:
        """Its exit code."""
        self.running = False
        self.process.terminate()
        return await self.process.ended()

    def suspend(self) -> None:
        self.lives[-1].blows.append(Struck(Blow.SUSPENDED, now_seconds()))
        self.process.suspend()

    def wake(self) -> None:
        self.process.listen()
        self.process.wake()
        blows = self.lives[-1].blows
        blows[-1] = blows[-1]._replace(until=now_seconds())


async def open_doors(first: Sandbox, count: int, stack: AsyncExitStack) -> list[Sandbox]:
    """So many addresses of the one sandbox: the same systems, ledger and faults behind each."""
    doors = [first]
    for _ in range(count - 1):
        door = Sandbox(first.systems.values(), first.settings)
        door.ledger, door.faults = first.ledger, first.faults
        doors.append(await stack.enter_async_context(door))
    return doors


def hire(doors: Sequence[Sandbox], servers: str, prefix: str, settings: Mapping[str, str], logs: Path) -> list[Worker]:
    """A worker for each door; none is started."""
    return [
        Worker(number, door, worker_settings(servers, prefix, door) | dict(settings), logs / f"worker-{number}.log")
        for number, door in enumerate(doors)
    ]


class Lives:
    """All lives of all workers, numbered."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self.all: list[Life] = []
        self._first: dict[str, int] = {}
        self._starts: dict[str, list[float]] = {}
        for worker in workers:
            self._first[worker.host] = len(self.all)
            self._starts[worker.host] = [life.began_at for life in worker.lives]
            self.all += worker.lives

    def at(self, host: str, when: float) -> int:
        """The number of the life that called through a door at a time."""
        return self._first[host] + max(0, bisect_right(self._starts[host], when) - 1)
