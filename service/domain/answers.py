"""What a system's adapter makes of one attempt at a step. Values, never exceptions, cross an adapter's edge."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from service.domain.codes import Code
from service.domain.exports import ExportReport
from service.domain.operations import Step


class Verdict(StrEnum):
    """The fate of one thing asked for."""

    SUCCEEDED = "succeeded"
    UNCHANGED = "unchanged"
    FAILED = "failed"


class Finding(NamedTuple):
    """The final word on one thing asked for. `code` is set exactly when it failed; `message` holds the system's own
    words."""

    verdict: Verdict
    status: int | None = None
    code: Code | None = None
    message: str | None = None
    export: ExportReport | None = None
    """Of an export that came to its end."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The step is decided: one finding for each thing asked for, in the order of `asked_of(step)`."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Stumbled:
    """The system could not be had to decide: worth another attempt.

    `remaining` is what is left to ask; `findings` are those already decided, aligned with `asked_of` of the step that
    was attempted, None where still open. `uncertain` says that the attempt may have been applied.
    """

    remaining: Step
    findings: tuple[Finding | None, ...]
    status: int | None
    message: str
    retry_after_seconds: float | None = None
    uncertain: bool = False


class Denial(StrEnum):
    """Why a system takes nothing from us for now."""

    CREDENTIALS = "credentials"
    QUOTA = "quota"


@dataclass(frozen=True, slots=True)
class Denied:
    """Not the event's fault: credentials or permissions were refused, or a daily quota is spent. Spends no attempt."""

    reason: Denial
    remaining: Step
    findings: tuple[Finding | None, ...]
    status: int | None
    message: str
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """Nothing went wrong, and nothing is decided yet: ask for `remaining` after the pause. Spends no attempt."""

    remaining: Step
    findings: tuple[Finding | None, ...]
    pause_seconds: float


Answer: TypeAlias = Settled | Stumbled | Denied | Pending


@dataclass(frozen=True, slots=True)
class Joint:
    """What an attempt at several steps together has come to, each of which answers for one thing.

    It was made for the first `count` of them; for those behind nothing was done. Either it has decided those: then
    there are as many `findings`. Or there is `trouble`, which is the answer to the first. Or there is neither: what was
    sent for all of them is refused, whosever fault it is, and each must be attempted by itself.
    """

    count: int
    findings: tuple[Finding, ...] = ()
    trouble: Stumbled | Denied | None = None
    apart: bool = False
    """Whether each is to be attempted by itself after trouble, too."""
    uncertain: bool = False
    """Whether it may have been applied although it has decided nothing."""


def succeeded(status: int | None, message: str | None = None) -> Finding:
    return Finding(Verdict.SUCCEEDED, status, None, message)


def unchanged(status: int | None, message: str | None = None) -> Finding:
    return Finding(Verdict.UNCHANGED, status, None, message)


def failed(code: Code, status: int | None, message: str) -> Finding:
    return Finding(Verdict.FAILED, status, code, message)
