"""The bodies in which eholdings refuses: JSON:API of the module, JSON and plain text of its framework."""

from __future__ import annotations

import pytest

from service.sandbox.eholdings import Eholdings, eholdings_state, resource
from service.sandbox.exchange import JsonValue
from tests.builders.sandbox import ACCESS_TYPE, JSON_API, JsonObject, at, content, eholdings_call, put_call

MANAGED, CUSTOM_TITLE, LOST = "19-3964-1001", "19-100001-777", "19-3964-1002"


@pytest.fixture
def system() -> Eholdings:
    eholdings = Eholdings()
    eholdings.load(
        eholdings_state(
            resource(MANAGED),
            resource(CUSTOM_TITLE, isPackageCustom=True, isTitleCustom=True),
            lost=[LOST],
        )
    )
    return eholdings


@pytest.mark.parametrize("headers", [{"Content-Type": "application/json"}, {}], ids=["json", "missing"])
def test_a_body_that_is_not_declared_as_json_api_is_400_as_text(system: Eholdings, headers: dict[str, str]) -> None:
    reply = system.handle(eholdings_call("PUT", f"/{MANAGED}", {"data": {}}, headers=headers))

    assert (reply.status, reply.content_type) == (400, "text/plain")
    assert reply.body.decode() == f'Content-type header must be ["{JSON_API}"] but it is "application/json"'


def test_a_charset_behind_the_content_type_does_no_harm(system: Eholdings) -> None:
    call = eholdings_call(
        "PUT",
        f"/{MANAGED}",
        {"data": {"type": "resources", "attributes": {"isSelected": True}}},
        headers={"Content-Type": f"{JSON_API}; charset=utf-8", "Accept": "*/*"},
    )

    assert system.handle(call).status == 200


def test_an_accept_header_without_json_api_is_400_as_text(system: Eholdings) -> None:
    reply = system.handle(eholdings_call("GET", f"/{MANAGED}", headers={"Accept": "application/json"}))

    assert (reply.status, reply.content_type) == (400, "text/plain")
    assert reply.body.startswith(b"Accept header must be")


def test_a_missing_is_selected_is_422_in_the_shape_of_the_framework(system: Eholdings) -> None:
    reply = system.handle(put_call(MANAGED, coverageStatement="x"))

    assert (reply.status, reply.content_type) == (422, "application/json")
    assert content(reply) == {
        "errors": [
            {
                "message": "must not be null",
                "type": "1",
                "code": "jakarta.validation.constraints.NotNull.message",
                "parameters": [{"key": "data.attributes.isSelected", "value": "null"}],
            }
        ]
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"data": {"type": "resources", "foo": 1, "attributes": {"isSelected": True}}}, "foo"),
        ({"bar": 1}, "bar"),
        (
            {
                "data": {
                    "type": "resources",
                    "attributes": {"isSelected": True, "proxy": {"id": "p", "proxiedUrl": "u"}},
                }
            },
            "proxiedUrl",
        ),
    ],
)
def test_an_unknown_field_outside_the_attributes_is_422(system: Eholdings, body: JsonObject, field: str) -> None:
    reply = system.handle(eholdings_call("PUT", f"/{MANAGED}", body))

    assert (reply.status, reply.content_type) == (422, "application/json")
    assert str(at(content(reply), "errors", 0, "message")).startswith(f'Unrecognized field "{field}"')


@pytest.mark.parametrize(
    "attributes",
    [
        {"customEmbargoPeriod": {"embargoUnit": "months", "embargoValue": 6}},
        {"customCoverages": "none"},
        {"visibilityData": {"isHidden": "perhaps"}},
        {"coverageStatement": ["a"]},
    ],
)
def test_a_value_that_cannot_be_read_is_400_as_text(system: Eholdings, attributes: JsonObject) -> None:
    reply = system.handle(put_call(MANAGED, attributes, isSelected=True))

    assert (reply.status, reply.content_type) == (400, "text/plain")


def test_malformed_json_is_400_as_text(system: Eholdings) -> None:
    reply = system.handle(eholdings_call("PUT", f"/{MANAGED}", b'{"data": '))

    assert (reply.status, reply.content_type) == (400, "text/plain")


@pytest.mark.parametrize(
    ("attributes", "title", "detail"),
    [
        (
            {"coverageStatement": "x" * 251},
            "Invalid coverageStatement",
            "coverageStatement is too long (maximum is 250 characters)",
        ),
        (
            {"userDefinedField2": "x" * 501},
            "Invalid userDefinedField2",
            "userDefinedField2 is too long (maximum is 500 characters)",
        ),
        (
            {"customCoverages": [{"beginCoverage": "01/02/2010", "endCoverage": ""}]},
            "Invalid beginCoverage",
            "beginCoverage has invalid format. Should be YYYY-MM-DD",
        ),
        (
            {"customCoverages": [{"beginCoverage": "2010-01-01", "endCoverage": "2010-13-01"}]},
            "Invalid endCoverage",
            "endCoverage has invalid format. Should be YYYY-MM-DD",
        ),
    ],
)
def test_the_module_refuses_with_422_in_json_api(
    system: Eholdings, attributes: JsonObject, title: str, detail: str
) -> None:
    reply = system.handle(put_call(MANAGED, attributes, isSelected=True))

    assert (reply.status, reply.content_type) == (422, JSON_API)
    assert content(reply) == {"errors": [{"title": title, "detail": detail}], "jsonapi": {"version": "1.0"}}


def test_texts_at_their_maximum_and_an_open_end_pass(system: Eholdings) -> None:
    reply = system.handle(
        put_call(
            MANAGED,
            isSelected=True,
            coverageStatement="x" * 250,
            userDefinedField1="x" * 500,
            customCoverages=[{"beginCoverage": "2010-01-01", "endCoverage": ""}],
        )
    )

    assert reply.status == 200


def test_only_the_first_failure_is_told(system: Eholdings) -> None:
    reply = system.handle(put_call(MANAGED, isSelected=True, coverageStatement="x" * 251, userDefinedField1="x" * 501))

    errors = content(reply)["errors"]
    assert isinstance(errors, list)
    assert len(errors) == 1


@pytest.mark.parametrize(
    ("resource_id", "url", "status"),
    [
        (CUSTOM_TITLE, "not a url", 422),
        (CUSTOM_TITLE, "https://x.example/" + "a" * 600, 422),
        (CUSTOM_TITLE, "ftp://x.example/a", 200),
        (MANAGED, "not a url", 200),
    ],
)
def test_the_url_is_checked_for_custom_titles_and_only_as_java_does(
    system: Eholdings, resource_id: str, url: str, status: int
) -> None:
    assert system.handle(put_call(resource_id, isSelected=True, url=url)).status == status


@pytest.mark.parametrize(
    ("coverages", "message"),
    [
        ([("2011-01-01", "2010-01-01")], "1009: Begin Date is greater than End Date."),
        (
            [("2012-01-01", "2013-01-01"), ("2011-01-01", "2012-06-01")],
            "CoverageList cannot contain overlapping dates.",
        ),
        ([("2012-01-01", ""), ("2010-01-01", "")], "CoverageList cannot contain overlapping dates."),
        (
            [("2012-01-01", "2012-12-31"), ("2011-01-01", "2012-01-01")],
            "CoverageList cannot contain overlapping dates.",
        ),
        (
            [("2010-01-01", "2010-12-31"), ("2012-01-01", "2012-12-31")],
            "CoverageList contains a date that exceeds a previous date value",
        ),
    ],
)
def test_the_rm_api_refuses_coverages_it_cannot_take_with_400(
    system: Eholdings, coverages: list[tuple[str, str]], message: str
) -> None:
    sent: list[JsonValue] = [{"beginCoverage": begin, "endCoverage": end} for begin, end in coverages]

    reply = system.handle(put_call(MANAGED, isSelected=True, customCoverages=sent))

    assert (reply.status, reply.content_type) == (400, JSON_API)
    assert at(content(reply), "errors", 0, "title") == message


def test_coverages_that_meet_without_sharing_a_day_are_taken(system: Eholdings) -> None:
    sent = [
        {"beginCoverage": "2012-01-01", "endCoverage": ""},
        {"beginCoverage": "2011-01-01", "endCoverage": "2011-12-31"},
    ]

    assert system.handle(put_call(MANAGED, isSelected=True, customCoverages=sent)).status == 200


def test_coverages_that_are_null_are_500_and_change_nothing(system: Eholdings) -> None:
    reply = system.handle(put_call(MANAGED, isSelected=True, coverageStatement="x", customCoverages=None))

    assert reply.status == 500
    assert "coverageStatement" not in system.tenant("diku").resources[MANAGED]


def test_an_unknown_access_type_is_400_before_any_call_of_the_rm_api(system: Eholdings) -> None:
    reply = system.handle(put_call("19-3964-404", isSelected=True, accessTypeId=ACCESS_TYPE))

    assert reply.status == 400
    assert at(content(reply), "errors", 0, "title") == f"Access type not found: id = {ACCESS_TYPE}"
    assert system.tenant("diku").quota.used == 0


def test_an_access_type_id_that_is_no_uuid_is_422_of_the_framework(system: Eholdings) -> None:
    reply = system.handle(put_call(MANAGED, isSelected=True, accessTypeId="x"))

    assert (reply.status, reply.content_type) == (422, "application/json")
    assert at(content(reply), "errors", 0, "parameters", 0) == {"key": "data.attributes.accessTypeId", "value": "x"}


@pytest.mark.parametrize("resource_id", ["19-3964", "a-b-c", "1-2-3-4", "1--3"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_id_that_is_none_is_400(system: Eholdings, method: str, resource_id: str) -> None:
    body = {"data": {"type": "resources", "attributes": {"isSelected": True}}} if method == "PUT" else None

    reply = system.handle(eholdings_call(method, f"/{resource_id}", body))

    assert reply.status == 400
    assert at(content(reply), "errors", 0, "title") == f"Resource id is invalid - {resource_id}"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_title_the_package_never_had_is_404_with_a_full_stop(system: Eholdings, method: str) -> None:
    body = {"data": {"type": "resources", "attributes": {"isSelected": True}}} if method == "PUT" else None

    reply = system.handle(eholdings_call(method, "/19-3964-404", body))

    assert reply.status == 404
    assert at(content(reply), "errors", 0, "title") == "Title is no longer in this package."


@pytest.mark.parametrize(
    ("method", "status", "title"),
    [
        ("GET", 404, "Title is no longer in this package"),
        ("PUT", 500, "Internal Server Error"),
        ("DELETE", 500, "Internal Server Error"),
    ],
)
def test_a_title_the_package_has_lost_is_404_to_read_and_500_to_change(
    system: Eholdings, method: str, status: int, title: str
) -> None:
    body = {"data": {"type": "resources", "attributes": {"isSelected": True}}} if method == "PUT" else None

    reply = system.handle(eholdings_call(method, f"/{LOST}", body))

    assert reply.status == status
    assert at(content(reply), "errors", 0, "title") == title


@pytest.mark.parametrize(("method", "status"), [("GET", 404), ("PUT", 400)])
def test_a_user_without_kb_credentials_is_refused(system: Eholdings, method: str, status: int) -> None:
    system.load({"tenants": {"diku": {"kbCredentials": False}}})
    body = {"data": {"type": "resources", "attributes": {"isSelected": True}}} if method == "PUT" else None

    reply = system.handle(eholdings_call(method, f"/{MANAGED}", body))

    assert reply.status == status
    assert str(at(content(reply), "errors", 0, "title")).startswith(
        "KB Credentials do not exist or user with userId = "
    )
