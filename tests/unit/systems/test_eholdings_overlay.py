"""The overlay against a model of what mod-kb-ebsco-java's PUT keeps and what it clears."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.jsonvalue import JsonValue
from service.systems.eholdings_overlay import Resource, differing, put_attributes, read_resource, tags_differ, wanted
from tests.unit.systems.anything import any_json

ACCESS_TYPES = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
FIELDS = tuple(f"userDefinedField{number}" for number in range(1, 6))
COVERAGES = (
    {"beginCoverage": "2010-01-01", "endCoverage": "2011-12-31"},
    {"beginCoverage": "1999-01-01", "endCoverage": "2003-06-30"},
    {"beginCoverage": "1980-05-01", "endCoverage": ""},
)

texts = st.sampled_from(("", "a", "b"))
coverages = st.lists(st.sampled_from(COVERAGES), unique_by=str).map(
    lambda found: sorted(found, key=lambda c: c["beginCoverage"], reverse=True)
)
embargoes = st.sampled_from(({"embargoUnit": "Months", "embargoValue": 6}, {"embargoUnit": "Years", "embargoValue": 1}))
no_embargoes = st.sampled_from(({"embargoUnit": None, "embargoValue": 0}, {"embargoValue": 0}, None))

states = st.fixed_dictionaries(
    {
        "isSelected": st.just(True),
        "coverageStatement": texts,
        "url": texts,
        "isHidden": st.booleans(),
        "proxyId": texts,
        "customCoverages": coverages,
        "customEmbargoPeriod": st.one_of(embargoes, st.none()),
        "accessTypeId": st.sampled_from((None, *ACCESS_TYPES)),
        **dict.fromkeys(FIELDS, texts),
    }
)
clearable = st.one_of(st.none(), texts)
patches = st.fixed_dictionaries(
    {},
    optional={
        "isSelected": st.just(True),
        "coverageStatement": clearable,
        "url": clearable,
        "isHidden": st.one_of(st.none(), st.booleans()),
        "proxyId": clearable,
        "customCoverages": st.one_of(st.none(), coverages),
        "customEmbargoPeriod": st.one_of(embargoes, st.none()),
        "accessTypeId": st.sampled_from((None, *ACCESS_TYPES)),
        **dict.fromkeys(FIELDS, clearable),
    },
)


class Model:
    """A resource of a custom package, as the module keeps it. Values are the patch's own."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        self.state = {**state}

    def document(self, no_embargo: JsonValue = None) -> JsonValue:
        """What GET answers."""
        state = self.state
        attributes: dict[str, JsonValue] = {name: state[name] or None for name in ("coverageStatement", "url", *FIELDS)}
        attributes |= {
            "name": "Title",
            "isSelected": state["isSelected"],
            "visibilityData": {"isHidden": state["isHidden"], "reason": ""},
            "proxy": {"id": state["proxyId"] or "<n>", "inherited": False},
            "customCoverages": list(state["customCoverages"]),
            "customEmbargoPeriod": state["customEmbargoPeriod"] or no_embargo,
        }
        related: JsonValue = {"data": {"id": state["accessTypeId"], "type": "accessTypes"}}
        relationships: JsonValue = {"accessType": related} if state["accessTypeId"] else {}
        return {"data": {"attributes": attributes, "relationships": relationships}}

    def put(self, body: Mapping[str, Any]) -> None:
        """mod-kb-ebsco-java: coverages, embargo and access type are replaced, all else is kept when it is left out."""
        assert body["isSelected"] is not None
        state = self.state
        state["isSelected"] = body["isSelected"]
        state["customCoverages"] = body.get("customCoverages", [])
        state["customEmbargoPeriod"] = body.get("customEmbargoPeriod")
        state["accessTypeId"] = body.get("accessTypeId")
        for name in ("coverageStatement", "url", *FIELDS):
            state[name] = body.get(name, state[name])
        if "visibilityData" in body:
            state["isHidden"] = body["visibilityData"]["isHidden"]
        if "proxy" in body:
            state["proxyId"] = body["proxy"]["id"]


def merged(state: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """The intent, worked out by hand: absent leaves, None clears."""
    empty = {"isHidden": False, "customCoverages": [], "customEmbargoPeriod": None, "accessTypeId": None}
    return {
        **state,
        **{name: empty.get(name, "") if value is None else value for name, value in patch.items()},
    }


def read(model: Model, no_embargo: JsonValue = None) -> Resource:
    resource = read_resource(model.document(no_embargo))
    assert resource is not None
    return resource


@given(states, patches, no_embargoes)
def test_after_the_put_every_patched_attribute_is_as_wanted_and_every_other_as_before(
    state: dict[str, Any], patch: dict[str, Any], no_embargo: JsonValue
) -> None:
    model = Model(state)

    model.put(put_attributes(read(model, no_embargo), wanted(patch)))

    assert model.state == merged(state, patch)


@given(states, patches, no_embargoes)
def test_a_put_is_needed_exactly_when_the_intent_differs(
    state: dict[str, Any], patch: dict[str, Any], no_embargo: JsonValue
) -> None:
    names = differing(read(Model(state), no_embargo), wanted(patch))

    assert set(names) == {name for name, value in merged(state, patch).items() if value != state[name]}


@given(states, patches)
def test_after_the_put_nothing_differs_any_more(state: dict[str, Any], patch: dict[str, Any]) -> None:
    model = Model(state)
    want = wanted(patch)

    model.put(put_attributes(read(model), want))

    assert differing(read(model), want) == ()


@given(states, patches)
def test_a_put_carries_no_attribute_that_it_does_not_need(state: dict[str, Any], patch: dict[str, Any]) -> None:
    resource = read(Model(state))
    body = put_attributes(resource, wanted(patch))

    always = {"isSelected", "customCoverages", "customEmbargoPeriod", "accessTypeId"}
    nested = {"isHidden": "visibilityData", "proxyId": "proxy"}
    assert body.keys() - always <= {nested.get(name, name) for name in differing(resource, wanted(patch))}


@given(states)
def test_a_deselection_goes_out_bare(state: dict[str, Any]) -> None:
    assert put_attributes(read(Model(state)), wanted({"isSelected": False})) == {"isSelected": False}


def test_a_put_that_leaves_out_coverages_would_clear_them_so_they_are_sent_along() -> None:
    model = Model(merged(BLANK, {"customCoverages": list(COVERAGES), "coverageStatement": "old"}))

    body = put_attributes(read(model), wanted({"coverageStatement": "new"}))

    assert body == {"isSelected": True, "customCoverages": list(COVERAGES), "coverageStatement": "new"}


def test_coverages_go_out_newest_first_whatever_order_they_were_read_in() -> None:
    model = Model(merged(BLANK, {"customCoverages": list(reversed(COVERAGES))}))

    assert put_attributes(read(model), {})["customCoverages"] == list(COVERAGES)


def test_nothing_stands_for_no_embargo_and_no_access_type() -> None:
    model = Model(merged(BLANK, {"customEmbargoPeriod": EMBARGO, "accessTypeId": ACCESS_TYPES[0]}))

    body = put_attributes(read(model), wanted({"customEmbargoPeriod": None, "accessTypeId": None}))

    assert body == {"isSelected": True, "customCoverages": []}


@pytest.mark.parametrize(
    "where",
    [
        {"relationships": {"accessType": {"data": {"id": ACCESS_TYPES[0], "type": "accessTypes"}}}},
        {"attributes": {"isSelected": True, "accessTypeId": ACCESS_TYPES[0]}},
    ],
)
def test_the_access_type_is_read_wherever_it_is_told(where: dict[str, JsonValue]) -> None:
    resource = read_resource({"data": {"attributes": {"isSelected": True}, **where}})

    assert resource is not None
    assert put_attributes(resource, {})["accessTypeId"] == ACCESS_TYPES[0]


def test_a_proxy_that_is_inherited_is_not_the_resources_own() -> None:
    document: dict[str, Any] = copy.deepcopy(Model(BLANK).document())  # type: ignore[arg-type]
    document["data"]["attributes"]["proxy"] = {"id": "p1", "inherited": True}
    resource = read_resource(document)
    assert resource is not None

    assert differing(resource, wanted({"proxyId": None})) == ()
    assert put_attributes(resource, wanted({"proxyId": "p1"}))["proxy"] == {"id": "p1"}


@pytest.mark.parametrize(
    "attributes",
    [
        {"isSelected": True, "customCoverages": "2010"},
        {"isSelected": True, "customCoverages": [["2010-01-01", ""]]},
        {"isSelected": True, "customCoverages": [{"beginCoverage": 2010}]},
        {"isSelected": True, "customEmbargoPeriod": {"embargoUnit": 6, "embargoValue": 6}},
        {"isSelected": True, "customEmbargoPeriod": {"embargoUnit": "Days", "embargoValue": "6"}},
        {"isSelected": True, "tags": {"tagList": "a"}},
        {},
    ],
)
def test_a_state_of_unknown_form_is_not_taken_for_an_empty_one(attributes: JsonValue) -> None:
    assert read_resource({"data": {"attributes": attributes}}) is None


@given(any_json)
def test_any_answer_is_read_or_refused(content: JsonValue) -> None:
    resource = read_resource(content)

    if resource is not None:
        assert put_attributes(resource, wanted({"coverageStatement": "x"}))["customCoverages"] is not None


@pytest.mark.parametrize(
    ("tags", "differ"), [(("a", "b"), False), (("b", "a", "a"), False), (("a",), True), ((), True), (("a", "B"), True)]
)
def test_tags_compare_as_a_set(tags: tuple[str, ...], differ: bool) -> None:
    resource = Resource({"isSelected": True}, "Title", ("a", "b"))

    assert tags_differ(resource, tags) is differ


EMBARGO = {"embargoUnit": "Months", "embargoValue": 6}
BLANK: dict[str, Any] = {
    "isSelected": True,
    "isHidden": False,
    "customCoverages": [],
    "customEmbargoPeriod": None,
    "accessTypeId": None,
    **dict.fromkeys(("coverageStatement", "url", "proxyId", *FIELDS), ""),
}


@pytest.mark.parametrize("value", [1e300, -1e300, 2**63, 2**31])
def test_an_embargo_beyond_all_numbers_of_the_system_makes_an_answer_unreadable(value: float) -> None:
    embargo: JsonValue = {"embargoUnit": "Months", "embargoValue": value}
    assert read_resource({"data": {"attributes": {"isSelected": True, "customEmbargoPeriod": embargo}}}) is None
