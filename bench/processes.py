"""Processes of a benchmark: each on a core of its own where there are two, and what each has used. Linux."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

CORES: Final = os.cpu_count() or 1
OTHERS_CORE: Final = 0
"""Of the broker, the stub, and the benchmark itself."""
WORKER_CORE: Final = 1 if CORES > 1 else 0

_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_LIBC: Final = ctypes.CDLL(None)
_PR_SET_PDEATHSIG: Final = 1
"""Of `linux/prctl.h`."""


@asynccontextmanager
async def process(
    *command: str, settings: Mapping[str, str] | None = None, core: int | None = None, log: BinaryIO | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Python module in a process of its own, killed with the block, and with this process however it ends. Its output
    is a pipe, or goes into `log` with all that it says of errors."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RELAY_")} | dict(settings or {})
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *command,
        env=environment,
        stdout=log or asyncio.subprocess.PIPE,
        stderr=log,
        preexec_fn=_die_with_parent,
    )
    pin(running.pid, core)
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()


def _die_with_parent() -> None:
    """One that was left behind would take from what is measured next."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def pin(process_id: int, core: int | None) -> None:
    """Let it run on that core alone, with all its threads; None is every core."""
    if CORES == 1:
        return
    pinned, found = set[int](), _threads(process_id)
    while found - pinned:  # one that was not pinned yet may have made another meanwhile
        for thread in found - pinned:
            with suppress(ProcessLookupError):  # it has ended
                os.sched_setaffinity(thread, range(CORES) if core is None else {core})
        pinned |= found
        found = _threads(process_id)


def _threads(process_id: int) -> set[int]:
    return {int(task.name) for task in Path(f"/proc/{process_id}/task").iterdir()}


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


class Used:
    """What some processes have used of the processor since this was made, in seconds. Whatever else runs on their core
    does not count."""

    def __init__(self, process_ids: Iterable[int]) -> None:
        self._process_ids = tuple(process_ids)
        self._before = self._total()

    def seconds(self) -> float:
        return self._total() - self._before

    def _total(self) -> float:
        return sum(cpu_seconds(process_id) for process_id in self._process_ids)
