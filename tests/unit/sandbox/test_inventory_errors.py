"""What storage refuses, how far an upsert gets then, and what its error reports carry to tell the sets apart."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders.inventory import (
    LOCATION_ID,
    MISSING_LOCATION_ID,
    OTHER_LOCATION_ID,
    holdings,
    instance,
    item,
    record_set,
    small_set,
)
from tests.unit.sandbox.inventory_caller import Answer, Inventory

UNIQUE_HRID = "lower(f_unaccent(jsonb ->> 'hrid'::text))"


def one_error(answer: Answer) -> dict[str, Any]:
    assert answer.status == 207
    assert len(answer.errors) == 1
    return dict(answer.errors[0])


def first_message(report: dict[str, Any]) -> str:
    return str(report["message"]["errors"][0]["message"])


@pytest.fixture
def inventory() -> Inventory:
    return Inventory()


def test_an_unknown_location_is_told_with_everything_that_helps_to_find_it(inventory: Inventory) -> None:
    sent = record_set(
        "in1", holdings("ho1", item("it1"), permanentLocationId=MISSING_LOCATION_ID), processing={"key": "d"}
    )

    report = one_error(inventory.put(sent))

    text = (
        f"Cannot set holdings_record.permanentlocationid = {MISSING_LOCATION_ID} "
        "because it does not exist in location.id."
    )
    key = "holdings_record.permanentlocationid"
    parameters = [{"key": key, "value": MISSING_LOCATION_ID}]
    assert list(report) == [
        "category",
        "message",
        "shortMessage",
        "entityType",
        "entity",
        "statusCode",
        "requestJson",
        "details",
    ]
    assert report["category"] == "STORAGE"
    assert report["message"] == {"errors": [{"message": text, "type": "1", "code": "-1", "parameters": parameters}]}
    assert report["shortMessage"] == f"{text}: {key}"
    assert (report["entityType"], report["entity"]["hrid"], report["statusCode"]) == ("HOLDINGS_RECORD", "ho1", 422)
    assert "items" not in report["entity"]
    assert (report["requestJson"], report["details"]) == (sent, {})


def test_a_bad_holdings_record_leaves_the_instance_stored_and_its_items_skipped(inventory: Inventory) -> None:
    answer = inventory.put(record_set("in1", holdings("ho1", item("it1"), permanentLocationId=MISSING_LOCATION_ID)))

    assert answer.metrics == {
        "INSTANCE.CREATE.COMPLETED": 1,
        "HOLDINGS_RECORD.CREATE.FAILED": 1,
        "ITEM.CREATE.SKIPPED": 1,
    }
    assert inventory.outline("in1") == {}


def test_a_bad_holdings_record_on_update_has_its_items_written_all_the_same(inventory: Inventory) -> None:
    inventory.put(small_set())

    answer = inventory.put(
        record_set("in1", holdings("ho1", item("it1", "Missing"), permanentLocationId=MISSING_LOCATION_ID))
    )

    assert answer.metrics == {
        "INSTANCE.UPDATE.COMPLETED": 1,
        "HOLDINGS_RECORD.UPDATE.FAILED": 1,
        "ITEM.UPDATE.COMPLETED": 1,
    }
    stored = inventory.stored("in1")["holdingsRecords"][0]
    assert stored["permanentLocationId"] == LOCATION_ID
    assert stored["items"][0]["status"] == {"name": "Missing"}


def test_one_bad_holdings_record_fails_all_of_the_set_and_the_first_is_named(inventory: Inventory) -> None:
    answer = inventory.put(
        record_set("in1", holdings("good"), holdings("bad", permanentLocationId=MISSING_LOCATION_ID))
    )

    report = one_error(answer)
    assert (report["category"], report["entity"]["hrid"]) == ("BATCH_STORAGE", "good")
    assert answer.metrics["HOLDINGS_RECORD.CREATE.FAILED"] == 2
    assert inventory.outline("in1") == {}


@pytest.mark.parametrize(
    ("sent", "status", "message", "key"),
    [
        (small_set(instance=instance(title=...)), 422, "must not be null", "instances[0].title"),
        (small_set(instance=instance(instanceTypeId="x")), 422, "must match", "instances[0].instanceTypeId"),
        (small_set(instance=instance(nonsense=1)), 422, 'Unrecognized field "nonsense"', ""),
        (small_set(instance=instance(editions="1st")), 400, "Cannot deserialize value", None),
        (
            small_set(instance=instance(contributors=[{"name": "x"}])),
            422,
            "must not be null",
            "instances[0].contributors[0].contributorNameTypeId",
        ),
        (record_set("in1", holdings(sourceId=...)), 422, "must not be null", "holdingsRecords[0].sourceId"),
        (
            record_set("in1", holdings(permanentLocationId=...)),
            422,
            "must not be null",
            "holdingsRecords[0].permanentLocationId",
        ),
        (
            record_set("in1", holdings(permanentLocationId="not-a-uuid")),
            422,
            "must match",
            "holdingsRecords[0].permanentLocationId",
        ),
        (record_set("in1", holdings(nonsense=1)), 422, 'Unrecognized field "nonsense"', ""),
        (
            record_set("in1", holdings(sourceId=MISSING_LOCATION_ID)),
            422,
            f"Cannot set holdings_record.sourceid = {MISSING_LOCATION_ID} because it does not exist in "
            "holdings_records_source.id.",
            "holdings_record.sourceid",
        ),
        (
            record_set("in1", holdings("ho1", item("it1", "Foo"))),
            400,
            "Cannot construct instance of `org.folio.rest.jaxrs.model.Status$Name`, problem: Foo\n",
            None,
        ),
        (record_set("in1", holdings("ho1", item(status=...))), 422, "must not be null", "items[0].status"),
        (
            record_set("in1", holdings("ho1", item(materialTypeId=MISSING_LOCATION_ID))),
            422,
            f"Cannot set item.materialtypeid = {MISSING_LOCATION_ID} because it does not exist in material_type.id.",
            "item.materialtypeid",
        ),
        (
            record_set("in1", holdings("ho1", item(id="x"))),
            400,
            'invalid input syntax for type uuid: "x"',
            None,
        ),
        (
            record_set("in1", holdings("ho1", item(permanentLoanTypeId="x"))),
            400,
            'invalid input syntax for type uuid: "x"',
            None,
        ),
    ],
)
def test_storage_refuses_what_does_not_keep_to_its_schema(
    inventory: Inventory, sent: dict[str, Any], status: int, message: str, key: str | None
) -> None:
    report = one_error(inventory.put(sent))

    entry = report["message"]["errors"][0]
    assert report["statusCode"] == status
    assert entry["message"].startswith(message)
    assert (entry["parameters"][0]["key"] if "parameters" in entry else None) == key


def test_locations_are_those_that_were_seeded_once_any_were(inventory: Inventory) -> None:
    inventory.module.load({"tenants": {"diku": {"locations": [LOCATION_ID]}}})

    assert inventory.put(small_set()).status == 200
    refused = inventory.put(record_set("in2", holdings("ho2", permanentLocationId=OTHER_LOCATION_ID)))
    assert first_message(one_error(refused)).endswith("because it does not exist in location.id.")


def test_hrids_that_differ_only_in_case_collide_for_ever(inventory: Inventory) -> None:
    inventory.put(small_set("case"))

    for _ in range(2):
        report = one_error(inventory.put(record_set("INCASE")))
        assert first_message(report) == f"{UNIQUE_HRID} value already exists in table instance: incase"
        assert (report["entityType"], report["statusCode"]) == ("INSTANCE", 422)


@pytest.mark.parametrize("hrid", ['in"1', "in\\1"])
def test_hrids_that_break_the_modules_query_can_be_stored_once(inventory: Inventory, hrid: str) -> None:
    first = inventory.put(record_set(hrid))
    second = inventory.put(record_set(hrid))

    assert first.status == 200
    assert "value already exists in table instance" in first_message(one_error(second))
    assert inventory.delete(hrid).status == 404


def test_an_items_barcode_is_unique(inventory: Inventory) -> None:
    inventory.put(record_set("in1", holdings("ho1", item("it1", barcode="b1"))))

    report = one_error(inventory.put(record_set("in2", holdings("ho2", item("it2", barcode="B1")))))

    assert "value already exists in table item: b1" in first_message(report)


def test_a_barcode_is_free_again_once_its_item_has_another(inventory: Inventory) -> None:
    inventory.put(record_set("in1", holdings("ho1", item("it1", barcode="b1"))))
    inventory.put(record_set("in1", holdings("ho1", item("it1", barcode="b2"))))

    assert inventory.put(record_set("in2", holdings("ho2", item("it2", barcode="b1")))).status == 200


def test_a_parent_key_that_was_sent_counts_where_the_parent_brought_its_own_id(inventory: Inventory) -> None:
    own_id, stray_id = "3f1b2a60-5a4c-4c0e-9d3b-1c2d3e4f5a6b", "11111111-1111-4111-8111-111111111111"
    stray = item("it1", holdingsRecordId=stray_id)

    replaced = inventory.put(record_set("in1", holdings("ho1", stray)))
    kept = inventory.put(record_set("in2", holdings("ho2", {**stray, "hrid": "it2"}, id=own_id)))

    assert replaced.status == 200
    assert one_error(kept)["shortMessage"] == "Holdings record does not exist: holdingsRecordId"


def test_a_known_id_under_a_new_hrid_is_a_version_conflict(inventory: Inventory) -> None:
    stored_id = inventory.put(small_set()).body["instance"]["id"]

    report = one_error(inventory.put(record_set("in2", instance=instance("in2", id=stored_id))))

    assert report["statusCode"] == 409
    assert "(optimistic locking): Stored _version is 1, _version of request is <NULL>" in first_message(report)


@pytest.mark.parametrize(
    ("sent", "message", "short_message", "entity_type", "gives_back"),
    [
        (small_set(instance=instance("")), "HRID is missing or empty.", "", "INSTANCE", True),
        (small_set(instance=instance(hrid=...)), "HRID is missing or empty.", "", "INSTANCE", True),
        (
            record_set("in1", holdings(hrid=...)),
            "Holdings must have a HRID to be processed by this API.",
            "Missing HRID in holdings record",
            "HOLDINGS_RECORD",
            True,
        ),
        (
            record_set("in1", holdings("ho1", item(hrid=...))),
            "Items must have a HRID to be processed by this API",
            "Missing HRID in Item",
            "",
            True,
        ),
        (
            record_set("in1", holdings("ho1"), holdings("ho1")),
            "Holdings record HRID ho1 appears more that once in batch.",
            "Recurring HRID detected in batch",
            "HOLDINGS_RECORD",
            False,
        ),
        (
            record_set("in1", holdings("ho1", item("it1")), holdings("ho2", item("it1"))),
            "Item HRID it1 appears more than once in batch.",
            "Recurring HRID detected in batch",
            "ITEM",
            False,
        ),
    ],
)
def test_missing_and_repeated_hrids_are_422_before_anything_is_stored(
    inventory: Inventory, sent: dict[str, Any], message: str, short_message: str, entity_type: str, gives_back: bool
) -> None:
    answer = inventory.put({**sent, "processing": {"key": 1}})

    assert answer.status == 422
    assert answer.body["category"] == "VALIDATION"
    assert answer.body["message"] == {"errors": [{"message": message}]}
    assert (answer.body["shortMessage"], answer.body["entityType"]) == (short_message, entity_type)
    returned = answer.body["requestJson"]
    assert (returned["processing"] == {"key": 1}) if gives_back else (returned is None)
    assert inventory.stored("in1") is None
