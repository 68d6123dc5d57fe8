"""Eholdings beside PUT: adding, removing, tags, bulk/fetch, the daily quota, seed data."""

from __future__ import annotations

import pytest

from service.sandbox.eholdings import Eholdings, eholdings_state, resource
from service.sandbox.exchange import JsonValue, Reply
from tests.builders.sandbox import ACCESS_TYPE, JSON_API, JsonObject, at, content, eholdings_call, put_call

MANAGED, CUSTOM = "19-3964-1001", "19-100001-555"
DAY_SECONDS = 86_400


class Clock:
    """Epoch seconds that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 100.0 * DAY_SECONDS

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def system(clock: Clock) -> Eholdings:
    eholdings = Eholdings(clock=clock)
    titles: JsonObject = {"888": {"name": "A title to add"}}
    packages: JsonObject = {"19-100001": {"name": "Ours", "isCustom": True}}
    eholdings.load(
        eholdings_state(
            resource(MANAGED, name="Zeitschrift"),
            resource(CUSTOM, name="Annals", isPackageCustom=True, access_type_id=ACCESS_TYPE, tags=["t"]),
            titles=titles,
            packages=packages,
        )
    )
    return eholdings


def add(system: Eholdings, package_id: str, title_id: str, **others: str) -> Reply:
    attributes = {"packageId": package_id, "titleId": title_id, **others}
    return system.handle(eholdings_call("POST", "", {"data": {"type": "resources", "attributes": attributes}}))


def put_tags(system: Eholdings, resource_id: str, attributes: object) -> Reply:
    body = {"data": {"type": "tags", "attributes": attributes}}
    return system.handle(eholdings_call("PUT", f"/{resource_id}/tags", body))


def tags_of(system: Eholdings, resource_id: str) -> JsonValue:
    reply = content(system.handle(eholdings_call("GET", f"/{resource_id}")))
    return at(reply, "data", "attributes", "tags", "tagList")


def fetch(system: Eholdings, *ids: str) -> Reply:
    return system.handle(eholdings_call("POST", "/bulk/fetch", {"resources": [*ids]}))


def title_of(reply: Reply) -> JsonValue:
    return at(content(reply), "errors", 0, "title")


def test_adding_a_title_to_a_custom_package_answers_200_and_selects_it(system: Eholdings) -> None:
    reply = add(system, "19-100001", "888", url="https://x.example/888")

    assert reply.status == 200
    assert at(content(reply), "data", "id") == "19-100001-888"
    attributes = at(content(system.handle(eholdings_call("GET", "/19-100001-888"))), "data", "attributes")
    assert at(attributes, "isSelected") is True
    assert at(attributes, "isPackageCustom") is True
    assert at(attributes, "name") == "A title to add"
    assert at(attributes, "url") == "https://x.example/888"


def test_a_title_cannot_be_added_to_a_managed_package(system: Eholdings) -> None:
    reply = add(system, "19-3964", "888")

    assert reply.status == 422
    assert at(content(reply), "errors", 0) == {
        "title": "Invalid PackageId",
        "detail": "Packageid Cannot associate Title with a managed Package",
    }


def test_a_title_cannot_be_added_twice(system: Eholdings) -> None:
    reply = add(system, "19-100001", "555")

    assert reply.status == 422
    assert at(content(reply), "errors", 0, "detail") == "Package already associated with Title"


@pytest.mark.parametrize(
    ("package_id", "title_id", "status"),
    [
        ("19-100001", "404", 404),
        ("19-404", "888", 404),
        ("19", "888", 400),
        ("19-x", "888", 400),
        ("19-100001", "x", 400),
    ],
)
def test_adding_what_does_not_exist_is_404_and_what_is_no_id_is_400(
    system: Eholdings, package_id: str, title_id: str, status: int
) -> None:
    assert add(system, package_id, title_id).status == status


def test_a_misspelt_attribute_of_a_post_is_422(system: Eholdings) -> None:
    reply = add(system, "19-100001", "888", title="x")

    assert (reply.status, reply.content_type) == (422, "application/json")


def test_removing_from_a_custom_package_is_204_and_takes_tags_and_access_type_along(system: Eholdings) -> None:
    reply = system.handle(eholdings_call("DELETE", f"/{CUSTOM}"))

    assert (reply.status, reply.body, reply.content_type) == (204, b"", None)
    assert system.handle(eholdings_call("GET", f"/{CUSTOM}")).status == 404
    assert CUSTOM not in system.tenant("diku").tags
    assert CUSTOM not in system.tenant("diku").access_type_of


def test_removing_a_second_time_is_500(system: Eholdings) -> None:
    system.handle(eholdings_call("DELETE", f"/{CUSTOM}"))

    assert system.handle(eholdings_call("DELETE", f"/{CUSTOM}")).status == 500


def test_what_was_removed_can_be_added_again(system: Eholdings) -> None:
    system.handle(eholdings_call("DELETE", f"/{CUSTOM}"))

    assert add(system, "19-100001", "555").status == 200
    assert system.handle(eholdings_call("GET", f"/{CUSTOM}")).status == 200


def test_removing_from_a_managed_package_is_400(system: Eholdings) -> None:
    reply = system.handle(eholdings_call("DELETE", f"/{MANAGED}"))

    assert reply.status == 400
    assert at(content(reply), "errors", 0) == {
        "title": "Resource cannot be deleted",
        "detail": "Resource is not in a custom package",
    }


def test_tags_are_replaced_and_cost_no_call_of_the_rm_api(system: Eholdings) -> None:
    reply = put_tags(system, MANAGED, {"name": "n", "tags": {"tagList": ["a", "b"]}})

    assert (reply.status, reply.content_type) == (200, JSON_API)
    assert content(reply)["data"] == {"type": "tags", "attributes": {"name": "n", "tags": {"tagList": ["a", "b"]}}}
    assert system.tenant("diku").quota.used == 0
    assert tags_of(system, MANAGED) == ["a", "b"]


def test_an_empty_list_of_tags_clears_and_null_changes_nothing(system: Eholdings) -> None:
    assert put_tags(system, CUSTOM, {"name": "n", "tags": {"tagList": None}}).status == 200
    assert tags_of(system, CUSTOM) == ["t"]

    assert put_tags(system, CUSTOM, {"name": "n", "tags": {"tagList": []}}).status == 200
    assert tags_of(system, CUSTOM) == []


@pytest.mark.parametrize("name", [None, "", "x" * 201])
def test_tags_need_the_name_of_the_record(system: Eholdings, name: str | None) -> None:
    reply = put_tags(system, MANAGED, {"name": name, "tags": {"tagList": ["a"]}})

    assert (reply.status, title_of(reply)) == (422, "Invalid name")


def test_bulk_fetch_sorts_by_name_and_tells_failures_by_id_alone(system: Eholdings) -> None:
    reply = content(fetch(system, MANAGED, "19-3964-404", CUSTOM))

    included = reply["included"]
    assert isinstance(included, list)
    assert [at(item, "id") for item in included] == [CUSTOM, MANAGED]
    assert reply["meta"] == {"failed": {"resources": ["19-3964-404"]}}


def test_bulk_fetch_lacks_most_attributes(system: Eholdings) -> None:
    attributes = at(content(fetch(system, CUSTOM)), "included", 0, "attributes")

    assert isinstance(attributes, dict)
    absent = {"isSelected", "url", "customEmbargoPeriod", "visibilityData", "proxy", "tags", "isTitleCustom"}
    assert not absent & attributes.keys()


def test_bulk_fetch_is_stale_for_a_day_after_a_put(system: Eholdings, clock: Clock) -> None:
    def statement() -> JsonValue:
        attributes = at(content(fetch(system, MANAGED)), "included", 0, "attributes")
        assert isinstance(attributes, dict)
        return attributes.get("coverageStatement")

    assert statement() is None
    system.handle(put_call(MANAGED, isSelected=True, coverageStatement="after"))
    clock.now += DAY_SECONDS - 1
    assert statement() is None

    clock.now += 1
    assert statement() == "after"


def test_bulk_fetch_takes_twenty_ids_and_counts_repeated_ones_once(system: Eholdings) -> None:
    ids = [f"1-1-{number}" for number in range(20)]

    assert fetch(system, *ids, *ids).status == 200
    refused = fetch(system, *ids, "1-1-20")
    assert (refused.status, refused.content_type) == (422, "application/json")
    assert at(content(refused), "errors", 0, "message") == "size must be between 0 and 20"


def test_bulk_fetch_refuses_an_id_of_another_form(system: Eholdings) -> None:
    reply = fetch(system, MANAGED, "x")

    assert reply.status == 422
    assert at(content(reply), "errors", 0) == {
        "message": "elements in list must match pattern",
        "type": "1",
        "code": "elements in list must match pattern",
        "parameters": [{"key": "resources", "value": f"[{MANAGED}, x]"}],
    }


def test_get_includes_provider_package_and_title_on_request(system: Eholdings) -> None:
    reply = content(system.handle(eholdings_call("GET", f"/{MANAGED}", query={"include": "provider,title"})))

    assert {str(at(item, "type")) for item in _list(reply["included"])} == {"providers", "titles"}
    assert at(reply, "data", "relationships", "provider", "data") == {"type": "providers", "id": "19"}
    assert at(reply, "data", "relationships", "package") == {"meta": {"included": False}}


def test_a_put_costs_three_calls_of_the_quota_and_a_get_one(system: Eholdings) -> None:
    quota = system.tenant("diku").quota

    system.handle(eholdings_call("GET", f"/{MANAGED}"))
    assert quota.used == 1

    system.handle(put_call(MANAGED, isSelected=True))
    assert quota.used == 4


def test_a_spent_quota_is_429_limit_exceeded_until_the_next_day(system: Eholdings, clock: Clock) -> None:
    system.load({"tenants": {"diku": {"quota": {"limit": 3}}}})
    assert system.handle(put_call(MANAGED, isSelected=True)).status == 200

    reply = system.handle(put_call(MANAGED, isSelected=True))

    assert (reply.status, reply.content_type, title_of(reply)) == (429, JSON_API, "Limit Exceeded")
    clock.now += DAY_SECONDS
    assert system.handle(put_call(MANAGED, isSelected=True)).status == 200


def test_a_quota_spent_before_the_reread_answers_429_although_the_put_was_applied(system: Eholdings) -> None:
    system.load({"tenants": {"diku": {"quota": {"limit": 2}}}})

    assert system.handle(put_call(MANAGED, isSelected=True, coverageStatement="applied")).status == 429

    assert system.tenant("diku").resources[MANAGED]["coverageStatement"] == "applied"


def test_the_quota_of_one_tenant_does_not_count_for_another(system: Eholdings) -> None:
    system.load(eholdings_state(resource(MANAGED), tenant="other", quota={"limit": 0}))

    assert system.handle(eholdings_call("GET", f"/{MANAGED}", tenant="other")).status == 429
    assert system.handle(eholdings_call("GET", f"/{MANAGED}")).status == 200


def test_a_snapshot_loaded_into_another_system_is_the_same_state(system: Eholdings) -> None:
    system.handle(put_call(MANAGED, isSelected=True, coverageStatement="kept"))
    system.handle(eholdings_call("DELETE", f"/{CUSTOM}"))
    snapshot = system.snapshot()

    other = Eholdings()
    other.load(snapshot)

    assert other.snapshot() == snapshot


@pytest.mark.parametrize(
    ("tenant", "field"),
    [
        ({"resources": [{"id": "1-2"}]}, "tenants.diku.resources[0].id"),
        ({"resources": [{"id": "1-2-3", "attributes": {"naem": "x"}}]}, "tenants.diku.resources[0].attributes.naem"),
        ({"resources": {}}, "tenants.diku.resources"),
        ({"quota": {"limit": -1}}, "tenants.diku.quota.limit"),
        ({"package": {}}, "tenants.diku.package"),
    ],
)
def test_bad_seed_data_names_the_field_and_loads_nothing(tenant: JsonValue, field: str) -> None:
    system = Eholdings()

    with pytest.raises(ValueError, match=r".+") as refusal:
        system.load({"tenants": {"good": {"resources": [{"id": "1-2-3"}]}, "diku": tenant}})

    assert str(refusal.value).startswith(f"{field}:")
    assert system.snapshot() == {"tenants": {}}


def test_the_ledger_is_told_the_resources_of_every_kind_of_call(system: Eholdings) -> None:
    post = {"data": {"type": "resources", "attributes": {"packageId": "1-2", "titleId": "3"}}}

    assert system.entities(put_call(MANAGED, isSelected=True)) == (MANAGED,)
    assert system.entities(eholdings_call("PUT", f"/{MANAGED}/tags", {})) == (MANAGED,)
    assert system.entities(eholdings_call("POST", "", post)) == ("1-2-3",)
    assert system.entities(eholdings_call("POST", "/bulk/fetch", {"resources": ["1-2-3", "4-5-6"]})) == (
        "1-2-3",
        "4-5-6",
    )
    assert system.entities(eholdings_call("POST", "", b"nonsense")) == ()


def _list(value: JsonValue) -> list[JsonValue]:
    assert isinstance(value, list)
    return value
