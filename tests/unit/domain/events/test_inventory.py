"""What is valid in an inventory operation, and what is refused before mod-inventory-update loses or ignores it."""

from __future__ import annotations

from typing import Any

import pytest

from service.domain.events.patterns import HRID, WORDS
from tests.builders.events import delete_shared, faults_of, holdings, plan_of, upsert, upsert_shared

SET = "data.inventory"
RECORDS = "data.inventory.holdingsRecords"


def refused(operation: Any) -> dict[str, str]:
    return faults_of({"inventory": operation})


def test_a_set_of_an_instance_alone_is_valid() -> None:
    assert plan_of({"inventory": upsert()}).steps


def test_fields_of_folio_records_are_left_to_storage() -> None:
    assert plan_of(
        {
            "inventory": upsert(
                instance={"hrid": "bib-1", "title": "Tidal rivers", "modeOfIssuanceId": 7, "notes": None},
                holdingsRecords=[holdings("hol-1", callNumber=["anything"], nonsense=True)],
            )
        }
    ).steps


def test_a_holdings_record_without_items_is_refused_with_what_it_would_lose() -> None:
    assert refused(upsert(holdingsRecords=[holdings("hol-1", "it-1"), {"hrid": "hol-2"}])) == {
        f"{RECORDS}[1].items": "is required: a holdings record sent without items loses them all; "
        '"items": [] says so outright'
    }


def test_items_may_be_empty_when_that_is_said_outright() -> None:
    assert plan_of({"inventory": upsert(holdingsRecords=[holdings("hol-1")])}).steps


@pytest.mark.parametrize("missing", [{}, {"hrid": ""}, {"hrid": "  "}, {"hrid": None}, {"hrid": 1001}])
def test_every_record_needs_an_hrid_that_is_a_text(missing: dict[str, Any]) -> None:
    faults = refused(
        upsert(
            instance=missing,
            holdingsRecords=[{**missing, "items": []}, {"hrid": "hol-2", "items": [missing]}],
        )
    )
    assert list(faults) == [f"{RECORDS}[0].hrid", f"{RECORDS}[1].items[0].hrid", f"{SET}.instance.hrid"]


@pytest.mark.parametrize("hrid", ['b"17', "b\\17", "b*", "?", "^b17"])
def test_an_hrid_by_which_folio_would_look_up_other_records_is_refused(hrid: str) -> None:
    assert list(refused(upsert(instance={"hrid": hrid}))) == [f"{SET}.instance.hrid"]


@pytest.mark.parametrize("hrid", [".b1017", "0017", " b17", "b'17", "b/17", "ü17"])
def test_an_hrid_is_kept_byte_for_byte(hrid: str) -> None:
    plan = plan_of({"inventory": upsert(instance={"hrid": hrid})})
    assert plan.steps[0].hrid == hrid  # type: ignore[union-attr]


def test_a_repeated_holdings_hrid_is_refused() -> None:
    assert refused(upsert(holdingsRecords=[holdings("hol-1"), holdings("hol-1")])) == {
        f"{RECORDS}[1].hrid": "another holdings record of this set has this HRID"
    }


def test_an_item_hrid_repeated_under_another_holdings_record_is_refused() -> None:
    assert refused(upsert(holdingsRecords=[holdings("hol-1", "it-1"), holdings("hol-2", "it-2", "it-1")])) == {
        f"{RECORDS}[1].items[1].hrid": "another item of this set has this HRID"
    }


def test_hrids_that_differ_only_in_case_are_refused_because_storage_ignores_case() -> None:
    assert refused(upsert(holdingsRecords=[holdings("HOL-1"), holdings("hol-1")])) == {
        f"{RECORDS}[1].hrid": "another holdings record of this set has the HRID HOL-1, which storage takes for the same"
    }


def test_records_of_different_kinds_may_share_an_hrid() -> None:
    assert plan_of({"inventory": upsert(instance={"hrid": "1"}, holdingsRecords=[holdings("1", "1")])}).steps


@pytest.mark.parametrize(
    ("members", "path", "message"),
    [
        ({"instance": ...}, "instance", "is required"),
        ({"instance": None}, "instance", "must be an object, not null"),
        ({"instance": {"hrid": "b", "title": 7}}, "instance.title", "must be a string, not a number"),
        ({"instance": {"hrid": "b", "source": None}}, "instance.source", "must be a string, not null"),
        ({"instance": {"hrid": "b", "instanceTypeId": []}}, "instance.instanceTypeId", "must be a string, not a list"),
        ({"holdingsRecords": None}, "holdingsRecords", "must not be null; leave it out instead"),
        ({"holdingsRecords": {}}, "holdingsRecords", "must be a list, not an object"),
        ({"holdingsRecords": [None]}, "holdingsRecords[0]", "must be an object, not null"),
        ({"holdingsRecords": [holdings("h", items=None)]}, "holdingsRecords[0].items", "must be a list, not null"),
        (
            {"holdingsRecords": [holdings("h", items=["it-1"])]},
            "holdingsRecords[0].items[0]",
            "must be an object, not a string",
        ),
        (
            {"holdingsRecords": [holdings("h", sourceName="FOLIO", sourceId="f32d531e")]},
            "holdingsRecords[0].sourceName",
            "stands in place of sourceId; give one of them",
        ),
        ({"holdingsRecords": [holdings("h", sourceName=" ")]}, "holdingsRecords[0].sourceName", "must not be blank"),
        ({"processing": "retain"}, "processing", "must be an object, not a string"),
        ({"processing": {"item": []}}, "processing.item", "must be an object, not a list"),
        ({"processing": {"item": {"status": "retain"}}}, "processing.item.status", "must be an object, not a string"),
        ({"processing": {"item": {"status": {}}}}, "processing.item.status.policy", "is required"),
        (
            {"processing": {"item": {"status": {"policy": "keep"}}}},
            "processing.item.status.policy",
            "must be 'retain' or 'overwrite'",
        ),
        ({"holdings": []}, "holdings", "is not a known field"),
    ],
)
def test_a_set_that_the_module_would_refuse_or_misread_is_refused(
    members: dict[str, Any], path: str, message: str
) -> None:
    assert refused(upsert(**members)) == {f"{SET}.{path}": message}


@pytest.mark.parametrize("part", ["processing", "instanceRelations"])
def test_an_optional_part_that_is_null_counts_as_absent(part: str) -> None:
    assert plan_of({"inventory": upsert(**{part: None})}) == plan_of({"inventory": upsert()})


@pytest.mark.parametrize("kind", ["parentInstances", "childInstances", "precedingTitles", "succeedingTitles"])
def test_a_relation_without_an_identifier_is_refused_because_the_module_ignores_it(kind: str) -> None:
    entries: list[dict[str, Any]] = [{}, {"instanceIdentifier": {}}, {"instanceIdentifier": {"hrid": "bib-2"}}]
    faults = refused(upsert(instanceRelations={kind: entries}))
    told = "is required, with hrid or uuid: the system ignores a relation without it in silence"
    assert faults == {
        f"{SET}.instanceRelations.{kind}[0].instanceIdentifier": told,
        f"{SET}.instanceRelations.{kind}[1].instanceIdentifier": told,
    }


@pytest.mark.parametrize(
    ("relations", "path", "message"),
    [
        ({"parents": []}, "parents", "is not a known field"),
        ({"parentInstances": None}, "parentInstances", "must be a list, not null"),
        (
            {"parentInstances": [{"instanceIdentifier": {"hrid": " "}}]},
            "parentInstances[0].instanceIdentifier.hrid",
            WORDS[HRID],
        ),
        (
            {"precedingTitles": [{"instanceIdentifier": {"uuid": ""}}]},
            "precedingTitles[0].instanceIdentifier.uuid",
            "must not be blank",
        ),
        (
            {"childInstances": [{"instanceIdentifier": "bib-2"}]},
            "childInstances[0].instanceIdentifier",
            "must be an object, not a string",
        ),
        (
            {"childInstances": [{"instanceIdentifier": {"hrid": "b"}, "instanceRelationshipTypeId": 3}]},
            "childInstances[0].instanceRelationshipTypeId",
            "must be a string, not a number",
        ),
        (
            {
                "childInstances": [
                    {
                        "instanceIdentifier": {"hrid": "b"},
                        "instanceRelationshipTypeId": "one",
                        "instanceRelationShipTypeId": "other",
                    }
                ]
            },
            "childInstances[0].instanceRelationShipTypeId",
            "differs from instanceRelationshipTypeId; give one of them",
        ),
        (
            {"childInstances": [{"instanceIdentifier": {"hrid": "b"}, "provisionalInstance": None}]},
            "childInstances[0].provisionalInstance",
            "must be an object, not null",
        ),
    ],
)
def test_a_relation_that_the_module_would_misread_is_refused(
    relations: dict[str, Any], path: str, message: str
) -> None:
    assert refused(upsert(instanceRelations=relations)) == {f"{SET}.instanceRelations.{path}": message}


@pytest.mark.parametrize("hrid", [..., "", " ", None, 5])
def test_a_delete_needs_an_hrid(hrid: Any) -> None:
    operation = {"action": "delete"} if hrid is ... else {"action": "delete", "hrid": hrid}
    assert list(refused(operation)) == [f"{SET}.hrid"]


@pytest.mark.parametrize("name", ["institutionId", "localIdentifier", "identifierTypeId"])
@pytest.mark.parametrize(("value", "message"), [(..., "is required"), (" ", "must not be blank")])
def test_a_shared_upsert_needs_its_three_ids(name: str, value: Any, message: str) -> None:
    assert refused(upsert_shared(**{name: value})) == {f"{SET}.{name}": message}


def test_a_shared_instance_needs_something_to_make_the_match_key_of() -> None:
    assert refused(upsert_shared(instance={"source": "MARC"})) == {
        f"{SET}.instance.title": "is required where there is no matchKey: the key is made from it"
    }


@pytest.mark.parametrize("instance", [{"matchKey": "tidal_rivers_2019"}, {"title": "Tidal rivers"}])
def test_a_match_key_or_a_title_is_enough(instance: dict[str, Any]) -> None:
    assert plan_of({"inventory": upsert_shared(instance=instance)}).steps


def test_shared_records_need_no_hrid_but_items_all_the_same() -> None:
    assert plan_of({"inventory": upsert_shared(holdingsRecords=[{"items": [{}]}])}).steps
    assert list(refused(upsert_shared(holdingsRecords=[{}]))) == [f"{RECORDS}[0].items"]


def test_an_id_said_differently_inside_processing_is_refused() -> None:
    assert refused(upsert_shared(processing={"localIdentifier": "000418"})) == {
        f"{SET}.processing.localIdentifier": "differs from localIdentifier beside processing; give one of them"
    }


def test_an_id_said_equally_inside_processing_is_taken() -> None:
    assert plan_of({"inventory": upsert_shared(processing={"localIdentifier": "000417"})}).steps


def test_relations_of_a_shared_instance_are_refused() -> None:
    assert refused(upsert_shared(instanceRelations={})) == {f"{SET}.instanceRelations": "is not a known field"}


def test_a_shared_delete_needs_one_identifier() -> None:
    assert refused(delete_shared(localIdentifier=...)) == {
        f"{SET}.localIdentifier": "is required, or oaiIdentifier in its place"
    }


def test_a_shared_delete_with_both_identifiers_is_refused() -> None:
    assert refused(delete_shared(oaiIdentifier="oai:x:1")) == {
        f"{SET}.oaiIdentifier": "stands in place of localIdentifier; give one of them"
    }


@pytest.mark.parametrize("name", ["institutionId", "identifierTypeId"])
def test_a_shared_delete_needs_its_other_ids(name: str) -> None:
    assert refused(delete_shared(**{name: ...})) == {f"{SET}.{name}": "is required"}


def test_an_unknown_action_is_refused_with_the_known_ones() -> None:
    assert refused(upsert(action="upsert_shared")) == {
        f"{SET}.action": "must be one of upsert, delete, upsert-shared, delete-shared"
    }
