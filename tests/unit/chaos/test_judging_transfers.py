"""The judge of transfers: applied once, and told of truly."""

from __future__ import annotations

from dataclasses import replace

from tests.builders.evidence import (
    CALL_SECONDS,
    an_event,
    began_at,
    call,
    flawless,
    with_calls,
    with_result,
    without_calls,
)
from tests.chaos.events import Event, Fate
from tests.chaos.evidence import Evidence, Operation
from tests.chaos.judging import judge
from tests.chaos.judging.transfers import faults_of_transfers


def is_item_move(event: Event) -> bool:
    return event.fate is Fate.DONE and [move.operation for move in event.moves] == ["transfer-item"]


def is_refused_move(event: Event) -> bool:
    return event.fate is Fate.REFUSED and bool(event.moves)


def is_mixed(event: Event) -> bool:
    return event.fate is Fate.PARTIAL and bool(event.moves)


def there_and_back(evidence: Evidence) -> tuple[Event, Event]:
    """An item's move, and the next move of the same item."""
    moves = [placed.event for placed in evidence.placed if is_item_move(placed.event)]
    for first in moves:
        (moved,) = first.moves
        later = [
            placed.event
            for placed in evidence.placed
            if placed.event.index > first.index and any(move.moved == moved.moved for move in placed.event.moves)
        ]
        if later:
            return first, later[0]
    raise LookupError("no item moves twice")


def told(evidence: Evidence, event: Event, outcome: str) -> Evidence:
    """The result says `outcome` of every entry."""
    operations = tuple(Operation("scsb", move.operation, move.target, outcome) for move in event.moves)
    return with_result(evidence, event, operations=operations)


def test_a_transfer_that_is_carried_out_again_after_the_item_has_come_back_is_a_fault() -> None:
    evidence = flawless()
    first, second = there_and_back(evidence)
    again = call(first, "scsb", "POST", began_at=began_at(second) + 2 * CALL_SECONDS)

    faults = list(faults_of_transfers(with_calls(evidence, again)))

    assert any("was applied 2 times in place of 1" in fault for fault in faults), faults


def test_a_repeated_call_that_finds_the_item_gone_applies_nothing() -> None:
    evidence = flawless()
    event = an_event(evidence, is_item_move)
    again = call(event, "scsb", "POST", began_at=began_at(event) + 2 * CALL_SECONDS)

    assert judge(with_calls(evidence, again), once=True) == []


def test_a_call_that_was_not_carried_out_applies_nothing() -> None:
    evidence = flawless()
    event = an_event(evidence, is_item_move)
    calls = [replace(c, applied=False) if event.index in c.events else c for c in evidence.calls]

    faults = judge(replace(evidence, calls=calls), once=True)

    assert any("was applied 0 times in place of 1" in fault for fault in faults), faults
    assert any("should be told of as failed, and the result says succeeded" in fault for fault in faults), faults


def test_a_transfer_that_was_never_made_and_is_told_of_as_made_is_a_fault() -> None:
    evidence = flawless()

    faults = judge(without_calls(evidence, an_event(evidence, is_item_move)), once=True)

    assert any("was applied 0 times in place of 1" in fault for fault in faults), faults


def test_a_transfer_that_was_applied_and_is_told_of_as_refused_is_a_fault() -> None:
    evidence = flawless()

    (fault,) = judge(told(evidence, an_event(evidence, is_item_move), "failed"), once=True)

    assert "should be told of as succeeded, and the result says failed" in fault


def test_a_transfer_that_was_refused_and_is_told_of_as_made_is_a_fault() -> None:
    evidence = flawless()

    (fault,) = judge(told(evidence, an_event(evidence, is_refused_move), "succeeded"), once=True)

    assert "should be told of as failed, and the result says succeeded" in fault


def test_each_entry_of_a_transfer_is_judged_by_itself() -> None:
    evidence = flawless()

    (fault,) = judge(told(evidence, an_event(evidence, is_mixed), "succeeded"), once=True)

    assert "should be told of as failed, and the result says succeeded" in fault


def test_an_entry_of_which_the_result_says_nothing_is_a_fault() -> None:
    evidence = flawless()

    (fault,) = judge(with_result(evidence, an_event(evidence, is_item_move), operations=()), once=True)

    assert "should be told of as succeeded, and the result says nothing" in fault


def test_an_item_at_a_place_that_no_call_accounts_for_is_a_fault() -> None:
    evidence = flawless()
    thing = next(iter(evidence.moved_to))

    faults = judge(replace(evidence, moved_to={**evidence.moved_to, thing: ("b", "h")}), once=True)

    assert f"{thing[1]} is at b/h, which no call accounts for" in faults
    assert any(fault.startswith(f"{thing[1]} ended at b/h in place of ") for fault in faults)
