"""What is valid in the `eholdings` part, and what is refused before the system is called."""

from __future__ import annotations

from typing import Any

import pytest

from service.domain.operations import UpdateResource
from tests.builders.events import ACCESS_TYPE_ID, add, faults_of, plan_of, update

PATCH = "data.eholdings.attributes"


def patched(attributes: dict[str, Any]) -> object:
    [step] = plan_of({"eholdings": update(attributes)}).steps
    assert isinstance(step, UpdateResource)
    return step.attributes


def refused(attributes: Any) -> dict[str, str]:
    return faults_of({"eholdings": update(attributes)})


@pytest.mark.parametrize(
    "attributes",
    [
        {"isSelected": True},
        {"isSelected": False},
        {"coverageStatement": "Only issues from the 1990s"},
        {"coverageStatement": ""},
        {"coverageStatement": "x" * 250},
        {"customEmbargoPeriod": {"embargoUnit": "Months", "embargoValue": 6}},
        {"isHidden": False},
        {"proxyId": "ezproxy-main"},
        {"url": "https://journals.example/tidal?vol=1"},
        {"url": "http://journals.example/" + "x" * 576},
        {"accessTypeId": ACCESS_TYPE_ID},
        {"userDefinedField1": "x" * 500, "userDefinedField5": ""},
    ],
)
def test_a_valid_patch_goes_on_as_it_is(attributes: dict[str, Any]) -> None:
    assert patched(attributes) == attributes


@pytest.mark.parametrize(
    "name",
    [
        "coverageStatement",
        "customCoverages",
        "customEmbargoPeriod",
        "isHidden",
        "proxyId",
        "url",
        "accessTypeId",
        *(f"userDefinedField{number}" for number in range(1, 6)),
    ],
)
def test_null_clears_an_attribute_and_is_kept_apart_from_absence(name: str) -> None:
    assert patched({name: None}) == {name: None}


@pytest.mark.parametrize("period", [{"embargoUnit": None, "embargoValue": 0}, {"embargoValue": 0}])
def test_no_embargo_as_the_system_tells_it_counts_as_null(period: dict[str, Any]) -> None:
    assert patched({"customEmbargoPeriod": period}) == {"customEmbargoPeriod": None}


@pytest.mark.parametrize(
    ("period", "fault", "message"),
    [
        ({"embargoUnit": "Months", "embargoValue": 0}, ".embargoValue", "must be greater than 0"),
        ({"embargoUnit": "Months", "embargoValue": -1}, ".embargoValue", "must be greater than 0"),
        ({"embargoUnit": "Months", "embargoValue": 2**31}, ".embargoValue", "must be at most 2147483647"),
        ({"embargoUnit": "Months", "embargoValue": "6"}, ".embargoValue", "must be a whole number, not a string"),
        (
            {"embargoUnit": "Months", "embargoValue": 6.0},
            ".embargoValue",
            "must be a whole number, not a decimal number",
        ),
        ({"embargoUnit": "Months", "embargoValue": True}, ".embargoValue", "must be a whole number, not true"),
        ({"embargoUnit": "Months"}, ".embargoValue", "is required"),
        ({"embargoValue": 6}, ".embargoUnit", "is required"),
        (
            {"embargoUnit": "months", "embargoValue": 6},
            ".embargoUnit",
            "must be 'Days', 'Weeks', 'Months' or 'Years'",
        ),
        ({"embargoUnit": "Days", "embargoValue": 6, "kind": 1}, ".kind", "is not a known field"),
        ([], "", "must be an object, not a list"),
    ],
)
def test_an_embargo_that_the_system_would_misread_is_refused(period: Any, fault: str, message: str) -> None:
    assert refused({"customEmbargoPeriod": period}) == {f"{PATCH}.customEmbargoPeriod{fault}": message}


@pytest.mark.parametrize(
    ("attributes", "name", "message"),
    [
        ({"isSelected": None}, "isSelected", "must be true or false, not null"),
        ({"isSelected": "true"}, "isSelected", "must be true or false, not a string"),
        ({"isSelected": 1}, "isSelected", "must be true or false, not a number"),
        ({"isHidden": "no"}, "isHidden", "must be true or false, not a string"),
        ({"coverageStatement": "x" * 251}, "coverageStatement", "must have at most 250 characters"),
        ({"coverageStatement": 1990}, "coverageStatement", "must be a string, not a number"),
        ({"customCoverages": {}}, "customCoverages", "must be a list, not an object"),
        ({"proxyId": 7}, "proxyId", "must be a string, not a number"),
        ({"url": "https://journals.example/" + "x" * 576}, "url", "must have at most 600 characters"),
        ({"userDefinedField3": "x" * 501}, "userDefinedField3", "must have at most 500 characters"),
        ({"accessTypeId": "2f6c1b0e"}, "accessTypeId", "must be a UUID of version 1 to 5"),
        ({"accessTypeId": ACCESS_TYPE_ID.replace("4a3c", "7a3c")}, "accessTypeId", "must be a UUID of version 1 to 5"),
    ],
)
def test_a_value_that_the_system_would_refuse_is_refused(attributes: Any, name: str, message: str) -> None:
    assert refused(attributes) == {f"{PATCH}.{name}": message}


@pytest.mark.parametrize(
    "url", ["ftp://journals.example", "journals.example", "https://", "https://a b", "http:///x", ""]
)
def test_an_address_must_be_http_and_without_spaces(url: str) -> None:
    assert refused({"url": url}) == {
        f"{PATCH}.url": "must be an address without spaces that starts with http:// or https://"
    }


def test_an_unknown_attribute_is_refused_with_a_list_of_the_known_ones() -> None:
    assert refused({"coverageStatment": "misspelt"}) == {
        f"{PATCH}.coverageStatment": "is not a known attribute; known are "
        "isSelected, coverageStatement, customCoverages, customEmbargoPeriod, isHidden, proxyId, url, accessTypeId, "
        "userDefinedField1, userDefinedField2, userDefinedField3, userDefinedField4, userDefinedField5"
    }


@pytest.mark.parametrize(
    "name",
    [
        "name",
        "publisherName",
        "edition",
        "description",
        "contributors",
        "identifiers",
        "publicationType",
        "isPeerReviewed",
    ],
)
def test_an_edit_of_the_title_is_refused_because_the_system_ignores_it(name: str) -> None:
    assert "edits of the title are ignored by the system" in refused({name: "Tidal rivers"})[f"{PATCH}.{name}"]


@pytest.mark.parametrize(("theirs", "ours"), [("visibilityData", "isHidden"), ("proxy", "proxyId")])
def test_the_systems_own_spelling_of_an_attribute_is_refused_with_ours(theirs: str, ours: str) -> None:
    assert refused({theirs: {}}) == {f"{PATCH}.{theirs}": f"is written {ours} here"}


@pytest.mark.parametrize("other", [{"isHidden": True}, {"coverageStatement": None}, {"customCoverages": []}])
def test_a_deselection_carries_no_other_attribute(other: dict[str, Any]) -> None:
    faults = refused({"isSelected": False, **other})
    assert list(faults) == [f"{PATCH}.isSelected"]
    assert "use the action deselect" in faults[f"{PATCH}.isSelected"]


@pytest.mark.parametrize(
    "members", [{}, {"attributes": None}, {"attributes": {}}], ids=["nothing", "null", "an empty patch"]
)
def test_an_update_that_asks_for_nothing_is_refused(members: dict[str, Any]) -> None:
    assert faults_of({"eholdings": update(**members)}) == {PATCH: "an update needs at least one attribute, or tags"}


@pytest.mark.parametrize(("tags", "sent"), [(["law", "2025"], ("law", "2025")), ([], ())])
def test_tags_alone_are_an_update_and_an_empty_list_clears_them(tags: list[str], sent: tuple[str, ...]) -> None:
    [step] = plan_of({"eholdings": update(tags=tags)}).steps
    assert isinstance(step, UpdateResource)
    assert (step.attributes, step.tags) == ({}, sent)


@pytest.mark.parametrize(
    ("tags", "fault", "message"),
    [
        (None, "", "must not be null; leave it out instead"),
        ("law", "", "must be a list, not a string"),
        (["law", " "], "[1]", "must not be blank"),
        (["law", ""], "[1]", "must not be blank"),
        ([1], "[0]", "must be a string, not a number"),
    ],
)
def test_tags_are_a_list_of_words(tags: Any, fault: str, message: str) -> None:
    assert faults_of({"eholdings": update(tags=tags)}) == {f"data.eholdings.tags{fault}": message}


@pytest.mark.parametrize("resource_id", ["51-70312", "51-70312-", "a-1-2", "51-70312-884106 ", "٣-1-2", ""])
@pytest.mark.parametrize("action", ["update", "deselect", "remove"])
def test_a_resource_id_is_three_numbers(action: str, resource_id: str) -> None:
    extra: dict[str, Any] = {"tags": []} if action == "update" else {}
    assert faults_of({"eholdings": {"action": action, "resourceId": resource_id, **extra}}) == {
        "data.eholdings.resourceId": "must be three numbers joined by hyphens, like 22-1887786-1440285"
    }


def test_numbers_in_place_of_ids_are_refused_not_turned_into_texts() -> None:
    assert faults_of({"eholdings": add(packageId=51, titleId=884106)}) == {
        "data.eholdings.packageId": "must be a string, not a number",
        "data.eholdings.titleId": "must be a string, not a number",
    }


def test_the_ids_of_an_add_are_checked_and_required() -> None:
    assert faults_of({"eholdings": add(packageId="51", titleId=...)}) == {
        "data.eholdings.packageId": "must be two numbers joined by a hyphen, like 123355-2845510",
        "data.eholdings.titleId": "is required",
    }


def test_an_add_that_deselects_is_refused() -> None:
    assert faults_of({"eholdings": add(attributes={"isSelected": False})}) == {
        f"{PATCH}.isSelected": "must not be false: a title that is added is selected"
    }


@pytest.mark.parametrize("inner", ["https://b.example", None])
def test_two_different_addresses_in_an_add_are_refused(inner: str | None) -> None:
    assert faults_of({"eholdings": add(url="https://a.example", attributes={"url": inner})}) == {
        f"{PATCH}.url": "differs from the url beside attributes; give one of them"
    }


@pytest.mark.parametrize(
    "operation", [{"action": "select"}, {"action": None}, {"action": ["update"]}, {"resourceId": "1-2-3"}, {}]
)
def test_an_action_that_is_not_one_of_the_four_is_refused(operation: dict[str, Any]) -> None:
    assert faults_of({"eholdings": operation}) == {
        "data.eholdings.action": "must be one of update, deselect, add, remove"
    }


@pytest.mark.parametrize(("raw", "kind"), [([], "a list"), ("update", "a string"), (False, "false"), (0, "a number")])
def test_an_operation_that_is_not_an_object_is_refused(raw: Any, kind: str) -> None:
    assert faults_of({"eholdings": raw}) == {"data.eholdings": f"must be an object, not {kind}"}


def test_a_field_of_another_action_is_refused() -> None:
    assert faults_of({"eholdings": {"action": "deselect", "resourceId": "1-2-3", "tags": []}}) == {
        "data.eholdings.tags": "is not a known field"
    }


def test_a_field_that_is_called_like_an_action_keeps_its_place_in_the_path() -> None:
    assert faults_of({"eholdings": {"action": "remove", "resourceId": "1-2-3", "remove": 1}}) == {
        "data.eholdings.remove": "is not a known field"
    }
