"""What is valid in a transfer, and what is refused because SCSB would misread it."""

from __future__ import annotations

from typing import Any

import pytest

from service.domain.events.record_sets import WITHOUT_ITEMS
from service.domain.operations import Transfer
from tests.builders.events import (
    faults_of,
    holding_transfer,
    holdings_place,
    item_place,
    item_transfer,
    plan_of,
    transfer,
    upsert,
)

TYPE = "holdings.transfer.requested"


def refused(data: Any) -> dict[str, str]:
    return faults_of(data, TYPE)


def test_ids_are_kept_byte_for_byte() -> None:
    odd = {
        "owningInstitutionBibId": ".b00100x",
        "owningInstitutionHoldingsId": "00.10",
        "owningInstitutionItemId": " 007 ",
    }
    [step] = plan_of(transfer(itemTransfers=[{"source": odd, "destination": odd}]), TYPE).steps
    assert isinstance(step, Transfer)
    assert step.items[0].source == step.items[0].destination == odd


@pytest.mark.parametrize("institution", [..., "", "  ", None, 7])
def test_the_institution_is_required(institution: Any) -> None:
    assert list(refused(transfer(institution=institution))) == ["data.institution"]


@pytest.mark.parametrize(
    "members",
    [
        {"itemTransfers": ...},
        {"itemTransfers": None},
        {"itemTransfers": [], "holdingTransfers": []},
        {"itemTransfers": ..., "inventory": [upsert()]},
    ],
)
def test_a_transfer_that_moves_nothing_is_refused(members: dict[str, Any]) -> None:
    assert refused(transfer(**members)) == {"data": "needs at least one entry in itemTransfers or holdingTransfers"}


def test_holdings_alone_may_move() -> None:
    assert plan_of(transfer(itemTransfers=None, holdingTransfers=[holding_transfer()]), TYPE).steps


@pytest.mark.parametrize("side", ["source", "destination"])
@pytest.mark.parametrize("name", ["owningInstitutionBibId", "owningInstitutionHoldingsId", "owningInstitutionItemId"])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "must not be blank"),
        (" \t", "must not be blank"),
        (..., "is required"),
        (None, "must be a string, not null"),
        (17, "must be a string, not a number"),
    ],
)
def test_every_id_of_an_item_transfer_is_a_text_that_is_not_blank(
    side: str, name: str, value: Any, message: str
) -> None:
    faults = refused(transfer(itemTransfers=[item_transfer(**{side: item_place(**{name: value})})]))
    assert faults == {f"data.itemTransfers[0].{side}.{name}": message}


@pytest.mark.parametrize("side", ["source", "destination"])
@pytest.mark.parametrize("name", ["owningInstitutionBibId", "owningInstitutionHoldingsId"])
def test_every_id_of_a_holdings_transfer_is_a_text_that_is_not_blank(side: str, name: str) -> None:
    faults = refused(transfer(holdingTransfers=[holding_transfer(**{side: holdings_place(**{name: " "})})]))
    assert faults == {f"data.holdingTransfers[0].{side}.{name}": "must not be blank"}


def test_an_item_keeps_its_id() -> None:
    moved = item_transfer(destination=item_place(owningInstitutionItemId=".i299999999"))
    assert refused(transfer(itemTransfers=[item_transfer(), moved])) == {
        "data.itemTransfers[1].destination.owningInstitutionItemId": "must equal the item id of the source: "
        "it stays the same when it moves"
    }


def test_a_holdings_record_keeps_its_id() -> None:
    moved = holding_transfer(destination=holdings_place(owningInstitutionHoldingsId="71"))
    assert refused(transfer(holdingTransfers=[moved])) == {
        "data.holdingTransfers[0].destination.owningInstitutionHoldingsId": "must equal the holdings id of the source: "
        "it stays the same when it moves"
    }


def test_an_item_may_change_its_holdings_record() -> None:
    moved = item_transfer(destination=item_place(owningInstitutionHoldingsId="0072"))
    assert plan_of(transfer(itemTransfers=[moved]), TYPE).steps


def test_bound_with_is_refused_on_the_request_and_on_every_entry() -> None:
    faults = refused(
        transfer(
            boundWith=True,
            itemTransfers=[item_transfer(), item_transfer(boundWith=True)],
            holdingTransfers=[holding_transfer(boundWith=True)],
        )
    )
    assert list(faults) == [
        "data.boundWith",
        "data.holdingTransfers[0].boundWith",
        "data.itemTransfers[1].boundWith",
    ]
    assert all("bound-with items cannot be transferred" in message for message in faults.values())


@pytest.mark.parametrize("bound_with", [False, None])
def test_saying_that_nothing_is_bound_with_changes_nothing(bound_with: bool | None) -> None:
    said = transfer(boundWith=bound_with, itemTransfers=[item_transfer(boundWith=bound_with)])
    assert plan_of(said, TYPE) == plan_of(transfer(), TYPE)


def test_bound_with_must_be_true_or_false() -> None:
    assert refused(transfer(boundWith="no")) == {"data.boundWith": "must be true or false, not a string"}


@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_barcode_is_refused_because_scsb_ignores_it(side: str) -> None:
    entry = item_transfer(**{side: item_place(barcode="33433001")})
    assert refused(transfer(itemTransfers=[entry])) == {
        f"data.itemTransfers[0].{side}.barcode": "is ignored by SCSB: an item is named by owningInstitutionItemId"
    }


def test_a_holdings_transfer_that_names_an_item_is_refused() -> None:
    entry = holding_transfer(source=item_place())
    assert refused(transfer(holdingTransfers=[entry])) == {
        "data.holdingTransfers[0].source.owningInstitutionItemId": "is not a known field"
    }


@pytest.mark.parametrize("side", ["source", "destination"])
def test_both_sides_are_required(side: str) -> None:
    assert refused(transfer(itemTransfers=[item_transfer(**{side: ...})])) == {
        f"data.itemTransfers[0].{side}": "is required"
    }


@pytest.mark.parametrize("name", ["itemTransfers", "holdingTransfers"])
def test_an_entry_that_is_not_an_object_is_refused(name: str) -> None:
    assert refused(transfer(**{name: ["x"]})) == {f"data.{name}[0]": "must be an object, not a string"}


def test_the_spelling_of_scsbs_echo_is_not_taken() -> None:
    assert refused(transfer(holdingsTransfers=[])) == {"data.holdingsTransfers": "is not a known field"}


def test_operations_on_inventory_are_checked_as_in_a_change_of_holdings() -> None:
    assert refused(
        transfer(inventory=[upsert(), upsert(holdingsRecords=[{"hrid": "h"}]), {"action": "drop"}, None])
    ) == {
        "data.inventory[1].holdingsRecords[0].items": WITHOUT_ITEMS,
        "data.inventory[2].action": "must be one of upsert, delete, upsert-shared, delete-shared",
        "data.inventory[3]": "must be an object, not null",
    }


def test_inventory_is_a_list_here() -> None:
    assert refused(transfer(inventory=upsert())) == {"data.inventory": "must be a list, not an object"}
