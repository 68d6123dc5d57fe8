"""How faults come out: all of them, in order, bounded, and never with more of the sender's text than fits."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from service.domain.events.attributes import attribute_objections
from service.domain.events.coverages import coverage_objections
from service.domain.events.eholdings import add_objections, update_objections
from service.domain.events.holdings_changed import holdings_changed_objections
from service.domain.events.inventory import delete_shared_objections, upsert_objections, upsert_shared_objections
from service.domain.events.objections import FAULT_LIMIT, Objection, Rule, faults_of, path_of, refuse_together
from service.domain.events.transfer_requested import (
    holding_transfer_objections,
    item_transfer_objections,
    transfer_requested_objections,
)
from tests.builders.events import faults_of as faults_by_path
from tests.builders.events import rejection_of, transfer, update, upsert

RULES: tuple[Rule, ...] = (
    attribute_objections,
    coverage_objections,
    add_objections,
    update_objections,
    holdings_changed_objections,
    delete_shared_objections,
    upsert_objections,
    upsert_shared_objections,
    holding_transfer_objections,
    item_transfer_objections,
    transfer_requested_objections,
)


class Pair(BaseModel):
    left: int
    right: int


def adapter() -> TypeAdapter[Pair]:
    return TypeAdapter(Pair)


def test_the_models_faults_and_the_rules_are_told_together() -> None:
    with pytest.raises(ValidationError) as refused:
        refuse_together({"left": "x"}, adapter().validate_python, lambda _: [Objection((), "must be {even}")])
    assert [(fault.path, fault.message) for fault in faults_of(refused.value, "data")] == [
        ("data", "must be {even}"),
        ("data.left", "Input should be a valid integer, unable to parse string as an integer"),
        ("data.right", "is required"),
    ]


def test_where_both_speak_of_one_place_the_rule_is_heard() -> None:
    with pytest.raises(ValidationError) as refused:
        refuse_together({"left": 1}, adapter().validate_python, lambda _: [Objection(("right",), "is what matters")])
    assert [fault.message for fault in faults_of(refused.value, "data")] == ["is what matters"]


def test_a_rule_alone_can_refuse() -> None:
    with pytest.raises(ValidationError):
        refuse_together({"left": 1, "right": 1}, adapter().validate_python, lambda _: [Objection((), "no")])


def test_nothing_to_object_to_lets_the_value_through() -> None:
    assert refuse_together({"left": 1, "right": 2}, adapter().validate_python, lambda _: []) == Pair(left=1, right=2)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "raw",
    [None, 1, 1.5, "text", True, [], [[]], [None], {}, {"attributes": 1}, {"source": 1}, {"holdingsRecords": [1]}],
)
def test_a_rule_reads_whatever_json_there_is(rule: Rule, raw: Any) -> None:
    assert all(isinstance(objection, Objection) for objection in rule(raw))


def test_list_entries_are_in_order_of_their_index_not_of_its_digits() -> None:
    faults = rejection_of(transfer(itemTransfers=[1] * 12), "holdings.transfer.requested").faults
    assert [fault.path for fault in faults] == [f"data.itemTransfers[{index}]" for index in range(12)]


def test_past_the_limit_one_fault_tells_how_many_more_there_are() -> None:
    faults = rejection_of({f"n{number}": 1 for number in range(FAULT_LIMIT + 7)}).faults
    assert len(faults) == FAULT_LIMIT + 1
    # the rule for the whole event has one more: it asks for nothing
    assert (faults[-1].path, faults[-1].message) == ("data", "and at least 8 more faults")


def test_a_list_full_of_faults_is_not_read_to_its_end_and_says_so() -> None:
    faults = rejection_of(transfer(itemTransfers=[1] * 10_000), "holdings.transfer.requested").faults
    assert len(faults) == FAULT_LIMIT + 1
    assert faults[-1].path == "data"
    assert "more entries of lists, which were not looked at" in faults[-1].message
    assert sum(map(int, re.findall("[0-9]+", faults[-1].message))) == 10_000 - FAULT_LIMIT


def test_lists_within_lists_share_the_limit() -> None:
    records = [{"hrid": "h", "items": [1] * 2000} for _ in range(50)]
    faults = rejection_of({"inventory": upsert(holdingsRecords=records)}).faults
    assert len(faults) == FAULT_LIMIT + 1
    assert {fault.path.partition("[")[0] for fault in faults[:-1]} == {"data.inventory.holdingsRecords"}


def test_a_fault_far_down_a_list_has_its_true_index() -> None:
    entries = [{"beginCoverage": f"{year:04}-01-01", "endCoverage": f"{year:04}-02-01"} for year in range(1000, 1100)]
    entries[77]["note"] = "?"
    assert faults_by_path({"eholdings": update({"customCoverages": entries})}) == {
        "data.eholdings.attributes.customCoverages[77].note": "is not a known field"
    }


def test_at_the_limit_every_fault_is_told() -> None:
    faults = rejection_of(transfer(itemTransfers=[1] * FAULT_LIMIT), "holdings.transfer.requested").faults
    assert len(faults) == FAULT_LIMIT
    assert all(fault.path.startswith("data.itemTransfers[") for fault in faults)


def test_a_path_is_dotted_with_indexes_in_brackets() -> None:
    assert (
        path_of("data", ("inventory", 3, "holdingsRecords", 0, "hrid")) == "data.inventory[3].holdingsRecords[0].hrid"
    )


def test_a_name_that_the_sender_chose_is_cut_when_it_is_long() -> None:
    [fault] = rejection_of({"inventory": {"action": "delete", "hrid": "b", "n" * 50_000: 1}}).faults
    assert fault.path == f"data.inventory.{'n' * 100}…"
