"""Carries out the blows of a plan, and waits until everybody has recovered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable

from service.sandbox.ledger import now_seconds
from tests.chaos.evidence import Outage
from tests.chaos.plan import Blow, Burst, Join, Kill, Leave, StopBroker, Suspend, Terminate
from tests.chaos.stage import Stage, Stuck
from tests.chaos.troubles import fault_of
from tests.chaos.workers import Worker

RECOVERY_SECONDS = 60.0
LOG_TAIL = 3000


class Blows:
    """Strikes a stage. `fell` counts the blows, in the words of the report."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.fell: Counter[str] = Counter()

    async def strike(self, blow: Blow) -> None:
        """Returns when partitions are taken again and results come. Raises `Stuck`."""
        match blow:
            case Kill(workers):
                await self._kill(workers)
                await self._recover(workers)
            case Terminate(worker):
                await self.terminate(self._worker(worker))
                await self._worker(worker).start()
                await self._recover((worker,))
            case Suspend(worker, seconds, killed):
                await self._suspend(self._worker(worker), seconds, killed)
                await self._recover((worker, *killed))
            case StopBroker(crash, seconds, killed):
                await self._stop_broker(crash, seconds, killed)
                await self._recover(killed)
            case Join(worker):
                self.fell["workers joined"] += 1
                await self._worker(worker).start()
                await self._recover((worker,))
            case Leave(worker):
                self.fell["workers left"] += 1
                await self.terminate(self._worker(worker))
                await self._recover(())
            case Burst(system, trouble, times):
                self.fell["fault bursts"] += 1
                self._stage.sandbox.faults.add(fault_of(system, trouble, times))

    async def terminate(self, worker: Worker) -> None:
        """SIGTERM; anything but an exit code of 0 is a fault."""
        self.fell["terms"] += 1
        if code := await worker.terminate():
            self._stage.faults.append(
                f"worker {worker.number} ended with {code} after SIGTERM; its log ends with:\n"
                f"{worker.process.log[-LOG_TAIL:]}"
            )

    async def restart_the_fallen(self) -> None:
        """A worker that has ended by itself is a fault; the run goes on with a fresh one."""
        for worker in self._stage.workers:
            if worker.running and worker.process.exit_code is not None:
                self._stage.faults.append(
                    f"worker {worker.number} ended by itself with {worker.process.exit_code}; its log ends with:\n"
                    f"{worker.process.log[-LOG_TAIL:]}"
                )
                await worker.start()

    async def _kill(self, numbers: Iterable[int]) -> None:
        workers = [self._worker(number) for number in numbers]
        self.fell["kills"] += len(workers)
        await asyncio.gather(*(worker.kill() for worker in workers))
        for worker in workers:
            await worker.start()

    async def _suspend(self, worker: Worker, seconds: float, killed: tuple[int, ...]) -> None:
        self.fell["suspensions"] += 1
        worker.suspend()
        await self._kill(killed)
        await asyncio.sleep(seconds)
        worker.wake()

    async def _stop_broker(self, crash: bool, seconds: float, killed: tuple[int, ...]) -> None:
        broker = self._stage.broker
        if broker is None:
            raise ValueError("the broker is not ours to stop")
        self.fell["broker crashes" if crash else "broker stops"] += 1
        began = now_seconds()
        if crash:
            broker.kill()
        else:
            await broker.halt()
        gone_at = now_seconds()
        await self._kill(killed)
        await asyncio.sleep(seconds)
        await broker.restart()
        self._stage.outages.append(Outage(began, gone_at, now_seconds()))

    async def _recover(self, numbers: Iterable[int]) -> None:
        """Each of them has taken partitions, and results come that were not there before."""
        for number in numbers:
            try:
                await self._worker(number).process.says('"partition.taken"', RECOVERY_SECONDS)
            except TimeoutError:
                raise Stuck(f"worker {number} took no partition within {RECOVERY_SECONDS:.0f} s") from None
        before = self._stage.watch.done
        await self._stage.until(
            lambda: self._stage.watch.done > before or before == len(self._stage.workload.events),
            RECOVERY_SECONDS,
            "another result after a blow",
        )

    def _worker(self, number: int) -> Worker:
        return self._stage.workers[number]
