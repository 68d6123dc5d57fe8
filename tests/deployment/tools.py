"""The programs that the tests of image and chart run. `scripts/chart-tools` provides them; nothing else is run."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]


class ToolFailed(AssertionError):
    """A program ended with another exit code than 0; the words are what it said."""


def provide(*groups: str) -> Path:
    """The folder of the tools, once all of the groups are there. Builds what is missing, which can take minutes."""
    done = subprocess.run([ROOT / "scripts/chart-tools", *groups], check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise ToolFailed(f"scripts/chart-tools {' '.join(groups)} ended with {done.returncode}")
    return Path(done.stdout.strip())


def run(*command: str | Path, env: Mapping[str, str] | None = None, text_in: str | None = None) -> str:
    """What a program prints. Raises `ToolFailed` with all that it said."""
    done = subprocess.run(
        list(map(str, command)),
        check=False,
        env=None if env is None else os.environ | env,
        input=text_in,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ToolFailed(f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def free_port(address: str = "127.0.0.1") -> int:
    """A port that nobody listens on now."""
    with socket.socket() as taken:
        taken.bind((address, 0))
        port: int = taken.getsockname()[1]
        return port
