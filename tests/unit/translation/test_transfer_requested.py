"""`holdings.transfer.requested` becomes one transfer, then the operations on inventory."""

from __future__ import annotations

from service.domain.operations import Asked, DeleteRecordSet, Transfer, TransferEntry, UpsertRecordSet, asked_of
from tests.builders.events import (
    holding_transfer,
    holdings_place,
    item_place,
    item_transfer,
    plan_of,
    transfer,
    upsert,
)

TYPE = "holdings.transfer.requested"


def test_entries_carry_scsbs_own_names_and_are_asked_for_by_their_source_ids() -> None:
    destination = item_place(owningInstitutionBibId=".b2")
    [step] = plan_of(
        transfer(
            itemTransfers=[item_transfer(destination=destination)],
            holdingTransfers=[holding_transfer()],
        ),
        TYPE,
    ).steps
    assert step == Transfer(
        "NYPL",
        (
            TransferEntry(
                Asked("scsb", "transfer-holdings", ".b100000017/0071"),
                holdings_place(),
                holdings_place(owningInstitutionBibId=".b100000029"),
            ),
        ),
        (
            TransferEntry(
                Asked("scsb", "transfer-item", ".b100000017/0071/.i200000024"),
                item_place(),
                destination,
            ),
        ),
    )


def test_entries_stay_in_the_order_given_holdings_before_items() -> None:
    def moved(number: int) -> dict[str, object]:
        place = item_place(owningInstitutionItemId=f".i{number}")
        return item_transfer(source=place, destination=place)

    [step] = plan_of(transfer(itemTransfers=[moved(2), moved(1)], holdingTransfers=[holding_transfer()]), TYPE).steps
    assert [asked.target for asked in asked_of(step)] == [
        ".b100000017/0071",
        ".b100000017/0071/.i2",
        ".b100000017/0071/.i1",
    ]


def test_bibs_on_both_sides_of_every_entry_are_written() -> None:
    plan = plan_of(
        transfer(
            itemTransfers=[item_transfer(destination=item_place(owningInstitutionBibId=".b2"))],
            holdingTransfers=[
                holding_transfer(
                    source=holdings_place(owningInstitutionBibId=".b3"),
                    destination=holdings_place(owningInstitutionBibId=".b4"),
                )
            ],
        ),
        TYPE,
    )
    assert plan.writes == {("scsb", "NYPL", bib) for bib in (".b100000017", ".b2", ".b3", ".b4")}


def test_operations_on_inventory_follow_the_transfer_in_order() -> None:
    plan = plan_of(
        transfer(inventory=[{"action": "delete", "hrid": "bib-2"}, upsert(), {"action": "delete", "hrid": "bib-3"}]),
        TYPE,
        tenant="ucla",
    )
    assert [type(step) for step in plan.steps] == [Transfer, DeleteRecordSet, UpsertRecordSet, DeleteRecordSet]
    assert plan.writes > {("inventory", "ucla", "instance", f"bib-{number}") for number in (2, 3, 1001)}


def test_an_empty_list_of_operations_adds_nothing() -> None:
    assert plan_of(transfer(inventory=[]), TYPE) == plan_of(transfer(), TYPE)


def test_a_transfer_names_the_tenant_in_no_key_because_scsb_knows_none() -> None:
    assert plan_of(transfer(), TYPE, tenant="a").writes == plan_of(transfer(), TYPE, tenant="b").writes
