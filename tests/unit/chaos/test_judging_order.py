"""The judge of calls: one at a time for an entity, in the order of its events, and none for what is finished."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders.evidence import (
    CALL_SECONDS,
    OTHER_LIFE,
    RESULT_AFTER_SECONDS,
    WORKER_LIFE,
    an_event,
    began_at,
    call,
    flawless,
    follows,
    is_update,
    with_calls,
    with_result,
    without_calls,
)
from tests.chaos.events import Event
from tests.chaos.evidence import Blow, Evidence, Life, Outage, Struck
from tests.chaos.judging import judge
from tests.chaos.judging.order import AFTER_OUTAGE_SECONDS, ARRIVAL_SECONDS, UNHEARD_SECONDS

HALF = CALL_SECONDS / 2


def struck(evidence: Evidence, life: int, *blows: Struck) -> Evidence:
    lives = [Life(0, 0.0), Life(1, 0.0)]
    lives[life].blows += blows
    return replace(evidence, lives=lives)


def two_of_one_resource(evidence: Evidence) -> tuple[Event, Event]:
    first = an_event(evidence, lambda event: is_update(event) and _is_followed_by_an_update(evidence, event))
    return first, an_event(evidence, lambda event: is_update(event) and follows(first)(event))


def _is_followed_by_an_update(evidence: Evidence, event: Event) -> bool:
    later = [placed.event for placed in evidence.placed if follows(event)(placed.event)]
    return bool(later) and is_update(later[0])


def prolonged(evidence: Evidence, event: Event, until: float) -> Evidence:
    """The call for an event goes on for longer."""
    calls = [replace(c, ended_at=until) if event.index in c.events else c for c in evidence.calls]
    return replace(evidence, calls=calls)


def gone_back(evidence: Evidence, life: int) -> Evidence:
    """An event is called for again, by another worker, when the next one of its entity has been; neither has a result
    yet, and the next one is then called for again as well."""
    first, second = two_of_one_resource(evidence)
    late = began_at(second) + 4 * CALL_SECONDS
    for event in (first, second):
        evidence = with_result(evidence, event, sent_at=late + RESULT_AFTER_SECONDS)
    again = call(first, "eholdings", "GET", began_at=late - 2 * CALL_SECONDS, life=life)
    return with_calls(evidence, again, call(second, "eholdings", "GET", began_at=late - CALL_SECONDS, life=life))


def test_two_calls_for_one_entity_at_a_time_are_a_fault() -> None:
    evidence = flawless()
    first, second = two_of_one_resource(evidence)

    faults = judge(prolonged(evidence, first, began_at(second) + HALF), once=True)

    assert len(faults) == 1
    assert "began while one for its event" in faults[0]


def test_two_calls_for_one_event_at_a_time_are_a_fault_too() -> None:
    evidence = flawless()
    event = an_event(evidence, is_update)

    (fault,) = judge(with_calls(evidence, call(event, "eholdings", "GET", began_at=began_at(event) + HALF)), once=True)

    assert "began while one for its event" in fault


@pytest.mark.parametrize("blow", list(Blow))
def test_a_call_that_was_under_way_when_its_worker_was_struck_may_run_on_while_another_works(blow: Blow) -> None:
    evidence = flawless()
    first, second = two_of_one_resource(evidence)
    evidence = prolonged(evidence, first, began_at(second) + HALF)

    assert judge(struck(evidence, WORKER_LIFE, Struck(blow, began_at(first) + HALF)), once=True) == []


@pytest.mark.parametrize(
    ("life", "seconds_after_the_second_began"),
    [(WORKER_LIFE, HALF / 2), (OTHER_LIFE, -HALF)],
    ids=["struck too late to explain it", "another worker was struck"],
)
def test_no_other_blow_excuses_two_calls_at_a_time(life: int, seconds_after_the_second_began: float) -> None:
    evidence = flawless()
    first, second = two_of_one_resource(evidence)
    evidence = prolonged(evidence, first, began_at(second) + HALF)
    blow = Struck(Blow.KILLED, began_at(second) + seconds_after_the_second_began)

    assert len(judge(struck(evidence, life, blow), once=True)) == 1


@pytest.mark.parametrize(
    ("life", "seconds_after_the_outage_began", "faults"),
    [(OTHER_LIFE, UNHEARD_SECONDS, 0), (OTHER_LIFE, UNHEARD_SECONDS + 2 * ARRIVAL_SECONDS, 1), (WORKER_LIFE, 0.0, 1)],
    ids=["when it has just begun", "in the middle of it", "of one worker"],
)
def test_a_call_may_run_beside_that_of_another_worker_when_its_own_lost_sight_of_the_group_meanwhile(
    life: int, seconds_after_the_outage_began: float, faults: int
) -> None:
    evidence = flawless()
    event = an_event(evidence, is_update)
    second_began = began_at(event) + HALF
    gone_at = began_at(event) - seconds_after_the_outage_began
    outage = Outage(gone_at - 1, gone_at, second_began - HALF / 2)
    evidence = with_calls(evidence, call(event, "eholdings", "GET", began_at=second_began, life=life))

    found = judge(replace(evidence, outages=[outage]), once=True)

    assert len([fault for fault in found if "began while one for its event" in fault]) == faults


def test_a_call_that_a_suspended_worker_makes_when_it_wakes_is_not_excused() -> None:
    evidence = flawless()
    first, second = two_of_one_resource(evidence)
    blow = Struck(Blow.SUSPENDED, began_at(first) + CALL_SECONDS, began_at(second) - HALF)
    evidence = with_result(evidence, first, sent_at=began_at(second) + RESULT_AFTER_SECONDS)
    late = call(first, "eholdings", began_at=began_at(second) - HALF, ended_at=began_at(second) + HALF)

    faults = judge(struck(with_calls(evidence, late), WORKER_LIFE, blow), once=True)

    assert len(faults) == 1
    assert "began while one for its event" in faults[0]


def test_an_event_before_its_turn_is_a_fault() -> None:
    evidence = flawless()
    first, second = two_of_one_resource(evidence)
    early = call(second, "eholdings", "GET", began_at=began_at(first) - 2 * CALL_SECONDS)

    faults = judge(with_calls(evidence, early), once=True)

    assert any("came before its event" in fault for fault in faults), faults


def test_one_call_may_be_for_several_events_that_follow_one_another() -> None:
    evidence = flawless()
    first, second = two_of_one_resource(evidence)
    joint = call(first, "eholdings", events=(first.index, second.index))

    together = with_calls(without_calls(without_calls(evidence, first), second), joint)

    assert judge(together, once=True) == []


def test_what_failed_together_may_be_called_for_one_by_one() -> None:
    evidence = flawless()
    first, second = two_of_one_resource(evidence)
    early = began_at(first) - 2 * CALL_SECONDS
    joint = call(first, "eholdings", events=(first.index, second.index), began_at=early, applied=False)

    assert judge(with_calls(evidence, joint), once=True) == []


def test_an_event_that_came_alone_before_its_company_is_a_fault() -> None:
    evidence = flawless()
    first, second = two_of_one_resource(evidence)
    late = call(second, "eholdings", events=(first.index, second.index), began_at=began_at(second) + 2 * CALL_SECONDS)

    faults = judge(with_calls(evidence, late), once=True)

    assert any("came again" in fault for fault in faults), faults


def test_an_update_with_nothing_to_write_may_have_no_call_of_its_own() -> None:
    evidence = flawless()
    again = an_event(evidence, lambda event: event.again and len(event.entities) == 1)

    assert judge(without_calls(evidence, again), once=True) == []


def test_an_event_that_was_never_called_for_shows_in_the_order() -> None:
    evidence = flawless()
    first, second = two_of_one_resource(evidence)

    faults = judge(without_calls(evidence, first), once=True)

    (entity,) = first.entities
    number = first.entities[entity]
    assert f"{entity}: its event {second.entities[entity]} came before its event {number}" in faults


def test_going_back_where_nothing_had_happened_is_a_fault() -> None:
    faults = judge(gone_back(flawless(), OTHER_LIFE), once=True)

    assert len(faults) == 1
    assert "and nothing had happened to the latter's worker" in faults[0]


def test_a_kill_excuses_going_back() -> None:
    evidence = flawless()
    _, second = two_of_one_resource(evidence)
    kill = Struck(Blow.KILLED, began_at(second) + HALF)

    assert judge(struck(gone_back(evidence, OTHER_LIFE), WORKER_LIFE, kill), once=True) == []


def test_the_kill_of_another_worker_does_not_excuse_going_back() -> None:
    evidence = flawless()
    _, second = two_of_one_resource(evidence)
    kill = Struck(Blow.KILLED, began_at(second) + HALF)

    assert len(judge(struck(gone_back(evidence, WORKER_LIFE), OTHER_LIFE, kill), once=True)) == 1


def test_an_outage_of_the_broker_excuses_going_back_and_one_long_ago_does_not() -> None:
    evidence = flawless()
    _, second = two_of_one_resource(evidence)
    recent, long_ago = began_at(second) - HALF, began_at(second) - AFTER_OUTAGE_SECONDS - CALL_SECONDS

    spoilt = gone_back(evidence, WORKER_LIFE)

    assert judge(replace(spoilt, outages=[Outage(recent - 1, recent - 1, recent)]), once=True) == []
    assert len(judge(replace(spoilt, outages=[Outage(long_ago - 1, long_ago - 1, long_ago)]), once=True)) == 1


def test_a_call_for_an_event_whose_result_is_stored_is_a_fault() -> None:
    evidence = flawless()
    event = an_event(evidence, is_update)
    late = call(event, "eholdings", "GET", began_at=began_at(event) + RESULT_AFTER_SECONDS + CALL_SECONDS)

    (fault,) = judge(with_calls(evidence, late), once=True)

    assert "began 1.0 s after its result had been stored" in fault


def test_where_results_may_be_repeated_so_may_calls() -> None:
    evidence = flawless()
    event = an_event(evidence, is_update)
    late = call(event, "eholdings", "GET", began_at=began_at(event) + RESULT_AFTER_SECONDS + CALL_SECONDS)

    assert judge(with_calls(evidence, late), once=False) == []


def test_a_call_that_no_event_asks_for_is_a_fault() -> None:
    evidence = flawless()
    strange = replace(evidence.calls[0], events=(-1,))

    assert f"{strange.system}: a {strange.method} that no event asks for" in judge(
        with_calls(evidence, strange), once=True
    )
