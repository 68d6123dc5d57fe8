"""What a refused event asked for is told in the words, and in the order, in which it would have been carried out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from service.domain.operations import Asked, asked_of
from service.translation.asked import (
    ASKED_LIMIT,
    asked_of_export_requested,
    asked_of_holdings_changed,
    asked_of_transfer_requested,
)
from tests.builders.events import (
    INSTITUTION_ID,
    JSON,
    RESOURCE_ID,
    add,
    delete_shared,
    holding_transfer,
    item_transfer,
    plan_of,
    transfer,
    update,
    upsert,
    upsert_shared,
)

SOURCE = {"action": "upsert", "name": "Union", "source": "local"}

EVENTS: list[Any] = [
    {"eholdings": update({"isHidden": True})},
    {"eholdings": {"action": "deselect", "resourceId": RESOURCE_ID}},
    {"eholdings": add()},
    {"eholdings": {"action": "remove", "resourceId": RESOURCE_ID}},
    {"inventory": upsert()},
    {"inventory": {"action": "delete", "hrid": "bib-1"}},
    {"inventory": upsert_shared()},
    {"inventory": delete_shared()},
    {"inventory": delete_shared(localIdentifier=..., oaiIdentifier="oai:x:1")},
    {"inventory": delete_shared(localIdentifier=None, oaiIdentifier="oai:x:1")},
    {"inventory": upsert(), "holdingsSource": SOURCE, "eholdings": add()},
    {"holdingsSource": {"action": "delete", "name": "Union"}, "inventory": upsert(), "eholdings": None},
]


@pytest.mark.parametrize("data", EVENTS)
def test_of_a_valid_change_the_same_is_recognised_as_is_carried_out(data: Any) -> None:
    carried_out = tuple(asked for step in plan_of(data).steps for asked in asked_of(step))
    assert asked_of_holdings_changed(data) == carried_out


def test_of_a_valid_transfer_the_same_is_recognised_as_is_carried_out() -> None:
    data = transfer(holdingTransfers=[holding_transfer()], inventory=[upsert(), delete_shared()])
    plan = plan_of(data, "holdings.transfer.requested")
    carried_out = tuple(asked for step in plan.steps for asked in asked_of(step))
    assert asked_of_transfer_requested(data) == carried_out


@pytest.mark.parametrize(
    ("data", "asked"),
    [
        ({"eholdings": {"action": "select", "resourceId": RESOURCE_ID}}, Asked("eholdings", None, None)),
        ({"eholdings": 7}, Asked("eholdings", None, None)),
        ({"eholdings": {"action": "update", "resourceId": 7}}, Asked("eholdings", "update", None)),
        ({"eholdings": {"action": "add", "packageId": "51-70312"}}, Asked("eholdings", "add", None)),
        ({"inventory": {"action": "upsert"}}, Asked("inventory", "upsert", None)),
        ({"inventory": {"action": "upsert", "instance": {"hrid": 1}}}, Asked("inventory", "upsert", None)),
        ({"inventory": upsert_shared(localIdentifier=...)}, Asked("inventory", "upsert-shared", None)),
        ({"inventory": delete_shared(localIdentifier=...)}, Asked("inventory", "delete-shared", None)),
        (
            {"inventory": delete_shared(localIdentifier="7", oaiIdentifier="o")},
            Asked("inventory", "delete-shared", f"{INSTITUTION_ID}/7"),
        ),
        ({"holdingsSource": {"action": ["delete"]}}, Asked("holdings-sources", None, None)),
        ({"holdingsSource": {"action": "delete", "name": None}}, Asked("holdings-sources", "delete", None)),
    ],
)
def test_what_cannot_be_told_of_a_part_is_left_open(data: Any, asked: Asked) -> None:
    assert asked_of_holdings_changed(data) == (asked,)


def test_every_entry_of_a_transfer_is_asked_for_even_when_it_cannot_be_read() -> None:
    data: Any = {
        "itemTransfers": [item_transfer(), 7, {"source": {"owningInstitutionBibId": ".b1"}}],
        "holdingTransfers": [{"source": []}],
        "inventory": [None],
    }
    assert asked_of_transfer_requested(data) == (
        Asked("scsb", "transfer-holdings", None),
        Asked("scsb", "transfer-item", ".b100000017/0071/.i200000024"),
        Asked("scsb", "transfer-item", None),
        Asked("scsb", "transfer-item", None),
        Asked("inventory", None, None),
    )


@pytest.mark.parametrize(
    ("data", "target"),
    [
        ({"custId": "c", "type": "COST"}, "c/COST"),
        ({"custId": "c", "exportId": "e", "type": "COST"}, "e"),
        ({"custId": "c"}, None),
        ({"custId": 7, "type": "COST"}, None),
    ],
)
def test_an_export_is_asked_for_by_its_id_else_by_customer_and_type(data: Any, target: str | None) -> None:
    assert asked_of_export_requested(data) == (Asked("holdingsiq", "export", target),)


@given(JSON)
def test_any_data_can_be_looked_at(data: Any) -> None:
    for recognise in (asked_of_holdings_changed, asked_of_transfer_requested, asked_of_export_requested):
        assert all(isinstance(asked, Asked) for asked in recognise(data))


def test_past_the_limit_one_entry_stands_for_the_rest() -> None:
    asked = asked_of_transfer_requested({"itemTransfers": [1] * (ASKED_LIMIT + 5), "inventory": [1]})
    assert len(asked) == ASKED_LIMIT + 1
    assert asked[-1] == Asked(None, None, "6 more")
