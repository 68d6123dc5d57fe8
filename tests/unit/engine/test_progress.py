"""Whether the engine moves on: what is waited for, and what is overdue."""

from __future__ import annotations

from dataclasses import dataclass, field

from service.engine.progress import Progress


@dataclass(slots=True)
class Subject:
    now: float = 0.0
    progress: Progress = field(init=False)

    def __post_init__(self) -> None:
        self.progress = Progress(lambda: self.now)

    def overdue_at(self, now: float) -> float:
        self.now = now
        return self.progress.overdue_seconds


def test_nothing_is_overdue_at_the_moment_of_a_move_and_more_with_every_second_after_it() -> None:
    subject = Subject()
    subject.now = 10
    subject.progress.moved()

    assert [subject.overdue_at(now) for now in (10, 11, 30)] == [0, 1, 20]


def test_while_something_may_still_come_nothing_is_overdue() -> None:
    subject = Subject()
    with subject.progress.expecting(60):
        assert [subject.overdue_at(now) for now in (30, 60, 70)] == [0, 0, 10]


def test_the_longest_wait_counts() -> None:
    subject = Subject()
    with subject.progress.expecting(5), subject.progress.expecting(60):
        assert subject.overdue_at(61) == 1


def test_the_end_of_a_wait_is_a_move() -> None:
    subject = Subject()
    with subject.progress.expecting(5):
        subject.now = 100

    assert subject.overdue_at(103) == 3


def test_what_came_is_no_longer_waited_for() -> None:
    subject = Subject()
    subject.progress.expect("a commit", 90)
    subject.progress.came("a commit")
    subject.progress.came("a commit")

    assert subject.overdue_at(10) == 10
