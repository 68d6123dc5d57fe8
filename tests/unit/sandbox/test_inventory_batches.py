"""Upserting batches: one write for all, the fall-back to one by one, and what is told of it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.builders.inventory import MISSING_LOCATION_ID, holdings, instance, item, record_set, small_set
from tests.unit.sandbox.inventory_caller import Inventory


def bad_set(suffix: str, **members: Any) -> dict[str, Any]:
    """A set whose holdings record storage refuses."""
    refused = holdings(f"ho{suffix}", item(f"it{suffix}"), permanentLocationId=MISSING_LOCATION_ID)
    return record_set(f"in{suffix}", refused, **members)


@pytest.fixture
def inventory() -> Inventory:
    return Inventory()


def test_a_good_batch_answers_with_its_metrics_alone(inventory: Inventory) -> None:
    answer = inventory.put_batch(small_set("1"), small_set("2"))

    assert (answer.status, list(answer.body)) == (200, ["metrics"])
    assert answer.metrics == {
        "INSTANCE.CREATE.COMPLETED": 2,
        "HOLDINGS_RECORD.CREATE.COMPLETED": 2,
        "ITEM.CREATE.COMPLETED": 2,
    }


def test_a_batch_of_none_stores_nothing_and_is_200(inventory: Inventory) -> None:
    answer = inventory.put_batch()

    assert (answer.status, list(answer.body), answer.metrics) == (200, ["metrics"], {})


def test_a_batch_of_one_answers_like_the_single_api(inventory: Inventory) -> None:
    answer = inventory.put_batch(small_set("1", processing={"key": 9}))

    assert answer.status == 200
    assert list(answer.body) == ["instance", "holdingsRecords", "instanceRelations", "processing", "metrics"]
    assert answer.body["processing"] == {"key": 9}


def test_a_bad_set_alone_is_422_and_in_company_207(inventory: Inventory) -> None:
    nameless = record_set("in2", holdings(hrid=...))

    alone = inventory.put_batch(nameless)
    together = inventory.put_batch(small_set("1"), nameless)

    assert (alone.status, alone.body["statusCode"]) == (422, 422)
    assert together.status == 207
    assert [error["shortMessage"] for error in together.errors] == ["Missing HRID in holdings record"]
    assert together.metrics["INSTANCE.CREATE.SKIPPED"] == 1
    assert inventory.outline("in1") == {"ho1": ["it1"]}
    assert inventory.stored("in2") is None


def test_after_a_fall_back_creations_of_the_first_attempt_count_as_updates(inventory: Inventory) -> None:
    answer = inventory.put_batch(small_set("1"), bad_set("2", processing={"key": "bad"}))

    assert answer.status == 207
    assert answer.metrics == {
        "INSTANCE.UPDATE.COMPLETED": 2,
        "HOLDINGS_RECORD.CREATE.COMPLETED": 1,
        "HOLDINGS_RECORD.CREATE.FAILED": 1,
        "ITEM.CREATE.COMPLETED": 1,
        "ITEM.CREATE.SKIPPED": 1,
    }
    assert [error["requestJson"]["processing"] for error in answer.errors] == [{"key": "bad"}]
    assert inventory.outline("in1") == {"ho1": ["it1"]}


def test_a_fall_back_without_errors_lists_none(inventory: Inventory) -> None:
    inventory.fail("it1", "create", 500)

    answer = inventory.put_batch(small_set("1"), small_set("2"))

    assert (answer.status, answer.body["errors"]) == (200, [])
    assert answer.metrics == {
        "INSTANCE.UPDATE.COMPLETED": 2,
        "HOLDINGS_RECORD.UPDATE.COMPLETED": 2,
        "ITEM.CREATE.COMPLETED": 2,
    }


def test_the_sums_of_a_fall_back_show_both_kinds_of_relation(inventory: Inventory) -> None:
    answer = inventory.put_batch(small_set("1"), small_set("1"))

    assert set(answer.body["metrics"]) >= {"INSTANCE_RELATIONSHIP", "INSTANCE_TITLE_SUCCESSION"}


def test_of_an_instance_that_occurs_twice_the_last_set_wins(inventory: Inventory) -> None:
    answer = inventory.put_batch(
        small_set("1", instance=instance("in1", title="first")),
        small_set("1", instance=instance("in1", title="second")),
    )

    assert (answer.status, answer.body["errors"]) == (200, [])
    assert answer.metrics["INSTANCE.UPDATE.COMPLETED"] == 1
    assert inventory.stored("in1")["instance"]["title"] == "second"


def test_a_holdings_record_in_two_sets_ends_up_with_the_last_and_the_items_of_both(inventory: Inventory) -> None:
    answer = inventory.put_batch(
        record_set("in1", holdings("ho1", item("it1"))), record_set("in2", holdings("ho1", item("it2")))
    )

    assert answer.status == 200
    assert inventory.outline("in1") == {}
    assert inventory.outline("in2") == {"ho1": ["it1", "it2"]}


def test_an_item_in_two_sets_ends_up_with_the_last(inventory: Inventory) -> None:
    inventory.put_batch(record_set("in1", holdings("ho1", item("it"))), record_set("in2", holdings("ho2", item("it"))))

    assert inventory.outline("in1") == {"ho1": []}
    assert inventory.outline("in2") == {"ho2": ["it"]}


def test_one_set_without_an_instance_is_400_for_the_whole_batch(inventory: Inventory) -> None:
    answer = inventory.put_batch(small_set("1"), {"holdingsRecords": []})

    assert (answer.status, answer.content_type) == (400, "text/plain")
    assert answer.body == (
        "Bad Request: The value of the request body is invalid. Reason: Instance does not have required property "
        '"instance" at #/inventoryRecordSets/1'
    )
    assert inventory.stored("in1") is None


def test_a_true_batch_counts_and_reports_deletions_for_its_first_set_alone(inventory: Inventory) -> None:
    for suffix in "123":
        inventory.put(record_set(f"in{suffix}", holdings(f"ho{suffix}", item(f"it{suffix}"), item(f"go{suffix}"))))

    answer = inventory.put_batch(*(small_set(suffix) for suffix in "123"))

    assert answer.metrics["ITEM.DELETE.COMPLETED"] == 1
    assert [inventory.outline(f"in{suffix}") for suffix in "123"] == [{f"ho{s}": [f"it{s}"]} for s in "123"]


def test_deletions_of_a_later_set_alone_are_not_counted_at_all(inventory: Inventory) -> None:
    inventory.put(small_set("1"))
    inventory.put(record_set("in2", holdings("ho2", item("it2"), item("go2"))))

    answer = inventory.put_batch(small_set("1"), small_set("2"))

    assert "ITEM.DELETE.COMPLETED" not in answer.metrics
    assert inventory.outline("in2") == {"ho2": ["it2"]}


def test_a_true_batch_whose_deletions_all_fail_tells_of_one(inventory: Inventory) -> None:
    for suffix in "123":
        inventory.put(record_set(f"in{suffix}", holdings(f"ho{suffix}", item(f"it{suffix}"), item(f"go{suffix}"))))
    inventory.fail("*", "delete", 500, message="boom", times=None)

    answer = inventory.put_batch(*(small_set(suffix) for suffix in "123"))

    assert answer.status == 207
    assert [error["entity"]["hrid"] for error in answer.errors] == ["go1"]
    assert answer.metrics["ITEM.DELETE.FAILED"] == 1
    assert inventory.outline("in3") == {"ho3": ["it3", "go3"]}


def test_skipped_deletions_of_later_sets_are_not_counted(inventory: Inventory) -> None:
    for suffix in "123":
        circulating = item(f"out{suffix}", "Checked out")
        inventory.put(record_set(f"in{suffix}", holdings(f"ho{suffix}", item(f"it{suffix}"), circulating)))

    answer = inventory.put_batch(*(small_set(suffix) for suffix in "123"))

    assert answer.metrics["ITEM.DELETE.SKIPPED"] == 1


def test_a_failed_look_up_fails_the_batch_and_nothing_is_stored(inventory: Inventory) -> None:
    inventory.fail("in2", "lookup", 503, message="Error: connect ECONNREFUSED")

    answer = inventory.put_batch(small_set("1"), small_set("2"))

    assert answer.status == 503
    assert answer.body["shortMessage"] == "Fetching from storage before update failed."
    assert inventory.stored("in1") is None


def test_a_failed_look_up_in_a_fall_back_is_an_error_among_the_others(inventory: Inventory) -> None:
    inventory.fail("in1", "lookup", 500)

    answer = inventory.put_batch(small_set("1"), small_set("1"))

    assert answer.status == 207
    assert [(error["statusCode"], error["requestJson"]) for error in answer.errors] == [(500, None)]
    assert answer.metrics["INSTANCE.CREATE.COMPLETED"] == 1


def test_a_relation_can_point_at_an_instance_that_the_same_batch_creates(inventory: Inventory) -> None:
    succession = {"precedingTitles": [{"instanceIdentifier": {"hrid": "in2"}}]}

    answer = inventory.put_batch(small_set("1", instanceRelations=succession), small_set("2"))

    assert answer.metrics["INSTANCE_TITLE_SUCCESSION.CREATE.COMPLETED"] == 1
    assert answer.metrics["INSTANCE.CREATE.COMPLETED"] == 2


def test_an_error_gives_back_the_set_as_it_was_sent_not_as_it_was_planned(inventory: Inventory) -> None:
    sent = bad_set("2", processing={"a": [1, {"b": None}]}, ownKey="kept")

    answer = inventory.put_batch(small_set("1"), sent)

    assert orjson.dumps(answer.errors[0]["requestJson"]) == orjson.dumps(sent)
