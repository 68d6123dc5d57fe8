"""Troubles inside storage: what the module's client sees of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders.inventory import holdings, item, record_set, small_set
from tests.unit.sandbox.inventory_caller import Answer, Inventory


def first_message(report: dict[str, Any]) -> str:
    return str(report["message"]["errors"][0]["message"])


def failed_look_up(answer: Answer) -> tuple[int, str, object]:
    assert answer.body["details"] == {"context": [None]}
    assert answer.body["requestJson"] is None
    return answer.status, first_message(answer.body), answer.body["statusCode"]


@pytest.fixture
def inventory() -> Inventory:
    return Inventory()


def test_a_version_conflict_is_a_409_inside_a_207(inventory: Inventory) -> None:
    first = inventory.put(small_set())
    inventory.fail("in1", "update", 409)

    answer = inventory.put(small_set(processing={"key": 1}))

    report = answer.errors[0]
    assert (answer.status, report["statusCode"], report["entityType"]) == (207, 409, "INSTANCE")
    assert first_message(report) == (
        f"ERROR: Cannot update record {first.body['instance']['id']} because it has been changed (optimistic locking): "
        "Stored _version is 2, _version of request is 1 (23F09)"
    )
    assert report["shortMessage"] == first_message(report)
    assert report["requestJson"]["processing"] == {"key": 1}
    assert answer.metrics == {
        "INSTANCE.UPDATE.FAILED": 1,
        "HOLDINGS_RECORD.UPDATE.SKIPPED": 1,
        "ITEM.UPDATE.COMPLETED": 1,
    }


def test_skipped_does_not_mean_not_stored(inventory: Inventory) -> None:
    inventory.put(small_set())
    inventory.fail("in1", "update", 409)

    answer = inventory.put(record_set("in1", holdings("ho1", item("it1")), holdings("ho2", item("it2"))))

    assert answer.metrics["HOLDINGS_RECORD.CREATE.SKIPPED"] == 1
    assert answer.metrics["ITEM.CREATE.SKIPPED"] == 1
    assert inventory.outline("in1") == {"ho1": ["it1"], "ho2": []}


@pytest.mark.parametrize("status", [413, 500, 503])
@pytest.mark.parametrize(
    ("hrid", "entity", "metrics"),
    [
        (
            "in1",
            "INSTANCE",
            {"INSTANCE.CREATE.FAILED": 1, "HOLDINGS_RECORD.CREATE.SKIPPED": 1, "ITEM.CREATE.SKIPPED": 1},
        ),
        (
            "ho1",
            "HOLDINGS_RECORD",
            {"INSTANCE.CREATE.COMPLETED": 1, "HOLDINGS_RECORD.CREATE.FAILED": 1, "ITEM.CREATE.SKIPPED": 1},
        ),
        (
            "it1",
            "ITEM",
            {"INSTANCE.CREATE.COMPLETED": 1, "HOLDINGS_RECORD.CREATE.COMPLETED": 1, "ITEM.CREATE.FAILED": 1},
        ),
    ],
)
def test_a_failed_write_is_told_with_storages_own_status(
    inventory: Inventory, hrid: str, entity: str, metrics: dict[str, int], status: int
) -> None:
    inventory.fail(hrid, "create", status, message="boom")

    answer = inventory.put(small_set(processing={"k": 1}))

    report = answer.errors[0]
    assert (answer.status, answer.metrics) == (207, metrics)
    assert (report["category"], report["entityType"], report["statusCode"]) == ("STORAGE", entity, status)
    assert (report["shortMessage"], report["requestJson"]["processing"]) == ("boom", {"k": 1})


def test_a_lost_race_of_two_creations_says_that_the_value_exists(inventory: Inventory) -> None:
    inventory.fail("in1", "create", 422)
    inventory.fail("it2", "create", 422)

    instance_lost = inventory.put(small_set("1")).errors[0]
    item_lost = inventory.put(small_set("2")).errors[0]

    words = "lower(f_unaccent(jsonb ->> 'hrid'::text)) value already exists in table instance: in1"
    assert (instance_lost["statusCode"], first_message(instance_lost)) == (422, words)
    assert first_message(item_lost) == "HRID value already exists in table item: it2"
    assert inventory.put(small_set("1")).status == 200


def test_an_item_whose_holdings_record_was_deleted_meanwhile_is_422(inventory: Inventory) -> None:
    inventory.put(small_set())
    inventory.fail("it1", "update", 422)

    report = inventory.put(small_set()).errors[0]

    assert report["shortMessage"] == "Holdings record does not exist: holdingsRecordId"


def test_a_fault_happens_as_often_as_it_says(inventory: Inventory) -> None:
    inventory.fail("in1", "create", 500, times=2)

    assert [inventory.put(small_set()).status for _ in range(3)] == [207, 207, 200]
    assert inventory.module.storage_faults == []


def test_item_writes_that_always_fail_are_told_for_each_set_of_a_batch(inventory: Inventory) -> None:
    inventory.fail("it1", "create", 500, message="boom", times=None)
    inventory.fail("it2", "create", 500, message="boom", times=None)

    answer = inventory.put_batch(small_set("1", processing={"k": 1}), small_set("2", processing={"k": 2}))

    assert answer.status == 207
    assert [error["requestJson"]["processing"]["k"] for error in answer.errors] == [1, 2]
    assert answer.metrics["ITEM.CREATE.FAILED"] == 2


@pytest.mark.parametrize("hrid", ["in1", "ho1", "it1", "*"])
def test_a_failed_look_up_comes_through_at_the_top(inventory: Inventory, hrid: str) -> None:
    inventory.fail(hrid, "lookup", 503, message="gone")

    assert failed_look_up(inventory.put(small_set())) == (503, "503: gone", 503)
    assert inventory.stored("in1") is None


def test_a_dropped_look_up_is_500_with_status_code_0(inventory: Inventory) -> None:
    inventory.fail("in1", "lookup", 0)

    message = "io.vertx.core.http.HttpClosedException: Connection was closed"
    assert failed_look_up(inventory.put(small_set())) == (500, message, 0)


@pytest.mark.parametrize(
    ("status", "reason", "short"),
    [
        (500, "500: boom", "Error processing delete request: 500: bo"),
        (0, "boom", "Error processing delete request: boom"),
    ],
)
def test_a_failed_look_up_of_a_deletion_is_404_with_another_text(
    inventory: Inventory, status: int, reason: str, short: str
) -> None:
    inventory.put(small_set())
    inventory.fail("in1", "lookup", status, message="boom")

    answer = inventory.delete("in1")

    assert answer.status == 404
    assert first_message(answer.body) == f"Error processing delete request: {reason}"
    assert answer.body["shortMessage"] == short
    assert inventory.stored("in1") is not None


def test_a_failed_look_up_of_a_fetch_is_500_in_text(inventory: Inventory) -> None:
    inventory.put(small_set())
    inventory.fail("in1", "lookup", 503, message="gone")

    answer = inventory.fetch("in1")

    assert (answer.status, answer.content_type) == (500, "application/json")
    assert answer.body == "Could not look-up Inventory record set: 503: gone"


def test_a_dropped_write_is_never_answered_and_what_went_before_stays(inventory: Inventory) -> None:
    inventory.fail("ho1", "create", 0)

    answer = inventory.put(small_set())

    assert (answer.status, answer.body, answer.content_type) == (0, "", None)
    assert inventory.outline("in1") == {}


def test_the_module_never_answers_where_it_fails_in_the_middle_of_planning(inventory: Inventory) -> None:
    inventory.put(small_set())
    retain = {"item": {"status": {"policy": "retain"}}}
    malformed = {"item": {"retainOmittedRecord": {"ifField": "hrid", "matchesPattern": "("}}}

    assert inventory.put(record_set("in1", holdings("ho1", item("it1", ...)), processing=retain)).status == 0
    assert inventory.put(record_set("in1", processing=malformed)).status == 0


def test_a_deletion_that_fails_leaves_what_stands_above_pending(inventory: Inventory) -> None:
    inventory.put(record_set("in1", holdings("ho1", item("it1"), item("it2"))))
    inventory.fail("it1", "delete", 500, message="boom")

    answer = inventory.delete("in1")

    outer = answer.errors[0]
    inner = outer["message"]
    assert answer.status == 207
    assert answer.metrics == {
        "INSTANCE.DELETE.PENDING": 1,
        "HOLDINGS_RECORD.DELETE.PENDING": 1,
        "ITEM.DELETE.FAILED": 1,
        "ITEM.DELETE.COMPLETED": 1,
    }
    assert (outer["statusCode"], outer["entity"], outer["requestJson"], outer["entityType"]) == (500, {}, None, "")
    assert outer["shortMessage"] == '{\n  "category" : "STORAGE",\n  "message" '
    assert (inner["shortMessage"], inner["entityType"], inner["entity"]["hrid"]) == ("500: boom", "ITEM", "it1")
    assert inner["requestJson"]["instance"]["hrid"] == "in1"
    assert inventory.outline("in1") == {"ho1": ["it1"]}


def test_an_omitted_item_that_cannot_be_deleted_gives_back_the_stored_set(inventory: Inventory) -> None:
    inventory.put(record_set("in1", holdings("ho1", item("it1"), item("it2"))))
    inventory.fail("it2", "delete", 500, message="boom")

    answer = inventory.put(record_set("in1", holdings("ho1", item("it1"), item("it3")), processing={"k": 1}))

    report = answer.errors[0]
    assert list(report["requestJson"]) == ["instance", "holdingsRecords"]
    assert (report["shortMessage"], report["details"]) == ("500: boom", {})
    assert answer.metrics["ITEM.CREATE.PENDING"] == 1
    assert inventory.outline("in1") == {"ho1": ["it1", "it2"]}


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"operation": "create", "statusCode": 500}, "hrid"),
        ({"hrid": "in1", "operation": "write", "statusCode": 500}, "operation"),
        ({"hrid": "in1", "operation": "create", "statusCode": 200}, "statusCode"),
        ({"hrid": "in1", "operation": "create", "statusCode": True}, "statusCode"),
        ({"hrid": "in1", "operation": "create", "statusCode": 500, "times": 0}, "times"),
        ({"hrid": "in1", "operation": "create", "statusCode": 500, "message": 1}, "message"),
        ({"hrid": "in1", "operation": "create", "statusCode": 500, "often": 1}, "often"),
    ],
)
def test_a_fault_of_another_shape_is_refused_with_the_name_of_the_field(
    inventory: Inventory, fault: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValueError, match=rf"^storageFaults\[0\]\.{field}: expected"):
        inventory.module.load({"storageFaults": [fault]})

    assert inventory.module.storage_faults == []
