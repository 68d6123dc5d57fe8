"""A circuit opens when a system fails or denies itself, and one record at a time finds out whether it is back."""

import pytest

from service.domain.answers import Denial
from service.engine.circuit import Circuit, CircuitPolicy, Reason

POLICY = CircuitPolicy(failing_records=3, first_pause_seconds=1.0, longest_pause_seconds=8.0, quota_pause_seconds=100.0)


def circuit() -> Circuit:
    """One whose pauses are as long as they may be."""
    return Circuit(POLICY, lambda _, longest: longest)


def failing(now: float = 0.0) -> Circuit:
    """One that has just opened."""
    opened = circuit()
    for record in range(POLICY.failing_records):
        opened.stumbled(record, now, None)
    return opened


def test_a_closed_circuit_admits_everybody() -> None:
    assert all(circuit().admit(now) for now in (0.0, 1.0, 1.0))


def test_it_opens_when_many_records_have_stumbled_and_none_was_answered() -> None:
    subject = circuit()

    opened = [subject.stumbled(record, 0.0, None) for record in ("a", "b", "c")]

    assert opened == [False, False, True]
    assert subject.reason is Reason.FAILING
    assert not subject.admit(0.5)


def test_one_record_that_stumbles_again_and_again_does_not_open_it() -> None:
    subject = circuit()

    for _ in range(100):
        subject.stumbled("poison", 0.0, None)

    assert subject.reason is None


def test_an_answer_in_between_starts_the_count_anew() -> None:
    subject = circuit()
    subject.stumbled("a", 0.0, None)
    subject.stumbled("b", 0.0, None)

    subject.answered()
    subject.stumbled("c", 0.0, None)

    assert subject.reason is None


def test_when_its_time_has_come_one_probe_is_admitted_and_no_other() -> None:
    subject = failing()

    assert [subject.admit(now) for now in (0.9, 1.0, 1.0, 5.0)] == [False, True, False, False]


def test_an_answered_probe_closes_it() -> None:
    subject = failing()
    subject.admit(1.0)

    assert subject.answered()
    assert subject.admit(1.0)


def test_each_probe_that_fails_makes_the_next_wait_longer_up_to_a_limit() -> None:
    subject = failing()
    pauses = []

    for _ in range(6):
        now = subject.probe_at
        assert subject.admit(now)
        subject.stumbled("probe", now, None)
        pauses.append(subject.probe_at - now)

    assert pauses == [2.0, 4.0, 8.0, 8.0, 8.0, 8.0]


def test_a_probe_that_was_given_up_lets_another_take_its_turn() -> None:
    subject = failing()
    subject.admit(1.0)

    subject.abandoned()

    assert subject.admit(1.0)


@pytest.mark.parametrize(("denial", "reason"), [(Denial.CREDENTIALS, Reason.CREDENTIALS), (Denial.QUOTA, Reason.QUOTA)])
def test_a_denial_opens_it_at_once(denial: Denial, reason: Reason) -> None:
    subject = circuit()

    assert subject.denied(denial, 0.0, None)
    assert subject.reason is reason


def test_a_spent_quota_is_probed_after_minutes_not_seconds() -> None:
    subject = circuit()

    subject.denied(Denial.QUOTA, 0.0, None)

    assert subject.probe_at == POLICY.quota_pause_seconds


def test_a_time_that_the_system_names_is_kept() -> None:
    subject = circuit()

    subject.denied(Denial.QUOTA, 0.0, 3600.0)

    assert not subject.admit(3599.0)
    assert subject.admit(3600.0)
