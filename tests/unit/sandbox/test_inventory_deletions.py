"""Deleting a record set by HRID."""

from __future__ import annotations

from typing import Any

import pytest

from service.sandbox.exchange import Call
from tests.builders.inventory import RELATIONSHIP_TYPE_ID, holdings, item, record_set, small_set
from tests.unit.sandbox.inventory_caller import Inventory

CODE = "b5968c9e-cddc-4576-99e3-8e60aed8b0dd"


def blocks(entity: str, pattern: str, **members: Any) -> dict[str, Any]:
    return {entity: {"blockDeletion": {"ifField": "hrid", "matchesPattern": pattern}, **members}}


@pytest.fixture
def inventory() -> Inventory:
    return Inventory()


def test_a_deletion_takes_items_holdings_records_and_the_instance(inventory: Inventory) -> None:
    inventory.put(small_set())

    answer = inventory.delete("in1")

    assert (answer.status, list(answer.body)) == (200, ["metrics"])
    assert answer.metrics == {
        "INSTANCE.DELETE.COMPLETED": 1,
        "HOLDINGS_RECORD.DELETE.COMPLETED": 1,
        "ITEM.DELETE.COMPLETED": 1,
    }
    assert inventory.stored("in1") is None
    assert inventory.put(small_set()).metrics["ITEM.CREATE.COMPLETED"] == 1


@pytest.mark.parametrize("body", [{"hrid": "nobody"}, {}])
def test_an_instance_that_is_not_there_is_404_with_the_text_that_means_done(
    inventory: Inventory, body: dict[str, str]
) -> None:
    inventory.put(small_set())

    answer = inventory.ask("DELETE", "/inventory-upsert-hrid", body)

    assert answer.status == 404
    assert answer.body == {
        "category": "STORAGE",
        "message": {"errors": [{"message": "Error processing delete request: Instance to delete not found"}]},
        "shortMessage": "Error processing delete request: Instanc",
        "entityType": "",
        "entity": {},
        "statusCode": 404,
        "requestJson": None,
        "details": {},
    }


@pytest.mark.parametrize("asked", ["IN1", "i*1", "in?"])
def test_the_query_of_a_deletion_knows_neither_case_nor_that_a_star_was_meant(inventory: Inventory, asked: str) -> None:
    inventory.put(small_set())

    assert inventory.delete(asked).status == 200
    assert inventory.stored("in1") is None


def test_an_item_in_circulation_keeps_its_holdings_record_and_instance_under_200(inventory: Inventory) -> None:
    inventory.put(record_set("in1", holdings("ho1", item("it1"), item("it2", "Checked out"))))

    answer = inventory.delete("in1")

    assert answer.status == 200
    assert answer.metrics == {
        "INSTANCE.DELETE.SKIPPED": 1,
        "HOLDINGS_RECORD.DELETE.SKIPPED": 1,
        "ITEM.DELETE.COMPLETED": 1,
        "ITEM.DELETE.SKIPPED": 1,
    }
    assert inventory.outline("in1") == {"ho1": ["it2"]}


def test_a_blocked_holdings_record_keeps_the_instance_but_not_its_items(inventory: Inventory) -> None:
    inventory.put(record_set("in1", holdings("keep1", item("it1")), holdings("ho2", item("it2"))))

    answer = inventory.delete("in1", processing=blocks("holdingsRecord", "keep.*"))

    assert (answer.status, answer.metrics["INSTANCE.DELETE.SKIPPED"]) == (200, 1)
    assert answer.metrics["HOLDINGS_RECORD.DELETE.SKIPPED"] == 1
    assert inventory.outline("in1") == {"keep1": []}


def test_a_blocked_item_keeps_everything_above_it_and_is_marked(inventory: Inventory) -> None:
    inventory.put(small_set())
    coding = [{"if": "deleteSkipped", "becauseOf": "ITEM_PATTERN_MATCH", "setCode": CODE}]

    inventory.delete("in1", processing=blocks("item", "it.*", statisticalCoding=coding))

    stored = inventory.stored("in1")
    assert stored["holdingsRecords"][0]["items"][0]["statisticalCodeIds"] == [CODE]
    assert stored["instance"]["_version"] == 2


def test_an_instance_with_a_purchase_order_line_stays_without_its_holdings_records(inventory: Inventory) -> None:
    inventory.put(small_set())
    inventory.module.load({"tenants": {"diku": {"purchaseOrderLines": ["in1"]}}})

    answer = inventory.delete("in1")

    assert (answer.status, answer.metrics["INSTANCE.DELETE.SKIPPED"]) == (200, 1)
    assert inventory.outline("in1") == {}


def test_relations_of_a_deleted_instance_go_with_it(inventory: Inventory) -> None:
    inventory.put(record_set("in1"))
    parent = {"instanceIdentifier": {"hrid": "in1"}, "instanceRelationshipTypeId": RELATIONSHIP_TYPE_ID}
    inventory.put(record_set("in2", instanceRelations={"parentInstances": [parent]}))

    answer = inventory.delete("in1")

    assert answer.metrics["INSTANCE_RELATIONSHIP.DELETE.COMPLETED"] == 1
    assert inventory.stored("in2")["instanceRelations"] == {}


def test_relations_of_a_protected_instance_are_skipped(inventory: Inventory) -> None:
    inventory.put(record_set("in1"))
    preceding = {"precedingTitles": [{"instanceIdentifier": {"hrid": "in1"}}]}
    inventory.put(record_set("in2", holdings("ho2", item("it2", "Paged")), instanceRelations=preceding))

    answer = inventory.delete("in2")

    assert answer.metrics["INSTANCE_TITLE_SUCCESSION.DELETE.SKIPPED"] == 1
    assert list(inventory.stored("in2")["instanceRelations"]) == ["precedingTitles"]


@pytest.mark.parametrize("release", ["delete", "change"])
def test_a_holdings_source_is_protected_as_long_as_a_holdings_record_refers_to_it(
    inventory: Inventory, release: str
) -> None:
    source = "3f1b2a60-5a4c-4c0e-9d3b-1c2d3e4f5a6b"
    inventory.sources.load({"tenants": {"diku": {source: {"name": "Ours", "source": "local"}}}})
    inventory.put(record_set("in1", holdings("ho1", sourceId=source)))

    def delete_source() -> int:
        return inventory.sources.handle(Call("DELETE", f"/holdings-sources/{source}", tenant="diku")).status

    assert delete_source() == 400
    if release == "delete":
        inventory.delete("in1")
    else:
        inventory.put(record_set("in1", holdings("ho1")))
    assert delete_source() == 204
