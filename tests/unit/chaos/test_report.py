"""What a run prints."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from tests.builders.evidence import CALL_SECONDS, OTHER_LIFE, an_event, began_at, call, flawless, is_update, with_calls
from tests.chaos.evidence import Blow, Life, Operation, Struck
from tests.chaos.report import FOUND_DONE, MOST_FAULTS, Report


def test_a_run_without_faults_says_so_under_its_counts() -> None:
    report = Report("exactly_once", seconds=7.4, blows=Counter({"kills": 3, "terms": 2}))

    report.take(flawless(40))

    lines = report.lines()
    assert lines[0] == "exactly_once, 7 s"
    assert lines[1].startswith("40 events, 40 of them with a result; 40 results, ")
    assert "blows: 3 kills, 2 terms; " in lines[3]
    assert lines[-1] == "every guarantee held"


def test_every_fault_is_named_and_of_very_many_the_first() -> None:
    report = Report("exactly_once", faults=[f"fault {number}" for number in range(MOST_FAULTS + 3)])

    lines = report.lines()

    assert f"BROKEN: fault {MOST_FAULTS - 1}" in lines
    assert lines[-2:] == ["BROKEN: and 3 more", f"{MOST_FAULTS + 3} faults"]


def test_a_kill_in_the_middle_of_a_call_is_counted_and_one_between_calls_is_not() -> None:
    evidence = flawless(40)
    event = an_event(evidence, is_update)
    during, after = began_at(event) + CALL_SECONDS / 2, began_at(event) + 2 * CALL_SECONDS
    lives = [Life(0, 0.0, [Struck(Blow.KILLED, during)]), Life(1, 0.0, [Struck(Blow.KILLED, after)])]
    report = Report("exactly_once")

    report.take(replace(evidence, lives=lives))

    assert report.cut_off == 1


def test_a_call_that_is_carried_out_again_is_counted_and_a_look_up_is_not() -> None:
    evidence = flawless(40)
    event = an_event(evidence, is_update)
    report = Report("exactly_once")

    report.take(with_calls(evidence, call(event, "eholdings"), call(event, "eholdings", "GET")))

    assert report.repeated_calls == 1


def test_exports_their_rows_and_those_that_another_life_went_on_with_are_counted() -> None:
    evidence = flawless()
    event = an_event(evidence, lambda event: event.rows is not None)
    report = Report("exactly_once")

    report.take(with_calls(evidence, call(event, "holdingsiq", "GET", life=OTHER_LIFE)))

    exports = len({row.place for row in evidence.rows})
    assert (report.exports, report.rows, report.exports_gone_on_with) == (exports, 300 * exports, 1)


def test_transfers_that_were_found_done_are_counted() -> None:
    evidence = flawless(40)
    found = Operation("scsb", "transfer-item", "b/h/i", "succeeded", f"{FOUND_DONE} whose answer was lost (now: …)")
    first, *others = evidence.results
    report = Report("exactly_once")

    report.take(replace(evidence, results=[replace(first, operations=(found, found)), *others]))

    assert report.found_done == 2
