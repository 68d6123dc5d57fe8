"""Relations between instances, and provisional instances made up for them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders.inventory import INSTANCE_TYPE_ID, RELATIONSHIP_TYPE_ID, record_set
from tests.unit.sandbox.inventory_caller import Inventory

PROVISIONAL = {"title": "Made up", "source": "TEST", "instanceTypeId": INSTANCE_TYPE_ID}


def parents(*hrids: str, **members: Any) -> dict[str, Any]:
    entries = [
        {"instanceIdentifier": {"hrid": hrid}, "instanceRelationshipTypeId": RELATIONSHIP_TYPE_ID, **members}
        for hrid in hrids
    ]
    return {"parentInstances": entries}


@pytest.fixture
def inventory() -> Inventory:
    inventory = Inventory()
    for hrid in ("old1", "old2"):
        inventory.put(record_set(hrid))
    return inventory


def test_a_relation_answers_with_the_ids_of_both_instances(inventory: Inventory) -> None:
    answer = inventory.put(record_set("in1", instanceRelations=parents("old1")))

    assert answer.metrics["INSTANCE_RELATIONSHIP.CREATE.COMPLETED"] == 1
    assert answer.body["instanceRelations"] == {
        "parentInstances": [
            {
                "subInstanceId": answer.body["instance"]["id"],
                "superInstanceId": inventory.stored("old1")["instance"]["id"],
                "instanceRelationshipTypeId": RELATIONSHIP_TYPE_ID,
            }
        ]
    }
    assert list(inventory.stored("old1")["instanceRelations"]) == ["childInstances"]


def test_the_other_instance_can_be_named_by_its_id(inventory: Inventory) -> None:
    other = inventory.stored("old1")["instance"]["id"]

    inventory.put(record_set("in1", instanceRelations={"succeedingTitles": [{"instanceIdentifier": {"uuid": other}}]}))

    assert inventory.fetch("old1").body["instanceRelations"] == {
        "parentInstances": [],
        "childInstances": [],
        "precedingTitles": [{"instanceIdentifier": {"hrid": "in1"}, "instanceRelationshipTypeId": None}],
        "succeedingTitles": [],
    }


def test_a_listed_kind_is_replaced_and_an_absent_one_untouched(inventory: Inventory) -> None:
    preceding = {"precedingTitles": [{"instanceIdentifier": {"hrid": "old2"}}]}
    inventory.put(record_set("in1", instanceRelations={**parents("old1"), **preceding}))

    answer = inventory.put(record_set("in1", instanceRelations=parents("old2")))

    assert answer.metrics["INSTANCE_RELATIONSHIP.CREATE.COMPLETED"] == 1
    assert answer.metrics["INSTANCE_RELATIONSHIP.DELETE.COMPLETED"] == 1
    relations = inventory.stored("in1")["instanceRelations"]
    assert [entry["instanceIdentifier"] for entry in relations["parentInstances"]] == [{"hrid": "old2"}]
    assert "precedingTitles" in relations


def test_an_empty_list_deletes_the_relations_of_its_kind(inventory: Inventory) -> None:
    inventory.put(record_set("in1", instanceRelations=parents("old1")))

    inventory.put(record_set("in1", instanceRelations={"parentInstances": []}))

    assert inventory.stored("in1")["instanceRelations"] == {}


def test_a_relation_that_is_there_already_is_not_written_again(inventory: Inventory) -> None:
    inventory.put(record_set("in1", instanceRelations=parents("old1")))

    answer = inventory.put(record_set("in1", instanceRelations=parents("old1")))

    assert (answer.status, answer.metrics) == (200, {"INSTANCE.UPDATE.COMPLETED": 1})


def test_the_type_is_read_as_the_code_spells_it_not_as_the_contract_does(inventory: Inventory) -> None:
    entry = {"instanceIdentifier": {"hrid": "old1"}, "instanceRelationShipTypeId": RELATIONSHIP_TYPE_ID}

    answer = inventory.put(record_set("in1", instanceRelations={"parentInstances": [entry]}))

    report = answer.errors[0]
    assert answer.status == 207
    assert report["shortMessage"] == "UpdatePlan using repository: There was an error creating instance relations"
    assert report["message"]["errors"][0]["parameters"] == [{"key": "instanceRelationshipTypeId", "value": "null"}]
    assert (report["entityType"], report["requestJson"]) == ("INSTANCE_RELATIONSHIP", None)
    assert answer.body["instanceRelations"] == {}
    assert answer.metrics == {"INSTANCE.CREATE.COMPLETED": 1, "INSTANCE_RELATIONSHIP.CREATE.FAILED": 1}


def test_a_missing_instance_is_made_up_when_there_is_enough_to_do_it_with(inventory: Inventory) -> None:
    succession = {"succeedingTitles": [{"instanceIdentifier": {"hrid": "new"}, "provisionalInstance": PROVISIONAL}]}

    answer = inventory.put(record_set("in1", instanceRelations=succession))

    assert answer.metrics == {
        "INSTANCE.CREATE.COMPLETED": 1,
        "INSTANCE_TITLE_SUCCESSION.CREATE.COMPLETED": 1,
        "INSTANCE_TITLE_SUCCESSION.PROVISIONAL_INSTANCE.COMPLETED": 1,
    }
    assert inventory.stored("new")["instance"]["title"] == "Made up"
    assert set(answer.body["metrics"]["INSTANCE_TITLE_SUCCESSION"]) == {"CREATE", "DELETE", "PROVISIONAL_INSTANCE"}


def test_a_missing_instance_without_enough_data_is_storages_refusal(inventory: Inventory) -> None:
    answer = inventory.put(record_set("in1", instanceRelations=parents("nobody"), processing={"key": 1}))

    report = answer.errors[0]
    assert answer.status == 207
    assert report["shortMessage"] == "There was an error creating provisional Instances"
    assert [entry["parameters"][0]["key"] for entry in report["message"]["errors"]] == [
        "instanceTypeId",
        "source",
        "title",
    ]
    assert (report["entity"], report["requestJson"]) == ({"hrid": "nobody"}, None)
    assert answer.metrics == {
        "INSTANCE.CREATE.COMPLETED": 1,
        "INSTANCE_RELATIONSHIP.CREATE.FAILED": 1,
        "INSTANCE_RELATIONSHIP.PROVISIONAL_INSTANCE.FAILED": 1,
    }


def test_a_true_batch_whose_sets_all_miss_their_parent_tells_of_one(inventory: Inventory) -> None:
    answer = inventory.ask(
        "PUT",
        "/inventory-batch-upsert-hrid",
        {
            "inventoryRecordSets": [
                record_set("in1", instanceRelations=parents("no1")),
                record_set("in2", instanceRelations=parents("no2")),
            ]
        },
    )

    assert (answer.status, len(answer.errors)) == (207, 1)
    assert answer.metrics["INSTANCE_RELATIONSHIP.CREATE.FAILED"] == 2
    assert inventory.stored("in2") is not None


def test_an_unknown_id_has_nothing_to_make_an_instance_from(inventory: Inventory) -> None:
    unknown = {"instanceIdentifier": {"uuid": "11111111-1111-4111-8111-111111111111"}}

    answer = inventory.put(record_set("in1", instanceRelations={"precedingTitles": [unknown]}))

    assert answer.status == 207
    assert answer.errors[0]["message"]["errors"][0]["message"] == "must not be null"
    assert answer.metrics["INSTANCE_TITLE_SUCCESSION.CREATE.FAILED"] == 1


def test_a_parent_without_an_identifier_is_ignored_and_any_other_relation_is_400(inventory: Inventory) -> None:
    ignored = inventory.put(record_set("in1", instanceRelations={"parentInstances": [{}]}))
    refused = inventory.put(record_set("in1", instanceRelations={"childInstances": [{}]}))

    assert (ignored.status, ignored.metrics) == (200, {"INSTANCE.CREATE.COMPLETED": 1})
    assert refused.status == 400
    assert refused.body.endswith('"instanceIdentifier" at #/instanceRelations/childInstances/0')


def test_two_sets_of_a_batch_share_one_provisional_instance(inventory: Inventory) -> None:
    relations = parents("new", provisionalInstance=PROVISIONAL)

    answer = inventory.put_batch(
        record_set("in1", instanceRelations=relations), record_set("in2", instanceRelations=relations)
    )

    assert answer.status == 200
    assert len(inventory.stored("new")["instanceRelations"]["childInstances"]) == 2


def test_a_provisional_instance_that_collides_in_case_is_400_of_the_single_record_api(inventory: Inventory) -> None:
    answer = inventory.put(record_set("in1", instanceRelations=parents("OLD1", provisionalInstance=PROVISIONAL)))

    report = answer.errors[0]
    assert report["statusCode"] == 400
    assert report["message"]["errors"][0]["message"] == "HRID value already exists in table instance: old1"
