"""The relay's worker as a process of its own: the very command `holdings-relay run`, told by its environment alone.

Owns start, readiness and end of that process, and its log. Must not know what it works on.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import aiohttp

from service.demo.environment import worker_environment
from service.sandbox.broker_process import GuardedProcess

_READY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.1
_LOG_TAIL_LINES: Final = 25


class WorkerFailed(Exception):
    """The worker did not do what it should; the text has the end of its log."""


class WorkerProcess:
    """One worker. It dies with this process, however that ends."""

    def __init__(self, process: GuardedProcess, log: Path, http_port: int) -> None:
        self._process = process
        self._log = log
        self._http_port = http_port

    @classmethod
    def start(cls, environment: Mapping[str, str], log: Path) -> WorkerProcess:
        """Starts it; its two outputs go to `log`."""
        port = _free_port()
        variables = {**environment, **worker_environment(port)}
        with log.open("wb") as output:
            process = GuardedProcess.start([*_command(), "run"], output, temporary=None, environment=variables)
        return cls(process, log, port)

    @property
    def url(self) -> str:
        """Where it serves health and metrics."""
        return f"http://127.0.0.1:{self._http_port}"

    @property
    def log(self) -> Path:
        """The file that it logs to."""
        return self._log

    async def ready(self) -> None:
        """Returns once it takes records. Raises WorkerFailed when it ends before, or takes longer than a minute."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _READY_SECONDS
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as client:
            while not await self._says_ready(client):
                self.require_running()
                if loop.time() > deadline:
                    raise self._failure(f"was not ready within {_READY_SECONDS:.0f} seconds")
                await asyncio.sleep(_POLL_SECONDS)

    def require_running(self) -> None:
        """Raises WorkerFailed when it has ended."""
        if self._process.exit_code is not None:
            raise self._failure(f"ended with exit code {self._process.exit_code}")

    async def stop(self) -> int:
        """SIGTERM, as a cluster would; its exit code. Harmless when it has ended."""
        await asyncio.to_thread(self._process.terminate, _STOP_SECONDS)
        code = self._process.exit_code
        return -1 if code is None else code

    def log_tail(self) -> str:
        """The end of its log."""
        lines = self._log.read_text("utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_LOG_TAIL_LINES:]) or "(empty)"

    async def _says_ready(self, client: aiohttp.ClientSession) -> bool:
        try:
            async with client.get(f"{self.url}/readyz") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _failure(self, what: str) -> WorkerFailed:
        return WorkerFailed(f"the worker {what}. The end of its log:\n{self.log_tail()}")


def _command() -> list[str]:
    """`holdings-relay` of this installation; where it has no script, the package itself."""
    script = Path(sys.executable).with_name("holdings-relay")
    return [str(script)] if script.exists() else [sys.executable, "-m", "service"]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
