"""`holdings.changed` becomes steps in order, and the keys of all that they touch."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from service.domain.events.holdings_changed import HoldingsChanged
from service.domain.operations import (
    AddResource,
    DeleteHoldingsSource,
    DeleteRecordSet,
    DeleteSharedRecordSet,
    DeselectResource,
    RemoveResource,
    Step,
    UpdateResource,
    UpsertHoldingsSource,
    UpsertRecordSet,
    UpsertSharedRecordSet,
)
from service.translation.holdings_changed import translate_holdings_changed
from tests.builders.events import (
    IDENTIFIER_TYPE_ID,
    INSTITUTION_ID,
    RESOURCE_ID,
    add,
    delete_shared,
    holdings,
    interpreted,
    plan_of,
    structured,
    update,
    upsert,
    upsert_shared,
)

RETAINED = {"item": {"status": {"policy": "retain"}}}


def step_of(**parts: Any) -> Step:
    [step] = plan_of(parts).steps
    return step


def set_of(**members: Any) -> Any:
    step = step_of(inventory=upsert(**members))
    assert isinstance(step, UpsertRecordSet)
    return step.record_set


# eholdings


def test_an_update_becomes_a_patch_of_the_resource() -> None:
    assert step_of(eholdings=update({"isHidden": None}, tags=["law"])) == UpdateResource(
        "diku", RESOURCE_ID, {"isHidden": None}, ("law",)
    )


def test_an_update_without_tags_leaves_them() -> None:
    step = step_of(eholdings=update({"isHidden": True}))
    assert isinstance(step, UpdateResource)
    assert step.tags is None


def test_a_deselection_and_a_removal_carry_the_resource_alone() -> None:
    assert step_of(eholdings={"action": "deselect", "resourceId": RESOURCE_ID}) == DeselectResource("diku", RESOURCE_ID)
    assert step_of(eholdings={"action": "remove", "resourceId": RESOURCE_ID}) == RemoveResource("diku", RESOURCE_ID)


@pytest.mark.parametrize(
    ("members", "url"),
    [
        ({}, None),
        ({"url": None}, None),
        ({"url": "https://a.example"}, "https://a.example"),
        ({"attributes": {"url": "https://a.example"}}, "https://a.example"),
        ({"url": "https://a.example", "attributes": {"url": "https://a.example"}}, "https://a.example"),
        ({"attributes": {"url": None}}, None),
    ],
)
def test_an_add_takes_its_address_from_either_place(members: dict[str, Any], url: str | None) -> None:
    step = step_of(eholdings=add(**members))
    assert step == AddResource("diku", "51-70312", "884106", url, members.get("attributes", {}), None)


@pytest.mark.parametrize(
    "operation", [update({"isHidden": True}), add(), {"action": "remove", "resourceId": RESOURCE_ID}]
)
def test_every_operation_on_a_resource_writes_the_same_key(operation: dict[str, Any]) -> None:
    assert plan_of({"eholdings": operation}).writes == {("eholdings", "diku", RESOURCE_ID)}


# Inventory, the bodies


def test_a_record_set_goes_out_as_it_came() -> None:
    operation = upsert(
        instance={"hrid": "bib-1", "title": "Tidal rivers", "editions": ["2nd", None, 2, 2.50]},
        holdingsRecords=[
            {"hrid": "hol-1", "notes": [{"x": {}}], "items": [{"hrid": "it-1", "status": {"name": "On order"}}]}
        ],
        instanceRelations={
            "precedingTitles": [{"instanceIdentifier": {"hrid": "bib-0"}, "more": 1}],
            "childInstances": [],
        },
        processing={
            "instance": {"retainExistingValues": {"forOmittedProperties": True}},
            "item": {"status": {"policy": "overwrite"}},
        },
    )
    expected = {name: value for name, value in operation.items() if name != "action"}
    assert set_of(**operation) == expected


def test_parts_that_are_absent_stay_absent_because_absence_means_untouched() -> None:
    assert set(set_of()) == {"instance", "processing"}


def test_empty_lists_stay_because_they_mean_delete() -> None:
    record_set = set_of(holdingsRecords=[], instanceRelations={"parentInstances": []})
    assert record_set["holdingsRecords"] == []
    assert record_set["instanceRelations"] == {"parentInstances": []}


@pytest.mark.parametrize("processing", [..., None, {}, {"item": {}}])
def test_item_status_is_retained_where_nothing_is_said_of_it(processing: Any) -> None:
    assert set_of(processing=processing)["processing"] == RETAINED


def test_retaining_item_status_keeps_all_other_instructions() -> None:
    said = {"item": {"blockDeletion": {"ifField": "hrid", "matchesPattern": "it.*"}}, "batchIndex": 7}
    assert set_of(processing=said)["processing"] == {
        "item": {**said["item"], "status": {"policy": "retain"}},  # type: ignore[dict-item]
        "batchIndex": 7,
    }


@pytest.mark.parametrize(
    "status", [{"policy": "overwrite"}, {"policy": "overwrite", "ifStatusWas": [{"name": "On order"}]}]
)
def test_what_the_event_says_of_item_status_stands(status: dict[str, Any]) -> None:
    assert set_of(processing={"item": {"status": status}})["processing"] == {"item": {"status": status}}


def test_the_published_spelling_of_a_relation_type_goes_out_as_the_module_reads_it() -> None:
    parent = {"instanceIdentifier": {"hrid": "bib-0"}, "instanceRelationShipTypeId": "kind", "more": 1}
    child = {"instanceIdentifier": {"hrid": "bib-2"}, "instanceRelationshipTypeId": "kind"}
    relations = {"parentInstances": [parent], "childInstances": [child]}
    assert set_of(instanceRelations=relations)["instanceRelations"] == {
        "parentInstances": [{"instanceIdentifier": {"hrid": "bib-0"}, "instanceRelationshipTypeId": "kind", "more": 1}],
        "childInstances": [child],
    }


def test_source_names_stay_in_the_set_and_are_listed() -> None:
    step = step_of(
        inventory=upsert(
            holdingsRecords=[holdings("a", sourceName="FOLIO"), holdings("b"), holdings("c", sourceName="X")]
        )
    )
    assert isinstance(step, UpsertRecordSet)
    assert step.source_names == {"FOLIO", "X"}
    assert step.record_set["holdingsRecords"][0]["sourceName"] == "FOLIO"  # type: ignore[index,call-overload]


@pytest.mark.parametrize(
    "processing", [None, {"instance": {"blockDeletion": {"ifField": "hrid", "matchesPattern": "x"}}}]
)
def test_a_delete_carries_its_instructions_and_no_others(processing: Any) -> None:
    operation = {"action": "delete", "hrid": "bib-1", "processing": processing}
    assert step_of(inventory=operation) == DeleteRecordSet("diku", "bib-1", processing)


def test_a_shared_upsert_says_its_ids_inside_processing_where_the_module_reads_them() -> None:
    step = step_of(inventory=upsert_shared(holdingsRecords=[{"items": [], "sourceName": "X"}], processing={"note": 1}))
    assert step == UpsertSharedRecordSet(
        "diku",
        f"{INSTITUTION_ID}/000417",
        {
            "instance": {"title": "Tidal rivers of the north"},
            "holdingsRecords": [{"items": [], "sourceName": "X"}],
            "processing": {
                "note": 1,
                **RETAINED,
                "institutionId": INSTITUTION_ID,
                "localIdentifier": "000417",
                "identifierTypeId": IDENTIFIER_TYPE_ID,
            },
        },
        frozenset({"X"}),
    )


@pytest.mark.parametrize("name", ["localIdentifier", "oaiIdentifier"])
def test_a_shared_delete_names_its_one_identifier(name: str) -> None:
    operation = delete_shared(**{"localIdentifier": ..., name: "oai:x:417"})
    assert step_of(inventory=operation) == DeleteSharedRecordSet(
        "diku",
        f"{INSTITUTION_ID}/oai:x:417",
        {"institutionId": INSTITUTION_ID, name: "oai:x:417", "identifierTypeId": IDENTIFIER_TYPE_ID},
    )


# Inventory, the keys


def test_an_upsert_writes_every_record_that_it_names() -> None:
    plan = plan_of(
        {
            "inventory": upsert(
                instance={"hrid": "BIB-1"},
                holdingsRecords=[holdings("Hol-1", "it-1", "IT-2"), holdings("hol-2")],
                instanceRelations={
                    "parentInstances": [{"instanceIdentifier": {"hrid": "Bib-0"}}],
                    "succeedingTitles": [
                        {"instanceIdentifier": {"uuid": "1A54B431-2e4f"}, "provisionalInstance": {"hrid": "bib-9"}}
                    ],
                },
            )
        }
    )
    assert plan.writes == {
        ("inventory", "diku", "instance", "bib-1"),
        ("inventory", "diku", "holdings", "hol-1"),
        ("inventory", "diku", "holdings", "hol-2"),
        ("inventory", "diku", "item", "it-1"),
        ("inventory", "diku", "item", "it-2"),
        ("inventory", "diku", "instance", "bib-0"),
        ("inventory", "diku", "instance", "bib-9"),
        ("inventory", "diku", "uuid", "1a54b431-2e4f"),
    }
    assert plan.reads == frozenset()


def test_a_delete_writes_its_instance() -> None:
    assert plan_of({"inventory": {"action": "delete", "hrid": "BIB-1"}}).writes == {
        ("inventory", "diku", "instance", "bib-1")
    }


def test_a_shared_upsert_writes_its_part_its_match_and_its_records() -> None:
    plan = plan_of(
        {
            "inventory": upsert_shared(
                instance={"title": "Tidal Rivers", "hrid": "BIB-1"},
                holdingsRecords=[holdings("HOL-1", "IT-1"), {"items": [{}]}],
            )
        }
    )
    assert plan.writes == {
        ("inventory", "diku", "shared", INSTITUTION_ID, "000417"),
        ("inventory", "diku", "match", "tidal rivers"),
        ("inventory", "diku", "instance", "bib-1"),
        ("inventory", "diku", "holdings", "hol-1"),
        ("inventory", "diku", "item", "it-1"),
    }


def test_a_match_key_that_is_given_outweighs_the_title() -> None:
    plan = plan_of({"inventory": upsert_shared(instance={"title": "Tidal Rivers", "matchKey": "k-1"})})
    assert ("inventory", "diku", "match", "k-1") in plan.writes


def test_a_shared_upsert_and_its_delete_meet_in_one_key() -> None:
    deleted = plan_of({"inventory": delete_shared()}).writes
    assert deleted == {("inventory", "diku", "shared", INSTITUTION_ID, "000417")}
    assert deleted < plan_of({"inventory": upsert_shared()}).writes


def test_a_source_name_is_read_and_two_spellings_of_it_are_one() -> None:
    records = [holdings("a", sourceName="Union Catálogo"), holdings("b", sourceName="UNION catalogo")]
    for operation in (upsert(holdingsRecords=records), upsert_shared(holdingsRecords=records)):
        assert plan_of({"inventory": operation}).reads == {("holdings-source", "diku", "union catalogo")}


# Holdings sources, order, tenants


def test_a_holdings_source_is_made_before_the_records_that_use_it() -> None:
    plan = plan_of(
        {
            "inventory": upsert(holdingsRecords=[holdings(sourceName="union")]),
            "holdingsSource": {"action": "upsert", "name": "Union", "source": "local"},
            "eholdings": update({"isHidden": True}),
        }
    )
    assert [type(step) for step in plan.steps] == [UpdateResource, UpsertHoldingsSource, UpsertRecordSet]
    assert plan.steps[1] == UpsertHoldingsSource("diku", "Union", "local")


def test_a_holdings_source_is_deleted_after_the_records_that_leave_it() -> None:
    plan = plan_of(
        {
            "holdingsSource": {"action": "delete", "name": "Union"},
            "inventory": upsert(),
            "eholdings": update({"isHidden": True}),
        }
    )
    assert [type(step) for step in plan.steps] == [UpdateResource, UpsertRecordSet, DeleteHoldingsSource]
    assert plan.steps[2] == DeleteHoldingsSource("diku", "Union")


def test_what_an_event_writes_it_does_not_also_read() -> None:
    plan = plan_of(
        {
            "inventory": upsert(holdingsRecords=[holdings("a", sourceName="UNION"), holdings("b", sourceName="Marc")]),
            "holdingsSource": {"action": "upsert", "name": "Union", "source": "local"},
        }
    )
    assert ("holdings-source", "diku", "union") in plan.writes
    assert plan.reads == {("holdings-source", "diku", "marc")}


@pytest.mark.parametrize(
    ("own", "default", "expected"), [("ucla", "diku", "ucla"), (None, "diku", "diku"), (None, None, "")]
)
def test_steps_and_keys_are_the_events_tenants_or_the_defaults(own: Any, default: Any, expected: str) -> None:
    event = structured(
        data={"inventory": upsert(), "holdingsSource": {"action": "delete", "name": "x"}, "eholdings": add()},
        tenant=own,
    )
    plan = interpreted(event, default)
    assert {step.tenant for step in plan.steps} == {expected}  # type: ignore[union-attr]
    assert {key[1] for key in plan.writes} == {expected}  # type: ignore[union-attr]
    assert plan.tenant == (expected or None)


def test_translating_changes_nothing_of_what_was_decoded() -> None:
    data = {
        "inventory": upsert(
            holdingsRecords=[holdings("a", "b", sourceName="X")],
            instanceRelations={
                "childInstances": [{"instanceIdentifier": {"hrid": "c"}, "instanceRelationShipTypeId": "k"}]
            },
            processing={"item": {"note": 1}},
        )
    }
    before = copy.deepcopy(data)
    event = HoldingsChanged.model_validate(data)
    validated = copy.deepcopy(event)
    translate_holdings_changed(event, "diku")
    assert (data, event) == (before, validated)
