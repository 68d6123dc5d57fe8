"""The judge of simulated exports finds each kind of fault."""

from __future__ import annotations

import orjson
import pytest

from service.domain.outcomes import Overall
from service.domain.record import Partition
from service.engine.ports import Outgoing
from tests.fakes.events import RESULTS, ROWS, FakeEvent
from tests.fakes.export_judging import faults_of_rows
from tests.fakes.export_ledger import ExportLedger
from tests.fakes.ledger import PlacedEvent
from tests.fakes.source import Delivery

ONE = Partition("changes", 0)
EXPORT = PlacedEvent(FakeEvent("export", ("a",), rows=3), ONE, 0)


def row(number: int, title: int | None = None) -> Outgoing:
    return Outgoing(ROWS, b"k", orjson.dumps(("export", ["changes", 0], 0, number, str(title or number))))


def result(rows: int | None = 3) -> Outgoing:
    return Outgoing(RESULTS, None, orjson.dumps(("export", ["changes", 0], 0, Overall.SUCCEEDED, None, rows)))


WHOLE = [row(1), row(2), row(3), result()]


@pytest.mark.parametrize("delivery", ["exactly_once", "at_least_once"])
def test_every_row_once_and_then_the_result_is_in_order(delivery: Delivery) -> None:
    assert faults_of_rows([EXPORT], WHOLE, delivery) == []


def test_a_row_that_comes_again_is_a_fault_in_transactions_alone() -> None:
    published = [row(1), row(1), row(2), row(3), result()]

    assert faults_of_rows([EXPORT], published, "exactly_once") == ["rows of export: [1, 1, 2, 3] in place of [1, 2, 3]"]
    assert faults_of_rows([EXPORT], published, "at_least_once") == []


@pytest.mark.parametrize("delivery", ["exactly_once", "at_least_once"])
@pytest.mark.parametrize(
    ("published", "fault"),
    [
        ([row(1), row(3), result(2)], "rows of export: [1, 3] in place of [1, 2, 3]"),
        ([row(1), row(2, 3), row(3), result()], "row 2 of export is row 3 of its file"),
        ([row(1), row(2), result(), row(3)], "the result of export came after 2 of 3 rows"),
        ([row(1), row(2), row(3), result(2)], "the result of export counts 2 rows in place of 3"),
        ([row(1), row(2), row(3), row(4), result()], "rows of export: [1, 2, 3, 4] in place of [1, 2, 3]"),
    ],
)
def test_what_is_wrong_in_either_mode_is_told(delivery: Delivery, published: list[Outgoing], fault: str) -> None:
    assert fault in faults_of_rows([EXPORT], published, delivery)


def exports(*, noted: bool = True) -> ExportLedger:
    return ExportLedger(lambda placed: noted)


def test_a_post_without_a_stored_note_is_objected_to() -> None:
    ledger = exports(noted=False)

    ledger.check_post(EXPORT, "worker")

    assert ledger.objections == ["worker asks for the export export without a note"]


def test_a_second_post_is_objected_to_when_nobody_has_looked_for_what_came_of_the_first() -> None:
    ledger = exports()
    ledger.make(EXPORT, asked_at=5.0, now=6.0, waits=0, judged=True)

    ledger.check_post(EXPORT, "worker")

    assert ledger.objections == ["worker asks for the export export although there is export-1"]


def test_a_second_post_is_objected_to_when_the_list_had_shown_what_came_of_the_first() -> None:
    ledger = exports()
    ledger.make(EXPORT, asked_at=5.0, now=6.0, waits=0, judged=True)
    ledger.list(EXPORT, now=7.0)

    ledger.check_post(EXPORT, "worker")

    assert ledger.objections == ["worker asks for the export export although there is export-1"]


def test_a_second_post_may_leave_when_the_first_was_still_on_its_way_as_the_list_was_read() -> None:
    ledger = exports()
    ledger.list(EXPORT, now=7.0)
    ledger.make(EXPORT, asked_at=5.0, now=8.0, waits=0, judged=True)

    ledger.check_post(EXPORT, "worker")

    assert ledger.objections == []
