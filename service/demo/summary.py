"""What is told at the end: outcomes, every dead letter with its reason in plain words, and the checks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from rich.console import Console
from rich.text import Text

from service.demo.progress import Progress
from service.demo.results import Result, Sent
from service.demo.verification.comparing import Check
from service.domain.codes import Code

MAX_DIFFERENCES: Final = 20

_CODES: Final = {str(code): code for code in Code}
_SYSTEMS: Final = {
    "eholdings": "eholdings",
    "inventory": "inventory",
    "holdings-sources": "the holdings sources",
    "scsb": "SCSB",
    "holdingsiq": "HoldingsIQ",
}


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that could not be carried out, or not wholly. `why` is for people, `message` as the result has it."""

    title: str
    code: str
    why: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is told of a run."""

    progress: Progress
    set_up_seconds: float
    run_seconds: float
    dead_letters: tuple[DeadLetter, ...]
    checks: tuple[Check, ...]
    worker_log: str = ""
    """The end of the worker's log, which is told when a check does not hold."""

    @property
    def holds(self) -> bool:
        """Whether every check holds."""
        return all(check.holds for check in self.checks)


def dead_letters_of(sent: Sequence[Sent], results: Sequence[Result]) -> tuple[DeadLetter, ...]:
    """In the order of publishing."""
    failures = {result.place: result.failure for result in results}
    told = ((record.sample.title, failures.get(record.place)) for record in sent)
    return tuple(
        DeadLetter(title, failure.word, why(failure.word, failure.system), failure.message or "")
        for title, failure in told
        if failure is not None
    )


def why(code: str, system: str | None) -> str:
    """What a code means, in plain words."""
    return _plain_words(_CODES[code], _SYSTEMS.get(system or "", "the system")) if code in _CODES else code


def print_report(console: Console, report: Report) -> None:
    """Prints the whole report."""
    progress = report.progress
    console.print()
    _print_dead_letters(console, report.dead_letters)
    console.print()
    _line(
        console,
        f"{progress.results} results for {progress.sent} records in {report.run_seconds:.1f} s, "
        f"after {report.set_up_seconds:.1f} s of setting up",
    )
    _line(console, f"{progress.rows} rows of exports")
    _line(console, "outcomes: " + ", ".join(f"{count} {name}" for name, count in sorted(progress.outcomes.items())))
    calls = ", ".join(f"{system} {count}" for system, count in sorted(progress.calls.items()))
    _line(
        console,
        f"calls: {calls}; {progress.disturbed} of {progress.calls_in_all} were disturbed by a fault, "
        f"{progress.retries} attempts were repeated",
    )
    console.print()
    for check in report.checks:
        _print_check(console, check)
    console.print()
    if not report.holds and report.worker_log:
        _line(console, f"The end of the worker's log:\n{report.worker_log}\n")
    verdict = "Everything is as it should be." if report.holds else "Not everything is as it should be."
    console.print(Text(verdict, style="bold green" if report.holds else "bold red"))


def _print_dead_letters(console: Console, letters: Sequence[DeadLetter]) -> None:
    """Those of one reason together."""
    console.print(Text(f"{len(letters)} dead letters", style="bold"))
    together: dict[tuple[str, str], list[DeadLetter]] = defaultdict(list)
    for letter in letters:
        together[letter.code, letter.why].append(letter)
    for (code, plain), of_one_reason in together.items():
        console.print(Text(f"\n  {plain} ({code}, {len(of_one_reason)})", style="yellow"))
        for letter in of_one_reason:
            told = f"    · {letter.title}"
            _line(console, f"{told}: {letter.message}" if letter.message else told)


def _print_check(console: Console, check: Check) -> None:
    style = "green" if check.holds else "red"
    mark = "ok    " if check.holds else "BROKEN"
    console.print(Text(f"{mark} {check.promise} ({check.looked_at} looked at)", style=style), soft_wrap=True)
    for difference in check.broken[:MAX_DIFFERENCES]:
        _line(console, f"       {difference}")
    if len(check.broken) > MAX_DIFFERENCES:
        _line(console, f"       and {len(check.broken) - MAX_DIFFERENCES} more")


def _line(console: Console, text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)


def _plain_words(code: Code, system: str) -> str:
    match code:
        case Code.UNREADABLE:
            return "they cannot be read as events"
        case Code.UNKNOWN_TYPE:
            return "nobody here knows events of their type"
        case Code.TOO_LARGE:
            return "they are larger than events may be"
        case Code.INVALID_DATA:
            return "they break the rules"
        case Code.SYSTEM_NOT_CONFIGURED:
            return f"{system} is not set up here"
        case Code.TENANT_NOT_CONFIGURED:
            return "there are no credentials for their tenant"
        case Code.REFUSED:
            return f"{system} refused them"
        case Code.UNAVAILABLE:
            return f"{system} could not be had, and the attempts ran out"
        case Code.OUTCOME_UNKNOWN:
            return f"whether {system} has done it cannot be told"
        case Code.SKIPPED:
            return f"{system} accepted them and did not do what they ask"
        case Code.NOT_ATTEMPTED:
            return "they were not attempted"
    assert_never(code)
