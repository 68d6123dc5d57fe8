"""The flow as it is shown: as lines without a terminal, as a picture in one."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from service.demo.progress import LATEST, Progress, line_of
from service.demo.view import Lines, Picture, picture_of, view_for
from service.domain.answers import Verdict
from service.domain.codes import Code
from tests.unit.demo.results import result, sent


def console(*, terminal: bool) -> Console:
    return Console(file=StringIO(), force_terminal=terminal, width=120, color_system=None)


def printed(to: Console) -> str:
    assert isinstance(to.file, StringIO)
    return to.file.getvalue()


def under_way() -> Progress:
    progress = Progress(10, sent=4, elapsed_seconds=2.5, calls={"scsb": 2, "eholdings": 7}, disturbed=3)
    progress.take(result(sent(), attempts=3), "A journal is renamed")
    progress.take(result(sent(Code.REFUSED)), "A title that nobody knows")
    return progress


def test_progress_counts_results_outcomes_and_repeated_attempts() -> None:
    progress = under_way()
    assert (progress.results, progress.in_flight, progress.retries, progress.calls_in_all) == (2, 2, 2, 9)
    assert progress.outcomes == {"succeeded": 1, "failed": 1}


def test_only_the_latest_results_are_kept_for_showing() -> None:
    progress = Progress(100)
    for number in range(30):
        progress.take(result(sent(offset=number)), f"event {number}")
    assert len(progress.latest) == LATEST
    assert "event 29" in progress.latest[-1]


@pytest.mark.parametrize(
    ("words", "attempts", "line"),
    [
        ((Verdict.SUCCEEDED,), 1, "succeeded T [eholdings update 1-2-3: succeeded]"),
        ((Verdict.SUCCEEDED, Code.REFUSED), 2, "partial   T [eholdings update 1-2-3: refused, 2 attempts]"),
    ],
)
def test_a_result_is_told_in_one_line_by_what_failed_first(
    words: tuple[Verdict | Code, ...], attempts: int, line: str
) -> None:
    assert line_of(result(sent(*words), attempts=attempts), "T") == line


def test_without_a_terminal_steps_and_progress_are_plain_lines() -> None:
    to = console(terminal=False)
    view = view_for(to)
    assert isinstance(view, Lines)
    with view:
        view.tell("Starting the worker")
        view.show(under_way())
    assert printed(to).splitlines() == [
        "Starting the worker",
        "  2.5 s  2 of 10 results, 2 in flight; calls: eholdings 7, scsb 2; 3 disturbed, 2 retries; "
        "0 rows of exports; 1 succeeded, 1 failed",
    ]


def test_lines_come_a_second_apart_and_at_the_end() -> None:
    to = console(terminal=False)
    view = Lines(to)
    progress = Progress(1, sent=1)
    for elapsed in (1.0, 1.3, 1.9, 2.0):
        progress.elapsed_seconds = elapsed
        view.show(progress)
    progress.elapsed_seconds = 2.1
    progress.take(result(sent()), "A journal is renamed")
    view.show(progress)
    assert [line.split()[0] for line in printed(to).splitlines()] == ["1.0", "2.0", "2.1"]


def test_the_picture_shows_flow_calls_outcomes_and_latest_results() -> None:
    to = console(terminal=False)
    to.print(picture_of(under_way()))
    shown = printed(to)
    for text in ("4 of 10", "in flight", "eholdings", "disturbed by a fault", "succeeded", "A title that nobody knows"):
        assert text in shown


def test_in_a_terminal_it_is_a_picture_that_goes_away() -> None:
    to = console(terminal=True)
    view = view_for(to)
    assert isinstance(view, Picture)
    with view:
        view.show(under_way())
    view.tell("Taking the topics away")
    assert "latest results" in printed(to)
    assert printed(to).rstrip().endswith("Taking the topics away")
