"""Upserting one record set: what is created, replaced, kept, moved and deleted."""

from __future__ import annotations

import re
from typing import Any

import pytest

from service.sandbox.inventory.instructions import CIRCULATING
from tests.builders.inventory import OTHER_LOCATION_ID, holdings, instance, item, record_set, small_set
from tests.unit.sandbox.inventory_caller import Inventory

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CODE = "b5968c9e-cddc-4576-99e3-8e60aed8b0dd"


def keeps_existing(entity: str, **retention: Any) -> dict[str, Any]:
    return {entity: {"retainExistingValues": retention}}


@pytest.fixture
def inventory() -> Inventory:
    return Inventory()


def test_a_first_put_creates_everything_and_answers_with_the_ids_it_minted(inventory: Inventory) -> None:
    answer = inventory.put(record_set("in1", holdings("ho1", item("it1"), item("it2"))))

    assert answer.status == 200
    assert answer.metrics == {
        "INSTANCE.CREATE.COMPLETED": 1,
        "HOLDINGS_RECORD.CREATE.COMPLETED": 1,
        "ITEM.CREATE.COMPLETED": 2,
    }
    stored_holdings = answer.body["holdingsRecords"][0]
    assert UUID.fullmatch(answer.body["instance"]["id"])
    assert stored_holdings["instanceId"] == answer.body["instance"]["id"]
    assert [i["holdingsRecordId"] for i in stored_holdings["items"]] == [stored_holdings["id"]] * 2
    assert list(answer.body) == ["instance", "holdingsRecords", "instanceRelations", "processing", "metrics"]


def test_every_count_is_there_even_when_it_is_zero(inventory: Inventory) -> None:
    metrics = inventory.put(small_set()).body["metrics"]

    assert set(metrics) == {"INSTANCE", "HOLDINGS_RECORD", "ITEM"}
    assert metrics["ITEM"]["DELETE"] == {"COMPLETED": 0, "FAILED": 0, "SKIPPED": 0, "PENDING": 0}


def test_what_is_stored_is_what_was_sent(inventory: Inventory) -> None:
    sent = record_set("in1", holdings("ho1", item("it1", barcode="b1", copyNumber="2"), callNumber="QA 1"))

    inventory.put(sent)

    stored = inventory.stored("in1")
    assert stored["instance"].items() >= sent["instance"].items()
    assert stored["holdingsRecords"][0]["items"][0].items() >= sent["holdingsRecords"][0]["items"][0].items()
    assert stored["holdingsRecords"][0]["callNumber"] == "QA 1"


def test_an_update_keeps_the_ids_and_answers_with_the_old_version(inventory: Inventory) -> None:
    first = inventory.put(small_set())

    second = inventory.put(small_set())

    assert second.body["instance"] == {**first.body["instance"], "_version": 1}
    assert second.metrics == {
        "INSTANCE.UPDATE.COMPLETED": 1,
        "HOLDINGS_RECORD.UPDATE.COMPLETED": 1,
        "ITEM.UPDATE.COMPLETED": 1,
    }
    assert inventory.stored("in1")["instance"]["_version"] == 2


def test_an_id_that_is_sent_with_a_new_record_is_kept(inventory: Inventory) -> None:
    wanted = "3f1b2a60-5a4c-4c0e-9d3b-1c2d3e4f5a6b"

    inventory.put(record_set("in1", holdings("ho1", item("it1")), instance=instance("in1", id=wanted)))

    assert inventory.stored("in1")["instance"]["id"] == wanted


def test_a_stale_version_in_the_request_is_ignored(inventory: Inventory) -> None:
    inventory.put(small_set())
    inventory.put(small_set())

    assert inventory.put(small_set(instance=instance("in1", _version=1, title="later"))).status == 200
    assert inventory.stored("in1")["instance"]["title"] == "later"


def test_a_set_without_holdings_records_leaves_them_untouched(inventory: Inventory) -> None:
    inventory.put(small_set())

    answer = inventory.put(record_set("in1", holdingsRecords=...))

    assert answer.metrics == {"INSTANCE.UPDATE.COMPLETED": 1}
    assert inventory.outline("in1") == {"ho1": ["it1"]}


def test_an_empty_list_of_holdings_records_deletes_them_all(inventory: Inventory) -> None:
    inventory.put(small_set())

    answer = inventory.put(record_set("in1"))

    assert answer.metrics == {
        "INSTANCE.UPDATE.COMPLETED": 1,
        "HOLDINGS_RECORD.DELETE.COMPLETED": 1,
        "ITEM.DELETE.COMPLETED": 1,
    }
    assert inventory.outline("in1") == {}


@pytest.mark.parametrize("items", [{"items": ...}, {"items": []}])
def test_a_holdings_record_without_items_loses_its_items(inventory: Inventory, items: dict[str, Any]) -> None:
    inventory.put(small_set())

    inventory.put(record_set("in1", holdings("ho1", **items)))

    assert inventory.outline("in1") == {"ho1": []}


def test_a_holdings_record_that_is_not_listed_goes_with_its_items(inventory: Inventory) -> None:
    inventory.put(record_set("in1", holdings("ho1", item("it1")), holdings("ho2", item("it2"))))

    inventory.put(record_set("in1", holdings("ho2", item("it2"))))

    assert inventory.outline("in1") == {"ho2": ["it2"]}


def test_an_item_listed_under_another_holdings_record_moves_and_keeps_its_id(inventory: Inventory) -> None:
    inventory.put(record_set("in1", holdings("ho1", item("it1")), holdings("ho2")))
    item_id = inventory.stored("in1")["holdingsRecords"][0]["items"][0]["id"]

    answer = inventory.put(record_set("in1", holdings("ho1"), holdings("ho2", item("it1"))))

    assert answer.metrics["ITEM.UPDATE.COMPLETED"] == 1
    assert inventory.outline("in1") == {"ho1": [], "ho2": ["it1"]}
    assert inventory.stored("in1")["holdingsRecords"][1]["items"][0]["id"] == item_id


def test_a_holdings_record_of_another_instance_moves_here_with_its_unlisted_items(inventory: Inventory) -> None:
    inventory.put(record_set("in1", holdings("ho1", item("it1"), item("it2"))))

    answer = inventory.put(record_set("in2", holdings("ho1", item("it1"))))

    assert answer.metrics == {
        "INSTANCE.CREATE.COMPLETED": 1,
        "HOLDINGS_RECORD.UPDATE.COMPLETED": 1,
        "ITEM.UPDATE.COMPLETED": 1,
    }
    assert inventory.outline("in1") == {}
    assert inventory.outline("in2") == {"ho1": ["it1", "it2"]}


def test_an_update_removes_properties_that_are_left_out(inventory: Inventory) -> None:
    inventory.put(small_set(instance=instance("in1", editions=["1st"])))

    inventory.put(small_set())

    assert "editions" not in inventory.stored("in1")["instance"]
    assert inventory.fetch("in1").body["instance"]["editions"] == []


@pytest.mark.parametrize("flag", [True, "true", "TRUE"])
def test_omitted_properties_are_kept_on_request(inventory: Inventory, flag: object) -> None:
    inventory.put(small_set(instance=instance("in1", editions=["1st"])))

    inventory.put(small_set(processing=keeps_existing("instance", forOmittedProperties=flag)))

    assert inventory.stored("in1")["instance"]["editions"] == ["1st"]


def test_named_properties_keep_their_stored_value_though_another_is_sent(inventory: Inventory) -> None:
    inventory.put(record_set("in1", holdings("ho1", callNumber="old", copyNumber="1")))

    inventory.put(
        record_set(
            "in1",
            holdings("ho1", callNumber="new", copyNumber="2"),
            processing=keeps_existing("holdingsRecord", forTheseProperties=["callNumber", "noSuchProperty"]),
        )
    )

    stored = inventory.stored("in1")["holdingsRecords"][0]
    assert (stored["callNumber"], stored["copyNumber"]) == ("old", "2")


def test_both_retentions_together_keep_the_named_properties_and_the_omitted_ones(inventory: Inventory) -> None:
    inventory.put(record_set("in1", holdings("ho1", item("it1", copyNumber="1", volume="v1"))))

    inventory.put(
        record_set(
            "in1",
            holdings("ho1", item("it1", copyNumber="2")),
            processing=keeps_existing("item", forOmittedProperties=True, forTheseProperties=["copyNumber"]),
        )
    )

    stored = inventory.stored("in1")["holdingsRecords"][0]["items"][0]
    assert (stored["copyNumber"], stored["volume"]) == ("1", "v1")


def test_an_omitted_record_whose_field_matches_in_full_is_retained(inventory: Inventory) -> None:
    inventory.put(record_set("in1", holdings("ho1", item("abc1"), item("1abc"))))
    retain = {"item": {"retainOmittedRecord": {"ifField": "hrid", "matchesPattern": r"\D+.*"}}}

    answer = inventory.put(record_set("in1", holdings("ho1"), processing=retain))

    assert (answer.metrics["ITEM.DELETE.SKIPPED"], answer.metrics["ITEM.DELETE.COMPLETED"]) == (1, 1)
    assert inventory.outline("in1") == {"ho1": ["abc1"]}


def test_a_pattern_that_matches_only_a_part_protects_nothing(inventory: Inventory) -> None:
    inventory.put(record_set("in1", holdings("ho1"), holdings("ho2")))
    retain = {"holdingsRecord": {"retainOmittedRecord": {"ifField": "hrid", "matchesPattern": "ho"}}}

    inventory.put(record_set("in1", holdings("ho2"), processing=retain))

    assert inventory.outline("in1") == {"ho2": []}


def test_a_retained_item_keeps_its_holdings_record(inventory: Inventory) -> None:
    inventory.put(small_set())
    retain = {"item": {"retainOmittedRecord": {"ifField": "hrid", "matchesPattern": "it.*"}}}

    answer = inventory.put(record_set("in1", processing=retain))

    assert answer.metrics["HOLDINGS_RECORD.DELETE.SKIPPED"] == 1
    assert inventory.outline("in1") == {"ho1": ["it1"]}


@pytest.mark.parametrize("status", sorted(CIRCULATING))
def test_an_item_in_circulation_is_never_deleted_by_omission(inventory: Inventory, status: str) -> None:
    inventory.put(record_set("in1", holdings("ho1", item("it1", status), item("it2"))))

    answer = inventory.put(record_set("in1"))

    assert answer.status == 200
    assert answer.metrics == {
        "INSTANCE.UPDATE.COMPLETED": 1,
        "HOLDINGS_RECORD.DELETE.SKIPPED": 1,
        "ITEM.DELETE.SKIPPED": 1,
        "ITEM.DELETE.COMPLETED": 1,
    }
    assert inventory.outline("in1") == {"ho1": ["it1"]}


def test_a_protected_record_is_marked_with_the_code_that_was_asked_for(inventory: Inventory) -> None:
    inventory.put(record_set("in1", holdings("ho1", item("it1", "Checked out"))))
    coding = [{"if": "deleteSkipped", "becauseOf": "ITEM_STATUS", "setCode": CODE}]

    inventory.put(record_set("in1", processing={"item": {"statisticalCoding": coding}}))

    stored = inventory.stored("in1")["holdingsRecords"][0]
    assert stored["items"][0]["statisticalCodeIds"] == [CODE]
    assert stored["items"][0]["_version"] == 2
    assert "statisticalCodeIds" not in stored


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (None, "Available"),
        ({"policy": "retain"}, "Checked out"),
        ({"policy": "retain", "ifStatusWas": [{"name": "Missing"}]}, "Available"),
        ({"policy": "overwrite", "ifStatusWas": [{"name": "On order"}, {"name": "Available"}]}, "Checked out"),
        ({"policy": "overwrite", "ifStatusWas": [{"name": "Checked out"}]}, "Available"),
        ({"policy": "overwrite"}, "Available"),
    ],
)
def test_the_status_policy_decides_whose_status_counts(
    inventory: Inventory, policy: dict[str, Any] | None, expected: str
) -> None:
    inventory.put(record_set("in1", holdings("ho1", item("it1", "Checked out"))))

    inventory.put(small_set(processing={"item": {} if policy is None else {"status": policy}}))

    assert inventory.stored("in1")["holdingsRecords"][0]["items"][0]["status"] == {"name": expected}


def test_an_empty_hrid_slips_through_and_storage_mints_one(inventory: Inventory) -> None:
    answer = inventory.put(record_set("in1", holdings("", item("it1"))))

    assert answer.status == 200
    assert inventory.outline("in1") == {"ho00000000001": ["it1"]}


def test_a_fetched_set_can_be_sent_back(inventory: Inventory) -> None:
    inventory.put(record_set("in1", holdings("ho1", item("it1"), temporaryLocationId=OTHER_LOCATION_ID)))
    before = inventory.stored("in1")
    fetched = inventory.fetch("in1").body

    assert inventory.put(fetched).status == 200

    after = inventory.stored("in1")
    assert after["holdingsRecords"][0]["items"][0]["id"] == before["holdingsRecords"][0]["items"][0]["id"]
    assert after["holdingsRecords"][0]["temporaryLocationId"] == OTHER_LOCATION_ID
