"""Does for one pod what the kubelet does: starts its process, probes it, and ends it within its grace period.

A pod has an address of its own, as in a cluster; that is all that its environment does not take from the chart.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import aiohttp

from tests.chaos.workers import Worker
from tests.deployment.pods import Pod, Probe


class PodFault(Exception):
    """The kubelet would have killed the pod, or the pod has ended by itself."""


class Kubelet:
    """Of one pod, which runs as `worker`."""

    def __init__(self, pod: Pod, address: str, worker: Worker) -> None:
        self._pod = pod
        self._address = address
        self.worker = worker
        self.ready_seconds = 0.0
        """From the start to the first time that it was ready."""
        self.stop_seconds = 0.0
        """From SIGTERM to the end."""
        self._failures: list[str] = []

    async def start(self) -> None:
        """Returns when the pod is ready. Raises `PodFault` where it would be killed first."""
        began = time.monotonic()
        await self.worker.start()
        await self._until(self._pod.probes["startup"])
        self._live = asyncio.create_task(self._watch(self._pod.probes["liveness"]))
        await self._until_ready(self._pod.probes["readiness"])
        self.ready_seconds = time.monotonic() - began

    async def stop(self) -> None:
        """SIGTERM. Raises `PodFault` unless it ends with 0 before SIGKILL would come."""
        self._live.cancel()
        await asyncio.gather(self._live, return_exceptions=True)
        if self._failures:
            raise PodFault(f"{self._name}: {'; '.join(self._failures)}")
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._pod.grace_seconds):
                code = await self.worker.terminate()
        except TimeoutError:
            raise PodFault(f"{self._name} still ran {self._pod.grace_seconds} s after SIGTERM") from None
        self.stop_seconds = time.monotonic() - began
        if code:
            raise PodFault(f"{self._name} ended with {code} after SIGTERM: {self.worker.process.log[-2000:]}")

    @property
    def _name(self) -> str:
        return f"pod {self.worker.number}"

    async def _until(self, probe: Probe) -> None:
        """Until a probe has succeeded; as many failures in a row as it allows are one too many."""
        for _ in range(probe.failures):
            if await self._asked(probe):
                return
            self._still_runs()
            await asyncio.sleep(probe.period_seconds)
        raise PodFault(f"{self._name}: {probe.path} failed {probe.failures} times: {self.worker.process.log[-2000:]}")

    async def _until_ready(self, probe: Probe) -> None:
        while not await self._asked(probe):
            self._still_runs()
            await asyncio.sleep(probe.period_seconds)

    async def _watch(self, probe: Probe) -> None:
        """Notes when a pod would be started anew."""
        failed = 0
        while True:
            failed = 0 if await self._asked(probe) else failed + 1
            if failed == probe.failures:
                self._failures.append(f"{probe.path} failed {failed} times in a row")
            await asyncio.sleep(probe.period_seconds)

    async def _asked(self, probe: Probe) -> bool:
        timeout = aiohttp.ClientTimeout(total=probe.timeout_seconds)
        url = f"http://{self._address}:{probe.port}{probe.path}"
        try:
            async with aiohttp.ClientSession(timeout=timeout) as http, http.get(url) as answer:
                return answer.status < 400
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _still_runs(self) -> None:
        if self.worker.process.exit_code is not None:
            raise PodFault(
                f"{self._name} ended with {self.worker.process.exit_code}: {self.worker.process.log[-2000:]}"
            )


def log_of(folder: Path, number: int) -> Path:
    return folder / f"pod-{number}.log"
