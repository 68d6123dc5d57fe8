"""What is told at the end."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from service.demo.progress import Progress
from service.demo.summary import MAX_DIFFERENCES, DeadLetter, Report, dead_letters_of, print_report, why
from service.demo.verification.comparing import Check
from service.domain.codes import Code
from tests.unit.demo.results import result, sent


def report(*checks: Check, letters: tuple[DeadLetter, ...] = (), worker_log: str = "") -> Report:
    progress = Progress(2, sent=2, calls={"eholdings": 5}, disturbed=1)
    progress.take(result(sent(), attempts=2), "A journal is renamed")
    progress.take(result(sent(Code.REFUSED)), "A title that nobody knows")
    return Report(progress, 2.0, 3.5, letters, checks, worker_log)


def printed(made: Report) -> str:
    to = Console(file=StringIO(), width=80, color_system=None)
    print_report(to, made)
    assert isinstance(to.file, StringIO)
    return to.file.getvalue()


def test_outcomes_calls_and_times_are_told() -> None:
    told = printed(report(Check("All is well", 2)))
    assert "2 results for 2 records in 3.5 s, after 2.0 s of setting up" in told
    assert "outcomes: 1 failed, 1 succeeded" in told
    assert "calls: eholdings 5; 1 of 5 were disturbed by a fault, 1 attempts were repeated" in told
    assert "ok     All is well (2 looked at)" in told
    assert told.rstrip().endswith("Everything is as it should be.")


def test_a_broken_check_is_told_with_what_differs_and_the_workers_log() -> None:
    made = report(Check("All is well", 2, ("e1: expected succeeded, found failed",)), worker_log="the log's end")
    assert not made.holds
    told = printed(made)
    assert "BROKEN All is well (2 looked at)\n       e1: expected succeeded, found failed\n" in told
    assert "the log's end" in told
    assert told.rstrip().endswith("Not everything is as it should be.")


def test_a_long_list_of_differences_is_cut() -> None:
    told = printed(report(Check("All is well", 99, tuple(f"e{number}" for number in range(MAX_DIFFERENCES + 7)))))
    assert f"e{MAX_DIFFERENCES - 1}\n" in told
    assert f"e{MAX_DIFFERENCES}\n" not in told
    assert "and 7 more" in told


def test_a_run_without_any_check_that_holds_is_no_success() -> None:
    assert not report(Check("All is well", 0)).holds


def test_dead_letters_are_told_by_reason_each_with_the_systems_words() -> None:
    records = [sent(offset=1), sent(Code.REFUSED, offset=2, title="A [red] title"), sent(Code.REFUSED, offset=3)]
    letters = dead_letters_of(records, [result(record) for record in records])
    assert [letter.title for letter in letters] == ["A [red] title", "A journal is renamed"]
    told = printed(report(Check("All is well", 2), letters=letters))
    assert "2 dead letters\n\n  eholdings refused them (refused, 2)\n    · A [red] title: No such title\n" in told


def test_every_code_has_plain_words_of_its_own() -> None:
    words = {why(code, "scsb") for code in Code}
    assert len(words) == len(Code)
    assert not words & set(Code)


def test_a_code_that_nobody_knows_is_told_as_it_is() -> None:
    assert why("melted", None) == "melted"
