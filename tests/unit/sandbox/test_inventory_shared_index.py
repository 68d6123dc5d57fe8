"""The shared index by match key: one instance for many institutions."""

from __future__ import annotations

from typing import Any

import pytest

from service.sandbox.inventory.match_key import match_key
from tests.builders.inventory import LOCATION_ID, OTHER_LOCATION_ID, holdings, instance, item
from tests.unit.sandbox.inventory_caller import Answer, Inventory

PATH = "/shared-inventory-upsert-matchkey"
TYPE_A, TYPE_B = "aaaaaaaa-0000-4000-8000-000000000000", "bbbbbbbb-0000-4000-8000-000000000000"
INSTITUTION_A, INSTITUTION_B = "aaaaaaaa-1111-4111-8111-111111111111", "bbbbbbbb-1111-4111-8111-111111111111"


def contribution(local: str, title: str, type_id: str, location: str, *items: dict[str, Any]) -> dict[str, Any]:
    record = instance(hrid=..., title=title, identifiers=[{"identifierTypeId": type_id, "value": local}])
    return {
        "instance": record,
        "holdingsRecords": [holdings(hrid=..., permanentLocationId=location, items=list(items))],
        "processing": {"localIdentifier": local, "identifierTypeId": type_id},
    }


def put(inventory: Inventory, body: dict[str, Any]) -> Answer:
    return inventory.ask("PUT", PATH, body)


@pytest.fixture
def inventory() -> Inventory:
    inventory = Inventory()
    places: list[Any] = [
        {"id": LOCATION_ID, "institutionId": INSTITUTION_A},
        {"id": OTHER_LOCATION_ID, "institutionId": INSTITUTION_B},
    ]
    inventory.module.load({"tenants": {"diku": {"locations": places}}})
    return inventory


def test_two_institutions_share_the_instance_of_one_match_key(inventory: Inventory) -> None:
    first = put(inventory, contribution("1", "The Title", TYPE_A, LOCATION_ID, item(hrid=...)))
    second = put(inventory, contribution("2", "The title.", TYPE_B, OTHER_LOCATION_ID))

    assert (first.status, first.metrics["INSTANCE.CREATE.COMPLETED"]) == (200, 1)
    assert (second.status, second.metrics["INSTANCE.UPDATE.COMPLETED"]) == (200, 1)
    stored = inventory.stored("in00000000001")
    assert inventory.stored("in00000000002") is None
    assert [entry["value"] for entry in stored["instance"]["identifiers"]] == ["1", "2"]
    assert len(stored["holdingsRecords"]) == 2


def test_an_upsert_replaces_what_its_institution_had_and_nothing_else(inventory: Inventory) -> None:
    put(inventory, contribution("1", "Title", TYPE_A, LOCATION_ID, item(hrid=...), item(hrid=...)))
    put(inventory, contribution("2", "Title", TYPE_B, OTHER_LOCATION_ID, item(hrid=...)))

    answer = put(inventory, contribution("1", "Title", TYPE_A, LOCATION_ID, item(hrid=...)))

    assert answer.metrics == {
        "INSTANCE.UPDATE.COMPLETED": 1,
        "HOLDINGS_RECORD.DELETE.COMPLETED": 1,
        "HOLDINGS_RECORD.CREATE.COMPLETED": 1,
        "ITEM.DELETE.COMPLETED": 2,
        "ITEM.CREATE.COMPLETED": 1,
    }


def test_a_changed_key_moves_the_contribution_to_another_instance(inventory: Inventory) -> None:
    put(inventory, contribution("1", "Old title", TYPE_A, LOCATION_ID))

    put(inventory, contribution("1", "New title", TYPE_A, LOCATION_ID))

    assert inventory.stored("in00000000001")["instance"]["identifiers"] == []
    assert inventory.outline("in00000000001") == {}
    assert inventory.stored("in00000000002")["instance"]["title"] == "New title"


@pytest.mark.parametrize("identifier", [{"localIdentifier": "1"}, {"oaiIdentifier": "oai:lib:1"}])
def test_a_deletion_takes_off_the_contribution_and_leaves_the_instance(
    inventory: Inventory, identifier: dict[str, str]
) -> None:
    put(inventory, contribution("1", "Title", TYPE_A, LOCATION_ID, item(hrid=...)))
    put(inventory, contribution("2", "Title", TYPE_B, OTHER_LOCATION_ID))

    answer = inventory.ask("DELETE", PATH, {"institutionId": INSTITUTION_A, "identifierTypeId": TYPE_A, **identifier})

    assert (answer.status, answer.metrics) == (
        200,
        {"HOLDINGS_RECORD.DELETE.COMPLETED": 1, "ITEM.DELETE.COMPLETED": 1},
    )
    stored = inventory.stored("in00000000001")
    assert [entry["value"] for entry in stored["instance"]["identifiers"]] == ["2"]
    assert [record["permanentLocationId"] for record in stored["holdingsRecords"]] == [OTHER_LOCATION_ID]


def test_a_deletion_of_an_unknown_identifier_is_404_and_one_without_enough_is_400(inventory: Inventory) -> None:
    unknown = {"institutionId": INSTITUTION_A, "identifierTypeId": TYPE_A, "localIdentifier": "9"}

    missing = inventory.ask("DELETE", PATH, unknown)
    incomplete = inventory.ask("DELETE", PATH, {"institutionId": INSTITUTION_A})

    assert missing.status == 404
    assert "Record to be deleted was not found" in missing.body["message"]["errors"][0]["message"]
    assert incomplete.status == 400
    assert incomplete.body.endswith("Instance does not match exactly one subschema (0 matches)")


def test_a_storage_error_is_told_with_the_shared_indexs_words(inventory: Inventory) -> None:
    answer = put(inventory, contribution("1", "Title", TYPE_A, "00000000-0000-4000-8000-00000000dead"))

    assert answer.status == 207
    assert answer.errors[0]["shortMessage"] == "One or more errors occurred updating Inventory records"


def test_a_fetch_gives_the_set_without_hrids_and_is_400_for_other_instances(inventory: Inventory) -> None:
    put(inventory, contribution("1", "Title", TYPE_A, LOCATION_ID))
    inventory.put({"instance": instance("in1")})

    shared = inventory.ask("GET", f"{PATH}/fetch/in00000000001")
    other = inventory.ask("GET", f"{PATH}/fetch/in1")

    assert "hrid" not in shared.body["instance"]
    assert "hrid" not in shared.body["holdingsRecords"][0]
    assert (other.status, other.content_type) == (400, "application/json")


def test_a_batch_with_a_repeated_key_is_taken_set_by_set(inventory: Inventory) -> None:
    sets = [contribution("1", "Title", TYPE_A, LOCATION_ID), contribution("2", "Title", TYPE_B, OTHER_LOCATION_ID)]

    answer = inventory.ask("PUT", "/shared-inventory-batch-upsert-matchkey", {"inventoryRecordSets": sets})

    assert (answer.status, answer.body["errors"]) == (200, [])
    assert answer.metrics["INSTANCE.CREATE.COMPLETED"] == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"title": "The Wörld & all"}, {"title": "world and all"}, True),
        ({"title": "A"}, {"title": "A", "editions": ["2nd ed."]}, False),
        ({"title": "A"}, {"title": "A", "publication": [{"dateOfPublication": "c1999"}]}, False),
        ({"matchKey": "own key"}, {"matchKey": "own_key", "title": "x"}, True),
    ],
)
def test_match_keys_overlook_case_accents_and_articles_but_no_data(
    one: dict[str, Any], other: dict[str, Any], same: bool
) -> None:
    assert (match_key(one) == match_key(other)) is same


def test_a_match_key_has_columns_of_fixed_width() -> None:
    record: dict[str, Any] = {
        "title": "T" * 80,
        "physicalDescriptions": ["xii, 320 p."],
        "editions": ["Second edition"],
        "publication": [{"publisher": "Example Press", "dateOfPublication": "1999, c1998"}],
        "instanceTypeId": "6312d172-f0cf-40f6-b27d-9fa8feaf332f",
    }

    key = match_key(record)

    assert key[:70] == ("t" * 46).ljust(70, "_")
    assert key[70:74] == "1998"
    assert key[74:78] == "320_"
    assert key[78:81] == "Sec"
    assert key[81:91] == "example_pr"
    assert key[91] == "t"
    assert key.endswith("p")
