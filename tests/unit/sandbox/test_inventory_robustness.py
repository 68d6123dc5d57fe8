"""Whatever JSON arrives, the simulated module answers: a refusal is a reply, never an exception."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.inventory import holdings, instance, item
from tests.unit.sandbox.inventory_caller import Inventory

PATHS = (
    ("PUT", "/inventory-upsert-hrid"),
    ("PUT", "/inventory-batch-upsert-hrid"),
    ("DELETE", "/inventory-upsert-hrid"),
    ("PUT", "/shared-inventory-upsert-matchkey"),
    ("PUT", "/shared-inventory-batch-upsert-matchkey"),
    ("DELETE", "/shared-inventory-upsert-matchkey"),
)
_NAMES = st.sampled_from(
    [
        *instance(),
        *holdings(),
        *item(),
        "id",
        "_version",
        "instance",
        "holdingsRecords",
        "instanceRelations",
        "parentInstances",
        "succeedingTitles",
        "instanceIdentifier",
        "provisionalInstance",
        "instanceRelationshipTypeId",
        "uuid",
        "processing",
        "item",
        "holdingsRecord",
        "retainExistingValues",
        "forOmittedProperties",
        "forTheseProperties",
        "retainOmittedRecord",
        "blockDeletion",
        "ifField",
        "matchesPattern",
        "statisticalCoding",
        "setCode",
        "policy",
        "ifStatusWas",
        "name",
        "identifiers",
        "matchKey",
        "publication",
        "contributors",
        "localIdentifier",
        "identifierTypeId",
        "institutionId",
    ]
)
_SCALARS = (
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "in1", "it1", "*", '"', "true", "retain"])
)
_JSON = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4), max_leaves=12
)


@st.composite
def _almost_sound(draw: st.DrawFn) -> dict[str, Any]:
    def spoilt(record: dict[str, Any]) -> dict[str, Any]:
        return {**record, **draw(st.dictionaries(_NAMES, _JSON, max_size=2))}

    listed = [spoilt(holdings("ho1", spoilt(item("it1")), spoilt(item("it2")))) for _ in range(draw(st.integers(0, 2)))]
    return spoilt({"instance": spoilt(instance("in1")), "holdingsRecords": listed})


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PATHS), _JSON | _almost_sound()), min_size=1, max_size=4))
def test_every_body_gets_an_answer_and_the_state_stays_readable(calls: list[tuple[tuple[str, str], Any]]) -> None:
    inventory = Inventory()
    inventory.put({"instance": instance("in1"), "holdingsRecords": [holdings("ho1", item("it1"))]})

    for (method, path), body in calls:
        sent = {"inventoryRecordSets": [body, body]} if "batch" in path else body
        assert inventory.ask(method, path, sent).status in (0, 200, 207, 400, 404, 422)

    state = inventory.module.snapshot()
    other = Inventory()
    other.module.load(state)
    assert other.module.snapshot() == state
