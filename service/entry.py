"""Where the command `holdings-relay` begins: makes sure that it can be ended. Knows nothing of the commands."""

from __future__ import annotations

import os
import signal


def main() -> None:
    """As process 1 of a container, a program that has set no handler is not ended by SIGTERM; and to import what the
    commands need takes a second. So the handler comes first. A worker that has begun replaces it by its own."""
    signal.signal(signal.SIGTERM, _end_at_once)
    from service.__main__ import main as command_line

    command_line()


def _end_at_once(number: int, _frame: object) -> None:
    os._exit(128 + number)
