"""PUT /eholdings/resources/{id}: what is merged, what is replaced, what a deselect takes away (mod-kb-ebsco-java)."""

from __future__ import annotations

import pytest

from service.sandbox.eholdings import Eholdings, eholdings_state, resource
from service.sandbox.exchange import JsonValue
from tests.builders.sandbox import ACCESS_TYPE, JsonObject, at, content, eholdings_call, put_call

MANAGED, CUSTOM_PACKAGE, CUSTOM_TITLE = "19-3964-1001", "19-100001-555", "19-100001-777"
COVERAGES: list[JsonValue] = [
    {"beginCoverage": "2010-01-01", "endCoverage": "2011-01-01"},
    {"beginCoverage": "2005-01-01", "endCoverage": "2006-01-01"},
]
EMBARGO: JsonValue = {"embargoUnit": "Months", "embargoValue": 6}


@pytest.fixture
def system() -> Eholdings:
    customised = resource(
        MANAGED,
        coverageStatement="cs",
        userDefinedField1="u1",
        userDefinedField5="u5",
        customCoverages=COVERAGES,
        customEmbargoPeriod=EMBARGO,
        visibilityData={"isHidden": True, "reason": ""},
        proxy={"id": "EZProxy"},
        access_type_id=ACCESS_TYPE,
        tags=["kept"],
    )
    in_custom_package = resource(CUSTOM_PACKAGE, isPackageCustom=True)
    custom_title = resource(CUSTOM_TITLE, isPackageCustom=True, isTitleCustom=True)
    eholdings = Eholdings()
    eholdings.load(eholdings_state(customised, in_custom_package, custom_title))
    return eholdings


def shown(system: Eholdings, resource_id: str) -> JsonObject:
    reply = system.handle(eholdings_call("GET", f"/{resource_id}"))
    assert reply.status == 200, reply.body
    attributes = at(content(reply), "data", "attributes")
    assert isinstance(attributes, dict)
    return attributes


def access_type(system: Eholdings, resource_id: str) -> JsonValue:
    reply = content(system.handle(eholdings_call("GET", f"/{resource_id}")))
    relationships = at(reply, "data", "relationships")
    assert isinstance(relationships, dict)
    return at(relationships, "accessType", "data", "id") if "accessType" in relationships else None


def test_a_put_that_leaves_out_coverages_clears_them(system: Eholdings) -> None:
    assert system.handle(put_call(MANAGED, isSelected=True)).status == 200

    assert shown(system, MANAGED)["customCoverages"] == []


def test_a_put_that_leaves_out_the_embargo_clears_it_and_reads_back_a_zero(system: Eholdings) -> None:
    system.handle(put_call(MANAGED, isSelected=True))

    assert shown(system, MANAGED)["customEmbargoPeriod"] == {"embargoValue": 0}


def test_a_put_that_leaves_out_the_access_type_deletes_its_mapping(system: Eholdings) -> None:
    assert access_type(system, MANAGED) == ACCESS_TYPE

    system.handle(put_call(MANAGED, isSelected=True))

    assert access_type(system, MANAGED) is None


@pytest.mark.parametrize("value", [None, "left out"])
def test_texts_visibility_and_proxy_are_kept_when_null_or_left_out(system: Eholdings, value: str | None) -> None:
    names = ("coverageStatement", "userDefinedField1", "userDefinedField5", "visibilityData", "proxy")
    nulls = dict.fromkeys(names) if value is None else {}

    assert system.handle(put_call(MANAGED, nulls, isSelected=True)).status == 200

    attributes = shown(system, MANAGED)
    assert [attributes[name] for name in names[:3]] == ["cs", "u1", "u5"]
    assert at(attributes, "visibilityData", "isHidden") is True
    assert at(attributes, "proxy", "id") == "EZProxy"


def test_an_empty_text_clears(system: Eholdings) -> None:
    system.handle(put_call(MANAGED, isSelected=True, coverageStatement="", userDefinedField1=""))

    attributes = shown(system, MANAGED)
    assert (attributes["coverageStatement"], attributes["userDefinedField1"]) == ("", "")


def test_a_put_of_everything_stores_everything(system: Eholdings) -> None:
    sent: JsonObject = {
        "isSelected": True,
        "coverageStatement": "new",
        "userDefinedField3": "u3",
        "customCoverages": COVERAGES,
        "customEmbargoPeriod": {"embargoUnit": "Days", "embargoValue": 30},
        "visibilityData": {"isHidden": False},
        "proxy": {"id": "other"},
        "accessTypeId": ACCESS_TYPE,
    }

    reply = system.handle(put_call(MANAGED, sent))

    attributes = at(content(reply), "data", "attributes")
    assert at(attributes, "coverageStatement") == "new"
    assert at(attributes, "userDefinedField3") == "u3"
    assert at(attributes, "customCoverages") == COVERAGES
    assert at(attributes, "customEmbargoPeriod") == {"embargoUnit": "Days", "embargoValue": 30}
    assert at(attributes, "visibilityData") == {"isHidden": False, "reason": ""}
    assert at(attributes, "proxy", "id") == "other"
    assert at(attributes, "proxy", "inherited") is False
    assert access_type(system, MANAGED) == ACCESS_TYPE


@pytest.mark.parametrize(
    "embargo", [{}, {"embargoUnit": "Days"}, {"embargoUnit": "Days", "embargoValue": 0}, {"embargoValue": 3}, None]
)
def test_half_an_embargo_is_none(system: Eholdings, embargo: JsonValue) -> None:
    system.handle(put_call(MANAGED, isSelected=True, customEmbargoPeriod=embargo))

    assert shown(system, MANAGED)["customEmbargoPeriod"] == {"embargoValue": 0}


def test_the_answer_of_a_put_shows_no_tags_and_a_put_does_not_touch_them(system: Eholdings) -> None:
    reply = content(system.handle(put_call(MANAGED, isSelected=True, tags={"tagList": ["ignored"]})))

    attributes = at(reply, "data", "attributes")
    assert isinstance(attributes, dict)
    assert "tags" not in attributes
    assert shown(system, MANAGED)["tags"] == {"tagList": ["kept"]}


def test_the_url_is_stored_for_custom_packages_only(system: Eholdings) -> None:
    before = shown(system, MANAGED)["url"]

    for resource_id in (MANAGED, CUSTOM_PACKAGE):
        assert system.handle(put_call(resource_id, isSelected=True, url="https://x.example/a")).status == 200

    assert shown(system, MANAGED)["url"] == before
    assert shown(system, CUSTOM_PACKAGE)["url"] == "https://x.example/a"


def test_attributes_of_the_title_are_ignored_even_for_custom_titles(system: Eholdings) -> None:
    before = shown(system, CUSTOM_TITLE)["name"]

    assert system.handle(put_call(CUSTOM_TITLE, isSelected=True, name="Renamed", publisherName="X")).status == 200

    assert shown(system, CUSTOM_TITLE)["name"] == before


def test_an_unknown_attribute_succeeds_and_changes_nothing(system: Eholdings) -> None:
    assert system.handle(put_call(MANAGED, isSelected=True, coverageStatment="misspelt")).status == 200

    assert shown(system, MANAGED)["coverageStatement"] == "cs"


def test_a_bare_deselect_drops_all_customisation_and_selecting_again_does_not_bring_it_back(system: Eholdings) -> None:
    assert system.handle(put_call(MANAGED, isSelected=False)).status == 200
    deselected = shown(system, MANAGED)
    system.handle(put_call(MANAGED, isSelected=True))
    selected = shown(system, MANAGED)

    assert deselected["isSelected"] is False
    assert at(deselected, "proxy", "inherited") is True
    for attributes in (deselected, selected):
        assert "coverageStatement" not in attributes
        assert "userDefinedField1" not in attributes
        assert attributes["customCoverages"] == []
        assert attributes["customEmbargoPeriod"] == {"embargoValue": 0}
        assert at(attributes, "visibilityData", "isHidden") is False
        assert at(attributes, "proxy", "id") == "<n>"
    assert at(selected, "proxy", "inherited") is False


@pytest.mark.parametrize(
    "attribute",
    [
        {"coverageStatement": "x"},
        {"customEmbargoPeriod": EMBARGO},
        {"visibilityData": {"isHidden": True}},
        {"customCoverages": COVERAGES},
        {"userDefinedField4": "x"},
    ],
)
def test_a_deselect_that_carries_an_attribute_is_refused(system: Eholdings, attribute: JsonObject) -> None:
    reply = system.handle(put_call(MANAGED, attribute, isSelected=False))

    assert reply.status == 422
    error = at(content(reply), "errors", 0)
    assert at(error, "title") == "Resource cannot be updated unless added to holdings"
    assert at(error, "detail") == "Resource must be added to holdings to be able to update"
    assert shown(system, MANAGED)["isSelected"] is True


def test_a_deselect_of_a_custom_title_may_carry_attributes_and_removes_it_all_the_same(system: Eholdings) -> None:
    assert system.handle(put_call(CUSTOM_TITLE, isSelected=False, coverageStatement="x")).status == 500

    assert system.handle(eholdings_call("GET", f"/{CUSTOM_TITLE}")).status == 404


@pytest.mark.parametrize("resource_id", [CUSTOM_PACKAGE, CUSTOM_TITLE])
def test_deselecting_in_a_custom_package_removes_the_title_and_answers_500(system: Eholdings, resource_id: str) -> None:
    reply = system.handle(put_call(resource_id, isSelected=False))

    assert reply.status == 500
    assert at(content(reply), "errors", 0, "title") == "Internal Server Error"
    gone = system.handle(eholdings_call("GET", f"/{resource_id}"))
    assert gone.status == 404
    assert at(content(gone), "errors", 0, "title") == "Title is no longer in this package"


def test_get_shows_coverages_newest_first_whatever_their_order_inside() -> None:
    system = Eholdings()
    system.load(eholdings_state(resource(MANAGED, customCoverages=[*reversed(COVERAGES)])))

    assert shown(system, MANAGED)["customCoverages"] == COVERAGES


def test_tenants_do_not_see_each_other(system: Eholdings) -> None:
    assert system.handle(put_call(MANAGED, tenant="other", isSelected=True)).status == 404
    assert shown(system, MANAGED)["coverageStatement"] == "cs"
