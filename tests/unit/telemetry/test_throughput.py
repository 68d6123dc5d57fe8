"""Events per second, lately."""

from __future__ import annotations

from service.telemetry.throughput import Rates, Throughput


def test_nothing_can_be_told_of_a_single_look() -> None:
    assert Throughput().note(100.0, 5) == Rates(None, None)


def test_what_happened_lately_shows_in_the_short_rate_first() -> None:
    subject = Throughput()
    for second in range(60):
        subject.note(float(second), 0)
    for second in range(60, 69):
        subject.note(float(second), (second - 59) * 6)

    assert subject.note(69.0, 60) == Rates(short=6.0, long=1.0)


def test_before_a_span_has_passed_the_rate_is_that_since_the_start() -> None:
    subject = Throughput()
    subject.note(0.0, 0)

    assert subject.note(4.0, 8) == Rates(2.0, 2.0)


def test_looks_that_come_late_are_reckoned_with_the_time_that_really_passed() -> None:
    subject = Throughput()
    subject.note(0.0, 0)
    subject.note(1.0, 10)

    assert subject.note(101.0, 110) == Rates(1.0, 1.0)


def test_only_the_looks_of_the_last_minute_are_remembered() -> None:
    subject = Throughput()
    for second in range(10_000):
        subject.note(float(second), second)

    assert len(subject._looks) == 61
