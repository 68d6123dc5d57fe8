"""How far a run is, for a view to show. Owns the counting; shows nothing itself."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from service.demo.results import Result

LATEST: Final = 8


@dataclass(slots=True)
class Progress:
    """Counts so far. `calls` are those that reached the sandbox, by system; `disturbed` those of them that met a fault;
    `retries` the attempts beyond the first, of the results that are there; `rows` those of exports."""

    total: int
    sent: int = 0
    results: int = 0
    elapsed_seconds: float = 0.0
    calls: Mapping[str, int] = field(default_factory=dict)
    disturbed: int = 0
    retries: int = 0
    rows: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    latest: deque[str] = field(default_factory=lambda: deque(maxlen=LATEST))

    @property
    def in_flight(self) -> int:
        """Records sent whose result has not been seen."""
        return max(0, self.sent - self.results)

    @property
    def calls_in_all(self) -> int:
        """Calls of all systems."""
        return sum(self.calls.values())

    def take(self, result: Result, title: str) -> None:
        """Counts one result in."""
        self.results += 1
        self.outcomes[result.outcome] += 1
        self.retries += sum(max(0, operation.attempts - 1) for operation in result.operations)
        self.latest.append(line_of(result, title))


def line_of(result: Result, title: str) -> str:
    """A result in one line."""
    first = result.failure or result.operations[0]
    told = [part for part in (first.system, first.operation, first.target) if part]
    what = f"{' '.join(told)}: {first.word}" if told else first.word
    attempts = f", {first.attempts} attempts" if first.attempts > 1 else ""
    return f"{result.outcome:<9} {title} [{what}{attempts}]"
