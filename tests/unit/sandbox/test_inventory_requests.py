"""What the module makes of a request before it asks storage, and what a fetch answers."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest

from service.sandbox.exchange import Call
from tests.builders.inventory import OTHER_LOCATION_ID, holdings, item, record_set, small_set
from tests.unit.sandbox.inventory_caller import JSON, Inventory, answered

SINGLE = "/inventory-upsert-hrid"
BATCH = "/inventory-batch-upsert-hrid"
INVALID = "Bad Request: The value of the request body is invalid. Reason: "


@pytest.fixture
def inventory() -> Inventory:
    return Inventory()


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_is_taken_with_or_without_a_charset(inventory: Inventory, content_type: str) -> None:
    body = orjson.dumps(small_set())
    call = Call("PUT", SINGLE, {}, (("content-type", content_type),), body, "diku")

    assert inventory.module.handle(call).status == 200


@pytest.mark.parametrize("headers", [(), (("Content-Type", "text/plain"),)])
def test_any_other_content_type_is_400(inventory: Inventory, headers: tuple[tuple[str, str], ...]) -> None:
    answer = answered(inventory.module.handle(Call("PUT", SINGLE, {}, headers, orjson.dumps(small_set()), "diku")))

    assert (answer.status, answer.content_type) == (400, "text/plain")
    assert answer.body == "Bad Request: The format of the request body is not supported"


@pytest.mark.parametrize("path", [SINGLE, BATCH])
@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "Bad Request: The related request does not contain the required body."),
        (b"{nope", "Bad Request: The request body can't be decoded"),
        (b"[]", f"{INVALID}Instance type array is invalid. Expected object"),
    ],
)
def test_a_body_that_cannot_be_read_is_400(inventory: Inventory, path: str, body: bytes, text: str) -> None:
    answer = answered(inventory.module.handle(Call("PUT", path, {}, JSON, body, "diku")))

    assert (answer.status, answer.body) == (400, text)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, 'Instance does not have required property "instance"'),
        ({"instance": None}, "Instance type null is invalid. Expected object at #/instance"),
        (small_set(processing="x"), "Instance type string is invalid. Expected object at #/processing"),
        (
            record_set("in1", holdings("ho1", items=None)),
            "Instance type null is invalid. Expected array at #/holdingsRecords/0/items",
        ),
        (
            record_set("in1", holdingsRecords=None),
            "Instance type null is invalid. Expected array at #/holdingsRecords",
        ),
        (
            record_set("in1", holdings(7)),
            "Instance type number is invalid. Expected string at #/holdingsRecords/0/hrid",
        ),
        (
            record_set("in1", holdings("ho1", item(None))),
            "Instance type null is invalid. Expected string at #/holdingsRecords/0/items/0/hrid",
        ),
        (
            small_set(processing={"item": {"retainOmittedRecord": {"ifField": "hrid"}}}),
            'Instance does not have required property "matchesPattern" at #/processing/item/retainOmittedRecord',
        ),
        (
            small_set(
                processing={"item": {"retainOmittedRecord": {"ifField": "hrid", "matchesPattern": "x", "other": 1}}}
            ),
            'Property "other" does not match additional properties schema at #/processing/item/retainOmittedRecord',
        ),
        (
            small_set(processing={"item": {"statisticalCoding": [{"if": "always"}]}}),
            'Instance does not match any of ["deleteSkipped"] at #/processing/item/statisticalCoding/0/if',
        ),
    ],
)
def test_a_body_that_breaks_the_contract_is_400_with_its_place(
    inventory: Inventory, body: dict[str, Any], reason: str
) -> None:
    answer = inventory.ask("PUT", SINGLE, body)

    assert (answer.status, answer.body) == (400, INVALID + reason)
    assert inventory.stored("in1") is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, 'Instance does not have required property "inventoryRecordSets"'),
        ({"inventoryRecordSets": None}, "Instance type null is invalid. Expected array at #/inventoryRecordSets"),
        ({"inventoryRecordSets": [None]}, "Instance type null is invalid. Expected object at #/inventoryRecordSets/0"),
    ],
)
def test_a_batch_that_breaks_the_contract_is_400_with_its_place(
    inventory: Inventory, body: dict[str, Any], reason: str
) -> None:
    assert inventory.ask("PUT", BATCH, body).body == INVALID + reason


def test_a_call_without_a_tenant_is_400(inventory: Inventory) -> None:
    answer = answered(inventory.module.handle(Call("PUT", SINGLE, {}, JSON, orjson.dumps(small_set()))))

    assert (answer.status, answer.body) == (400, "IllegalArgumentException: X-Okapi-Tenant header is missing")


def test_a_method_that_an_endpoint_does_not_have_is_404(inventory: Inventory) -> None:
    answer = inventory.ask("POST", SINGLE, small_set())

    assert (answer.status, answer.body) == (404, f"No Service found for requested path {SINGLE}")


def test_only_its_own_paths_are_served(inventory: Inventory) -> None:
    assert inventory.module.serves("GET", f"{SINGLE}/fetch/in1")
    assert not inventory.module.serves("PUT", f"{SINGLE}x")


def test_tenants_do_not_see_each_other(inventory: Inventory) -> None:
    inventory.put(small_set())

    inventory.tenant = "other"

    assert inventory.fetch("in1").status == 404


def test_a_fetch_gives_the_set_without_ids_and_with_storages_defaults(inventory: Inventory) -> None:
    inventory.put(
        record_set("in1", holdings("ho1", item("it1"), temporaryLocationId=OTHER_LOCATION_ID, callNumber="QA"))
    )

    body = inventory.fetch("in1").body

    assert body["instance"]["_version"] == 1
    assert (body["instance"]["notes"], body["instance"]["discoverySuppress"]) == ([], False)
    fetched_holdings = body["holdingsRecords"][0]
    fetched_item = fetched_holdings["items"][0]
    assert fetched_holdings["effectiveLocationId"] == OTHER_LOCATION_ID
    assert fetched_item["effectiveLocationId"] == OTHER_LOCATION_ID
    assert fetched_item["effectiveCallNumberComponents"] == {"callNumber": "QA"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", fetched_item["status"]["date"])
    assert not {"id", "instanceId", "holdingsRecordId"} & (
        set(body["instance"]) | set(fetched_holdings) | set(fetched_item)
    )


def test_a_fetch_takes_the_id_too_and_leaves_out_items_where_there_are_none(inventory: Inventory) -> None:
    instance_id = inventory.put(record_set("in1", holdings("ho1"))).body["instance"]["id"]

    body = inventory.fetch(instance_id).body

    assert body["instance"]["hrid"] == "in1"
    assert "items" not in body["holdingsRecords"][0]
    assert body["instanceRelations"] == {"existingPrecedingSucceedingTitles": [], "existingParentChildRelations": []}


def test_a_fetch_of_an_unknown_instance_is_404_in_text_under_the_label_of_json(inventory: Inventory) -> None:
    answer = inventory.fetch("nope")

    assert (answer.status, answer.content_type, answer.body) == (
        404,
        "application/json",
        "Instance with ID nope not found.",
    )


def test_the_calls_name_the_instances_they_are_about(inventory: Inventory) -> None:
    def entities(method: str, path: str, body: object = None) -> tuple[str, ...]:
        return inventory.module.entities(Call(method, path, body=b"" if body is None else orjson.dumps(body)))

    assert entities("PUT", SINGLE, small_set("1")) == ("in1",)
    assert entities("PUT", BATCH, {"inventoryRecordSets": [small_set("1"), small_set("2")]}) == ("in1", "in2")
    assert entities("DELETE", SINGLE, {"hrid": "in1"}) == ("in1",)
    assert entities("GET", f"{SINGLE}/fetch/in1") == ("in1",)
    assert entities("PUT", SINGLE) == ()
    assert entities("PUT", SINGLE, [1]) == ()
