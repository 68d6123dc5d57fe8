"""The JSON Schema that the models yield is fit to be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from service.routes import ROUTES, json_schema

TYPES = [route.event_type for route in ROUTES]


def objects(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "data", schema
    yield from schema.get("$defs", {}).items()


@pytest.mark.parametrize("event_type", TYPES)
def test_every_object_and_every_field_is_described(event_type: str) -> None:
    schema = json_schema(event_type)
    undescribed = [
        f"{name}.{field}"
        for name, definition in objects(schema)
        for field, described in {"": definition, **definition.get("properties", {})}.items()
        if "description" not in described and "$ref" not in described
    ]
    assert undescribed == []


@pytest.mark.parametrize("event_type", TYPES)
def test_an_absent_field_has_no_default_and_no_field_has_a_made_up_title(event_type: str) -> None:
    for _, definition in objects(json_schema(event_type)):
        for field in definition.get("properties", {}).values():
            assert "default" not in field
            assert "title" not in field


def test_a_field_that_is_never_null_does_not_allow_null() -> None:
    definitions = json_schema("holdings.changed")["$defs"]
    assert definitions["UpdateOperation"]["properties"]["tags"]["type"] == "array"
    assert definitions["UpsertOperation"]["properties"]["holdingsRecords"]["type"] == "array"


def test_only_folio_records_and_instructions_take_unknown_fields() -> None:
    open_objects = {
        name
        for event_type in TYPES
        for name, definition in objects(json_schema(event_type))
        if definition.get("additionalProperties") is not False
    }
    assert open_objects == {
        "HoldingsRecord",
        "Instance",
        "InstanceIdentifier",
        "InstanceRelation",
        "Item",
        "ItemProcessing",
        "ItemStatusProcessing",
        "Processing",
        "ProvisionalInstance",
        "SharedHoldingsRecord",
        "SharedInstance",
        "SharedItem",
        "TitleRelation",
    }


def test_the_form_of_no_embargo_that_is_taken_is_in_the_schema() -> None:
    choices = json_schema("holdings.changed")["$defs"]["Attributes"]["properties"]["customEmbargoPeriod"]["anyOf"]
    assert {"embargoUnit": {"type": "null"}, "embargoValue": {"const": 0}} in [c.get("properties") for c in choices]


def test_a_type_that_is_not_in_the_table_has_no_schema() -> None:
    with pytest.raises(KeyError):
        json_schema("holdings.invented")
