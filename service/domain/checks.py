"""What `holdings-relay check` finds: one value for each thing looked at. Never holds a secret."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """How a thing stands."""

    OK = "ok"
    WARNING = "warning"
    """It works, and somebody should know."""
    FAULT = "fault"
    SKIPPED = "skipped"
    """It could not be looked at, because something before it is at fault, or is not configured."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `message` says what was found, `remedy` how to mend it."""

    area: str
    """`settings`, `kafka`, or the word for a system in results and metrics."""
    subject: str
    standing: Standing
    message: str
    remedy: str | None = None


def ok(area: str, subject: str, message: str) -> Check:
    return Check(area, subject, Standing.OK, message)


def fault(area: str, subject: str, message: str, remedy: str) -> Check:
    return Check(area, subject, Standing.FAULT, message, remedy)


def warning(area: str, subject: str, message: str, remedy: str) -> Check:
    return Check(area, subject, Standing.WARNING, message, remedy)


def skipped(area: str, subject: str, message: str) -> Check:
    return Check(area, subject, Standing.SKIPPED, message)
