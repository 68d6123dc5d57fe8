"""What a run has shown, in counts and words. Judges nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.evidence import Evidence

FOUND_DONE = "applied by an earlier attempt"
"""How SCSB's adapter begins the message of an entry that had been applied, and whose answer was lost."""
MOST_FAULTS = 50
"""That are printed; one defect may show a thousand times."""


@dataclass(slots=True)
class Report:
    """What was found. `faults` is empty when all guarantees held."""

    delivery: str
    seconds: float = 0.0
    events: int = 0
    results: int = 0
    with_result: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    dead_letters: int = 0
    blows: Mapping[str, int] = field(default_factory=dict)
    cut_off: int = 0
    """Kills and suspensions that struck a worker in the middle of a call."""
    troubled_calls: int = 0
    calls: int = 0
    repeated_calls: int = 0
    found_done: int = 0
    exports: int = 0
    rows: int = 0
    exports_gone_on_with: int = 0
    """On which more than one life of a worker has worked."""
    faults: list[str] = field(default_factory=list)

    def take(self, evidence: Evidence) -> None:
        """Count what a run has left behind."""
        self.events = len(evidence.placed)
        self.results = len(evidence.results)
        self.with_result = len({result.place for result in evidence.results})
        self.outcomes = Counter(result.outcome for result in evidence.results)
        self.dead_letters = len(evidence.letters)
        self.cut_off = _cut_off(evidence)
        self.calls = len(evidence.calls)
        self.repeated_calls = _repeated(evidence)
        self.found_done = sum(
            operation.system == "scsb" and (operation.message or "").startswith(FOUND_DONE)
            for result in evidence.results
            for operation in result.operations
        )

        self.exports = len({row.place for row in evidence.rows})
        self.rows = len(evidence.rows)
        self.exports_gone_on_with = _gone_on_with(evidence)

    def lines(self) -> list[str]:
        return [
            f"{self.delivery}, {self.seconds:.0f} s",
            f"{self.events} events, {self.with_result} of them with a result; {self.results} results, "
            f"{self.dead_letters} dead letters",
            f"outcomes: {_listed(self.outcomes)}",
            f"blows: {_listed(self.blows)}; {self.cut_off} kills and suspensions in the middle of a call",
            f"{self.calls} calls, of which {self.troubled_calls} met a fault of the sandbox and {self.repeated_calls} "
            "were carried out again",
            f"{self.found_done} entries of transfers found done after a lost answer",
            f"{self.rows} rows of {self.exports} exports; more than one life of a worker has worked on "
            f"{self.exports_gone_on_with} of them",
            *(f"BROKEN: {fault}" for fault in _shown(self.faults)),
            f"{len(self.faults)} faults" if self.faults else "every guarantee held",
        ]


def _cut_off(evidence: Evidence) -> int:
    """Blows on a worker of which a call was under way."""
    calls: dict[int, list[tuple[float, float]]] = {}
    for call in evidence.calls:
        calls.setdefault(call.life, []).append((call.began_at, call.ended_at))
    return sum(
        any(began <= blow.at < ended for began, ended in calls.get(number, ()))
        for number, life in enumerate(evidence.lives)
        for blow in life.blows
    )


def _repeated(evidence: Evidence) -> int:
    """Writing calls that were carried out for an event for which one of their system had been before."""
    seen: set[tuple[int, str]] = set()
    repeated = 0
    for call in evidence.calls:
        if call.writes and call.applied:
            mine = {(index, call.system) for index in call.events}
            repeated += bool(mine & seen)
            seen |= mine
    return repeated


def _gone_on_with(evidence: Evidence) -> int:
    lives: dict[int, set[int]] = {}
    for call in evidence.calls:
        if call.system == "holdingsiq":
            for index in call.events:
                lives.setdefault(index, set()).add(call.life)
    return sum(len(mine) > 1 for mine in lives.values())


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "none"


def _shown(faults: Sequence[str]) -> Iterable[str]:
    yield from faults[:MOST_FAULTS]
    if len(faults) > MOST_FAULTS:
        yield f"and {len(faults) - MOST_FAULTS} more"
