"""The command line inside the test's own process: a command without the seconds that a process of its own takes to
start. Not for commands that listen to signals."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from typer.testing import CliRunner

from service.__main__ import app


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and all that it printed."""

    code: int
    printed: str


async def invoke(*words: str, settings: Mapping[str, str], standard_input: bytes = b"") -> Ended:
    """One at a time: what a command prints is caught by taking the place of the process's own output."""
    ended = await asyncio.to_thread(CliRunner().invoke, app, words, standard_input, dict(settings))
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return Ended(ended.exit_code, ended.output)
