"""Seeding, keeping and restoring the state of the simulated inventory."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders.inventory import LOCATION_ID, RELATIONSHIP_TYPE_ID, holdings, instance, item, record_set, small_set
from tests.unit.sandbox.inventory_caller import Inventory


def seeded(*record_sets: dict[str, Any]) -> dict[str, Any]:
    return {"tenants": {"diku": {"recordSets": {s["instance"]["hrid"]: s for s in record_sets}}}}


@pytest.fixture
def inventory() -> Inventory:
    return Inventory()


def test_a_snapshot_can_be_restored_elsewhere(inventory: Inventory) -> None:
    relations = {
        "parentInstances": [{"instanceIdentifier": {"hrid": "in2"}, "instanceRelationshipTypeId": RELATIONSHIP_TYPE_ID}]
    }
    inventory.module.load({"tenants": {"diku": {"locations": [{"id": LOCATION_ID, "institutionId": "i"}]}}})
    inventory.put_batch(small_set("1", instanceRelations=relations), small_set("2"))
    inventory.put(small_set("2"))
    inventory.module.load({"tenants": {"diku": {"purchaseOrderLines": ["in1"]}}})
    inventory.fail("in1", "create", 500)
    state = inventory.module.snapshot()
    other = Inventory()

    other.module.load(state)

    assert other.module.snapshot() == state


def test_a_snapshot_has_the_form_of_an_upserts_body_with_ids_and_versions(inventory: Inventory) -> None:
    answer = inventory.put(small_set())

    stored = inventory.stored("in1")

    assert stored["instance"] == {**answer.body["instance"], "_version": 1}
    assert set(stored["holdingsRecords"][0]) == {
        "id",
        "_version",
        "hrid",
        "permanentLocationId",
        "sourceId",
        "items",
    }


def test_a_snapshot_does_not_change_with_what_happens_next(inventory: Inventory) -> None:
    inventory.put(small_set())
    before = inventory.stored("in1")

    inventory.put(small_set(instance=instance("in1", title="later")))

    assert before["instance"]["title"] == "Title of in1"


def test_a_seeded_set_is_updated_like_any_other(inventory: Inventory) -> None:
    inventory.module.load(seeded(record_set("in1", holdings("ho1", item("it1", _version=5)))))

    answer = inventory.put(small_set())

    assert answer.metrics["ITEM.UPDATE.COMPLETED"] == 1
    assert answer.body["holdingsRecords"][0]["items"][0]["_version"] == 5


def test_a_seeded_set_replaces_the_one_of_its_hrid(inventory: Inventory) -> None:
    inventory.put(record_set("in1", holdings("ho1", item("it1")), holdings("ho2", item("it2"))))

    inventory.module.load(seeded(small_set("1")))

    assert inventory.outline("in1") == {"ho1": ["it1"]}


def test_reset_leaves_nothing(inventory: Inventory) -> None:
    inventory.put(small_set())
    inventory.fail("in1", "update", 409)

    inventory.module.reset()

    assert inventory.module.snapshot() == {"tenants": {}, "storageFaults": []}
    assert inventory.put(small_set()).status == 200


@pytest.mark.parametrize(
    ("state", "field"),
    [
        ({"tenant": {}}, "tenant"),
        ({"tenants": {"diku": []}}, "tenants.diku"),
        ({"tenants": {"diku": {"sets": {}}}}, "tenants.diku.sets"),
        ({"tenants": {"diku": {"recordSets": {"in1": {}}}}}, "tenants.diku.recordSets.in1.instance"),
        ({"tenants": {"diku": {"recordSets": {"in2": small_set("1")}}}}, "tenants.diku.recordSets.in2.instance.hrid"),
        (
            seeded(record_set("in1", holdings("ho1", {"hrid": ""}))),
            r"tenants.diku.recordSets.in1.holdingsRecords\[0\].items\[0\].hrid",
        ),
        (
            seeded(record_set("in1", instance=instance("in1", _version="1"))),
            "tenants.diku.recordSets.in1.instance._version",
        ),
        ({"tenants": {"diku": {"locations": [1]}}}, r"tenants.diku.locations\[0\]"),
        ({"tenants": {"diku": {"purchaseOrderLines": [None]}}}, r"tenants.diku.purchaseOrderLines\[0\]"),
    ],
)
def test_seed_data_of_another_shape_is_refused_with_the_name_of_the_field(
    inventory: Inventory, state: dict[str, Any], field: str
) -> None:
    inventory.put(small_set())
    before = inventory.module.snapshot()

    with pytest.raises(ValueError, match=f"^{field}: expected"):
        inventory.module.load(state)

    assert inventory.module.snapshot() == before
