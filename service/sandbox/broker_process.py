"""One child process that outlives neither its parent nor its use.

Owns the broker's operating-system process and the watchdog beside it. It must not know what the process is.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Self

# The watchdog reads the process id, then waits. A further line means that all is over. The end of its input without
# one means that this process died, however abruptly: then it ends the child and removes what was temporary, trying
# again while the child is still on its way out. A pipe serves where PR_SET_PDEATHSIG does not: that is tied to the
# thread that started the child, which may be a short-lived one of a pool, and exists on Linux only.
_WATCHDOG = """
read -r child || exit 0
read -r over && exit 0
kill -KILL "$child"
for attempt in 1 2 3 4 5 6 7 8 9 10; do
    [ -z "$1" ] || rm -rf -- "$1" && exit 0
    sleep 0.2
done
"""


class GuardedProcess:
    """A child in a session of its own, so that Ctrl-C in a terminal reaches the parent alone, which then decides."""

    def __init__(self, child: subprocess.Popen[bytes], watchdog: subprocess.Popen[bytes]) -> None:
        self._child = child
        self._watchdog = watchdog

    @classmethod
    def start(
        cls,
        arguments: Sequence[str],
        log: IO[bytes],
        *,
        temporary: Path | None,
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        """Starts `arguments` with both outputs in `log`, in this process's environment or in the one given. When the
        parent dies, `temporary` is removed too."""
        watchdog = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHDOG, "watchdog", str(temporary or "")],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            child = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment,
            )
        except OSError:
            _dismiss(watchdog)
            raise
        process = cls(child, watchdog)
        process._tell_watchdog(f"{child.pid}\n")
        return process

    @property
    def id(self) -> int:
        """The operating system's process id."""
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self._child.poll()

    def terminate(self, grace_seconds: float) -> None:
        """SIGTERM, and SIGKILL when that has not ended it in `grace_seconds`. Blocks until it has ended."""
        self._child.terminate()
        try:
            self._child.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            self._child.kill()
        self._finish()

    def kill(self) -> None:
        """SIGKILL, as a crash would end it. Blocks until it has ended."""
        self._child.kill()
        self._finish()

    def _finish(self) -> None:
        self._child.wait()
        self._tell_watchdog("over\n")
        _dismiss(self._watchdog)

    def _tell_watchdog(self, line: str) -> None:
        if self._watchdog.stdin is not None and self._watchdog.poll() is None:
            self._watchdog.stdin.write(line.encode())
            self._watchdog.stdin.flush()


def _dismiss(watchdog: subprocess.Popen[bytes]) -> None:
    if watchdog.stdin is not None:
        watchdog.stdin.close()
    watchdog.wait()
