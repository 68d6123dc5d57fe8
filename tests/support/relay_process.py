"""The worker as users run it: `holdings-relay run` in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

START_SECONDS = 60.0
STOP_SECONDS = 60.0


class RelayProcess:
    """One worker process. Its log lines go to a file, which `log` reads: `log_file`, which stays, or one of its own."""

    def __init__(
        self,
        settings: Mapping[str, str],
        log_file: Path | None = None,
        command: tuple[str, ...] = ("-m", "service", "run"),
    ) -> None:
        """`command` is what Python is told to run."""
        self._command = command
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("RELAY_")} | dict(settings)
        self._given_file = log_file
        self._file = log_file or Path(tempfile.mkstemp(prefix="relay-", suffix=".log")[1])
        self._file.touch()
        self._process: asyncio.subprocess.Process | None = None
        self._heard_until = 0

    @property
    def log(self) -> str:
        """Everything the worker has said, over all its lives."""
        return self._file.read_text("utf-8")

    @property
    def exit_code(self) -> int | None:
        """None while it runs, and before its first start."""
        return None if self._process is None else self._process.returncode

    async def start(self) -> None:
        self.listen()
        with self._file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *self._command, env=self._environment, stdout=log, stderr=log
            )

    def listen(self) -> None:
        """From now on: what the worker has logged so far does not count for `says`."""
        self._heard_until = self._file.stat().st_size

    async def says(self, word: str, seconds: float = START_SECONDS) -> None:
        """Blocks until the worker has logged `word` in this life of its, or since `listen`. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            while not self._has_said(word):  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.05)

    def _has_said(self, word: str) -> bool:
        with self._file.open("rb") as log:
            log.seek(self._heard_until)
            return word.encode() in log.read()

    def kill(self) -> None:
        """SIGKILL: no farewell of any kind."""
        self._running.send_signal(signal.SIGKILL)

    def suspend(self) -> None:
        """SIGSTOP: as on a node that is frozen."""
        self._running.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        self._running.send_signal(signal.SIGCONT)

    def terminate(self) -> None:
        self._running.send_signal(signal.SIGTERM)

    async def ended(self) -> int:
        """Blocks until the process has ended; its exit code."""
        async with asyncio.timeout(STOP_SECONDS):
            return await self._running.wait()

    async def close(self) -> None:
        """End it, however it is, and forget its log unless that was given."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        if self._given_file is None:
            self._file.unlink(missing_ok=True)

    @property
    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("the worker has not been started")
        return self._process
