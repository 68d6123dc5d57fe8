"""When to try again. Pure: the time is handed in, and so is the randomness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

Uniform: TypeAlias = Callable[[float, float], float]
"""A random number between the two given, like `random.uniform`."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long one operation is tried before it becomes a dead letter."""

    max_attempts: int = 8
    initial_seconds: float = 0.5
    max_seconds: float = 60.0
    deadline_seconds: float = 600.0


class Budget(NamedTuple):
    """What one operation has spent so far. Time in which the system took nothing from anybody is not spent."""

    started_at: float
    attempts: int = 0
    pause_seconds: float = 0.0

    def spend_attempt(self) -> Budget:
        return self._replace(attempts=self.attempts + 1)

    def forgive(self, seconds: float) -> Budget:
        """Give back time that was spent waiting for a system that denied itself."""
        return self._replace(started_at=self.started_at + seconds)


@dataclass(frozen=True, slots=True)
class Repeat:
    """Why something is tried again."""

    system: str
    attempts: int
    """Made so far."""
    message: str
    """The system's words, without secrets."""


def plan_retry(
    policy: RetryPolicy, budget: Budget, now: float, retry_after_seconds: float | None, uniform: Uniform
) -> Budget | None:
    """The budget with the pause to make before the next attempt in `pause_seconds`, or None when it is spent.

    Decorrelated jitter: each pause is drawn between the first and three times the last, up to the longest. A system
    that names a time (`Retry-After`) is never asked sooner; when that is past the deadline, asking again is pointless.
    """
    if budget.attempts >= policy.max_attempts:
        return None
    ceiling = max(policy.initial_seconds, budget.pause_seconds * 3)
    pause = min(policy.max_seconds, uniform(policy.initial_seconds, ceiling))
    if retry_after_seconds is not None:
        pause = max(pause, retry_after_seconds)
    if now + pause - budget.started_at > policy.deadline_seconds:
        return None
    return budget._replace(pause_seconds=pause)
