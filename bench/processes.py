"""Processes of a benchmark: each on a core of its own where there are two, and what each has used. Linux."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, Final

CORES: Final = os.cpu_count() or 1
OTHERS_CORE: Final = 0
"""Of the broker, the stub, and the benchmark itself."""
WORKER_CORE: Final = 1 if CORES > 1 else 0

_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def process(
    *command: str, settings: Mapping[str, str] | None = None, core: int | None = None, log: BinaryIO | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Python module in a process of its own, killed with the block. Its output is a pipe, or goes into `log` with all
    that it says of errors."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RELAY_")} | dict(settings or {})
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *command,
        env=environment,
        stdout=log or asyncio.subprocess.PIPE,
        stderr=log,
    )
    pin(running.pid, core)
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()


def pin(process_id: int, core: int | None) -> None:
    """Let it run on that core alone; None is every core."""
    if CORES > 1:
        os.sched_setaffinity(process_id, range(CORES) if core is None else {core})


def cpu_seconds(process_id: int) -> float:
    """Used so far."""
    fields = Path(f"/proc/{process_id}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


def peak_mib(process_id: int) -> float:
    """The most memory that it has had at a time."""
    return _status_mib(process_id, "VmHWM")


def resident_mib(process_id: int) -> float:
    """The memory that it has."""
    return _status_mib(process_id, "VmRSS")


def _status_mib(process_id: int, name: str) -> float:
    lines = Path(f"/proc/{process_id}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


class CoreUse:
    """How busy a core has been since this was made, with whatever else ran there."""

    def __init__(self, core: int) -> None:
        self._core = core
        self._before = self._ticks()

    def share(self) -> float:
        busy, idle = (now - before for now, before in zip(self._ticks(), self._before, strict=True))
        return busy / (busy + idle) if busy + idle else 0.0

    def _ticks(self) -> tuple[int, int]:
        lines = Path("/proc/stat").read_text("ascii").splitlines()
        fields = next(line.split() for line in lines if line.startswith(f"cpu{self._core} "))
        user, nice, system, idle, waiting, *interrupts = map(int, fields[1:9])
        return user + nice + system + sum(interrupts), idle + waiting
