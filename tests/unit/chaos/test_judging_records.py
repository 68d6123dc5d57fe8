"""The judge of results and dead letters is shown every kind of fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.builders.evidence import an_event, flawless, is_update, letter, place_of, with_result
from tests.chaos.events import Event, Fate
from tests.chaos.evidence import Evidence, Place
from tests.chaos.judging import judge


def is_refused(event: Event) -> bool:
    return event.fate is Fate.REFUSED


def is_partial(event: Event) -> bool:
    return event.fate is Fate.PARTIAL


def lose_a_result(evidence: Evidence) -> Evidence:
    gone = place_of(an_event(evidence, is_update))
    return replace(evidence, results=[result for result in evidence.results if result.place != gone])


def repeat_a_result(evidence: Evidence) -> Evidence:
    return replace(evidence, results=[*evidence.results, evidence.results[3]])


def name_another_event(evidence: Evidence) -> Evidence:
    return with_result(evidence, an_event(evidence, is_update), event_id="another")


def fail_what_can_be_done(evidence: Evidence) -> Evidence:
    event = an_event(evidence, is_update)
    spoilt = with_result(evidence, event, outcome="failed", code="unavailable", message="no answer")
    return replace(spoilt, letters=[*spoilt.letters, letter(event)])


def do_what_is_refused(evidence: Evidence) -> Evidence:
    return with_result(evidence, an_event(evidence, is_refused), outcome="succeeded", code=None)


def give_another_reason(evidence: Evidence) -> Evidence:
    return with_result(evidence, an_event(evidence, is_refused), code="unavailable", message="no answer")


def tell_of_a_record_that_is_not_there(evidence: Evidence) -> Evidence:
    nowhere = replace(evidence.results[0], place=Place("holdings.changes", 5, 99))
    return replace(evidence, results=[*evidence.results, nowhere])


def lose_a_dead_letter(evidence: Evidence) -> Evidence:
    gone = place_of(an_event(evidence, is_partial))
    return replace(evidence, letters=[found for found in evidence.letters if found.place != gone])


def repeat_a_dead_letter(evidence: Evidence) -> Evidence:
    return replace(evidence, letters=[*evidence.letters, evidence.letters[0]])


def bury_what_has_succeeded(evidence: Evidence) -> Evidence:
    return replace(evidence, letters=[*evidence.letters, letter(an_event(evidence, is_update))])


def change_a_dead_letter(evidence: Evidence) -> Evidence:
    first, *others = evidence.letters
    return replace(evidence, letters=[replace(first, value=b"something else"), *others])


def bury_a_record_that_is_not_there(evidence: Evidence) -> Evidence:
    nowhere = replace(evidence.letters[0], place=Place("holdings.changes", 5, 99))
    return replace(evidence, letters=[*evidence.letters, nowhere])


@pytest.mark.parametrize("once", [True, False], ids=["exactly once", "at least once"])
def test_nothing_is_found_where_nothing_is_wrong(once: bool) -> None:
    assert judge(flawless(), once=once) == []


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lose_a_result, "has no result"),
        (repeat_a_result, "has 2 results"),
        (name_another_event, "has a result that calls it another"),
        (fail_what_can_be_done, "should have been done, and its result says failed (unavailable: no answer)"),
        (do_what_is_refused, "should have been refused by its system, and its result says succeeded"),
        (give_another_reason, "should have been refused by its system, and its result says failed (unavailable"),
        (tell_of_a_record_that_is_not_there, "a result tells of holdings.changes/5@99, where no event was sent"),
        (lose_a_dead_letter, "failed, and has no dead letter"),
        (repeat_a_dead_letter, "has 2 dead letters"),
        (bury_what_has_succeeded, "has a dead letter, and no result that says failed or partial"),
        (change_a_dead_letter, "has a dead letter that is not what was sent, byte for byte"),
        (bury_a_record_that_is_not_there, "a dead letter tells of holdings.changes/5@99, where no event was sent"),
    ],
)
def test_each_fault_of_results_and_dead_letters_is_found(spoil: Callable[[Evidence], Evidence], words: str) -> None:
    faults = judge(spoil(flawless()), once=True)

    assert any(words in fault for fault in faults), faults


@pytest.mark.parametrize("repeat", [repeat_a_result, repeat_a_dead_letter])
def test_where_results_may_be_repeated_a_repetition_is_no_fault(repeat: Callable[[Evidence], Evidence]) -> None:
    assert judge(repeat(flawless()), once=False) == []


@pytest.mark.parametrize("lose", [lose_a_result, lose_a_dead_letter])
def test_where_results_may_be_repeated_a_loss_is_a_fault_all_the_same(lose: Callable[[Evidence], Evidence]) -> None:
    assert len(judge(lose(flawless()), once=False)) == 1
