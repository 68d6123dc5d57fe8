"""How lines look and where they go: structlog, JSON or console, standard error. What libraries log goes the same way.

Secrets never come here: they are typed so that their text is masked, and the systems' words come without them.
"""

from __future__ import annotations

import logging
import sys
from typing import Final, Literal

import structlog

from service.telemetry.log_events import LIBRARY_FAILED, LIBRARY_WARNED, Log, places

LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
MAX_LIBRARY_CHARACTERS: Final = 300


def configure(level: Literal["debug", "info", "warning", "error"], form: Literal["json", "console"]) -> None:
    """Once for the process, before the first line. Lines go to standard error: standard output belongs to commands."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, LibraryLines)]:
        root.removeHandler(handler)
    root.addHandler(LibraryLines())


class LibraryLines(logging.Handler):
    """Warnings and errors of libraries, as lines of ours: the first line of what they say, and of an exception its type
    and its place. The rest is left out, for it may show whatever a library held in its hands."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._log = Log()

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._log.say(
            LIBRARY_FAILED if record.levelno >= logging.ERROR else LIBRARY_WARNED,
            logger=record.name,
            message=record.getMessage().partition("\n")[0][:MAX_LIBRARY_CHARACTERS],
            error=type(error).__name__ if error else None,
            places=places(error) if error else [],
        )
