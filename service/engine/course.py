"""How far one step of a record has come: findings, attempts, budget. Pure; the time is handed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from service.domain.answers import Finding, failed
from service.domain.codes import Code
from service.domain.operations import Asked, ExportHoldings, Step, asked_of
from service.domain.outcomes import OperationOutcome
from service.engine.retry import Budget


@dataclass(slots=True)
class Course:
    """How far a step has come."""

    step: Step
    started_at: float
    budget: Budget
    uncertain: bool
    earlier_attempts: int = 0
    """Made when it was taken along by another record."""
    asked_at: float = 0.0
    """When the present attempt reached its system's adapter."""
    remaining: Step = field(init=False)
    findings: list[Finding | None] = field(init=False)
    attempts: list[int] = field(init=False)
    _asked_at_first: tuple[Asked, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._asked_at_first = asked_of(self.step)
        count = len(self._asked_at_first)
        self.remaining = self.step
        self.findings = [None] * count
        self.attempts = [self.earlier_attempts] * count

    @property
    def asked(self) -> tuple[Asked, ...]:
        """An export gets its name on the way."""
        return asked_of(self.remaining) if isinstance(self.remaining, ExportHoldings) else self._asked_at_first

    @property
    def is_new(self) -> bool:
        """Whether no attempt has been made for its own sake."""
        return max(self.attempts) == self.earlier_attempts

    def count_attempt(self) -> None:
        for index, finding in enumerate(self.findings):
            self.attempts[index] += finding is None

    def take(self, findings: Sequence[Finding | None], remaining: Step) -> None:
        """Fill the open places, in order, with what an attempt at `self.remaining` found."""
        self.remaining = remaining
        if len(findings) == len(self.findings) == self.findings.count(None):
            self.findings = list(findings)
            return
        places = [index for index, finding in enumerate(self.findings) if finding is None]
        for index, finding in zip(places, findings, strict=True):
            self.findings[index] = finding

    def give_up(self, code: Code, status: int | None, message: str) -> None:
        self.findings = [finding or failed(code, status, message) for finding in self.findings]

    def outcomes(self, now: float) -> list[OperationOutcome]:
        duration_ms = round((now - self.started_at) * 1000)
        return [
            OperationOutcome(asked, finding, attempts, duration_ms)
            for asked, finding, attempts in zip(self.asked, self.findings, self.attempts, strict=True)
            if finding is not None
        ]
