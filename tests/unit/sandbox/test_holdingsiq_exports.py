"""HoldingsIQ's exports: key, quota, creating, reading, listing, deleting, and the course of an export."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping

import orjson
import pytest

from service.sandbox.exchange import JsonValue, Reply
from service.sandbox.holdingsiq import CsvFile, HoldingsIq, Plan, customer, export, holdingsiq_state
from tests.builders.sandbox import JsonObject, at, content, holdingsiq_call

NOON = 1_700_000_000.241315
KBART2 = {"type": "KBART2", "format": "csv"}


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def system(clock: Clock) -> HoldingsIq:
    return HoldingsIq(clock=clock)


def create(system: HoldingsIq, wanted: object = KBART2, cust_id: str = "api") -> Reply:
    return system.handle(holdingsiq_call("POST", f"/{cust_id}/exports", wanted))


def created(system: HoldingsIq, wanted: object = KBART2, cust_id: str = "api") -> str:
    return str(content(create(system, wanted, cust_id))["id"])


def read(system: HoldingsIq, export_id: str, cust_id: str = "api") -> JsonObject:
    reply = system.handle(holdingsiq_call("GET", f"/{cust_id}/exports/{export_id}"))
    assert reply.status == 200
    return content(reply)


def statuses(system: HoldingsIq, export_id: str, readings: int) -> list[JsonValue]:
    return [read(system, export_id)["status"] for _ in range(readings)]


def listed(system: HoldingsIq, cust_id: str = "api") -> JsonValue:
    reply = system.handle(holdingsiq_call("GET", f"/{cust_id}/exports"))
    assert reply.status == 200
    records: JsonValue = orjson.loads(reply.body)
    return records


def plan(system: HoldingsIq, *upcoming: Plan, usual: Plan | None = None) -> None:
    system.load(holdingsiq_state(api=customer(plan=usual, upcoming=upcoming)))


def test_a_creation_is_answered_in_the_shape_of_the_published_page(system: HoldingsIq) -> None:
    reply = create(system)

    assert (reply.status, reply.content_type) == (202, "application/json")
    record = content(reply)
    assert list(record) == ["custId", "id", "type", "fileName", "status", "created", "format"]
    assert {**record, "id": ""} == {
        "custId": "api",
        "id": "",
        "type": "KBART2",
        "fileName": "apiExport_kbart2_csv",
        "status": "QUEUED",
        "created": "2023-11-14T22:13:20.241315Z",
        "format": "CSV",
    }


def test_an_id_looks_like_a_uuid_and_is_none(system: HoldingsIq) -> None:
    export_id = created(system)

    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{10}", export_id)
    with pytest.raises(ValueError, match="badly formed"):
        uuid.UUID(export_id)


def test_a_completed_record_has_link_size_and_counts_as_texts_but_no_customer(system: HoldingsIq) -> None:
    plan(system, Plan(after_polls=0, file=CsvFile(rows=250, coverages=2)))

    record = read(system, created(system))

    assert list(record) == [
        "id", "type", "fileName", "status", "created", "format", "links", "size", "customerHoldingsCounts",
    ]  # fmt: skip
    assert (record["status"], record["created"]) == ("COMPLETED", "2023-11-14T22:13:20.241Z")
    assert at(record, "links", 0, "rel") == "download"
    assert isinstance(record["size"], int)
    assert record["customerHoldingsCounts"] == {
        "totalResourceCount": "125",
        "managedResourceCount": "119",
        "customResourceCount": "6",
        "totalManagedPackageCount": "19",
        "totalCustomPackageCount": "1",
        "uniqueResourceCount": "125",
        "uniqueManagedResourceCount": "119",
        "uniqueCustomResourceCount": "6",
    }


def test_a_record_that_is_not_completed_has_neither_link_nor_counts(system: HoldingsIq) -> None:
    record = read(system, created(system))

    assert list(record) == ["id", "type", "fileName", "status", "created", "format"]
    assert record["status"] == "QUEUED"


def test_an_export_goes_through_its_words_by_the_readings_of_its_record(system: HoldingsIq) -> None:
    plan(system, Plan(statuses=("QUEUED", "IN_PROGRESS", "Almost there"), after_polls=6))
    export_id = created(system)

    assert statuses(system, export_id, 8) == [
        "QUEUED", "QUEUED", "IN_PROGRESS", "IN_PROGRESS", "Almost there", "Almost there", "COMPLETED", "COMPLETED",
    ]  # fmt: skip


def test_an_export_goes_through_its_words_with_time(system: HoldingsIq, clock: Clock) -> None:
    plan(system, Plan(after_polls=0, after_seconds=10))
    export_id = created(system)

    found = []
    for seconds in (0, 4, 5, 9.5, 10, 3600):
        clock.now = NOON + seconds
        found += statuses(system, export_id, 1)

    assert found == ["QUEUED", "QUEUED", "IN_PROGRESS", "IN_PROGRESS", "COMPLETED", "COMPLETED"]


@pytest.mark.parametrize("ends", ["FAILED", "EXPORT_ERROR", "Cancelled"])
def test_an_export_may_end_with_any_word_and_has_no_link_then(system: HoldingsIq, ends: str) -> None:
    plan(system, Plan(after_polls=1, ends=ends))
    export_id = created(system)

    assert statuses(system, export_id, 3) == ["QUEUED", ends, ends]
    assert "links" not in read(system, export_id)


def test_an_export_may_never_end(system: HoldingsIq, clock: Clock) -> None:
    plan(system, Plan(after_polls=2, ends=None))
    export_id = created(system)
    clock.now += 1_000_000

    assert statuses(system, export_id, 4) == ["QUEUED", "IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS"]


def test_upcoming_plans_are_for_one_export_each_and_the_usual_one_for_all_after_them(system: HoldingsIq) -> None:
    plan(system, Plan(after_polls=0, ends="FAILED"), usual=Plan(after_polls=0))
    first, second, third = (created(system) for _ in range(3))

    assert [read(system, export_id)["status"] for export_id in (third, second, first)] == [
        "COMPLETED",
        "COMPLETED",
        "FAILED",
    ]


def test_the_list_has_every_export_of_the_customer_newest_first_without_links(system: HoldingsIq, clock: Clock) -> None:
    first = created(system)
    clock.now += 1
    second, third = created(system), created(system, {"type": "COST", "format": "CSV"})
    created(system, cust_id="another")

    records = listed(system)

    assert isinstance(records, list)
    assert [at(record, "id") for record in records] == [third, second, first]
    assert list(content(Reply(200, orjson.dumps(records[0])))) == [
        "id", "type", "fileName", "status", "created", "format",
    ]  # fmt: skip


def test_listing_does_not_move_an_export_on(system: HoldingsIq) -> None:
    export_id = created(system)
    for _ in range(5):
        listed(system)

    assert read(system, export_id)["status"] == "QUEUED"


def test_the_list_may_be_wrapped_in_an_object(system: HoldingsIq) -> None:
    system.load({"list": "object"})
    export_id = created(system)

    assert at(listed(system), "exports", 0, "id") == export_id


def test_the_list_of_a_customer_without_exports_is_empty(system: HoldingsIq) -> None:
    assert listed(system) == []


def test_a_deleted_export_is_gone(system: HoldingsIq) -> None:
    export_id = created(system)

    reply = system.handle(holdingsiq_call("DELETE", f"/api/exports/{export_id}"))

    assert (reply.status, reply.body) == (204, b"")
    for method in ("GET", "DELETE"):
        assert system.handle(holdingsiq_call(method, f"/api/exports/{export_id}")).status == 404
    assert listed(system) == []


def test_an_unknown_export_is_404_in_capital_casing(system: HoldingsIq) -> None:
    elsewhere = created(system, cust_id="another")
    for export_id in ("nothing", elsewhere):
        reply = system.handle(holdingsiq_call("GET", f"/api/exports/{export_id}"))

        assert reply.status == 404
        assert content(reply) == {"Errors": [{"Code": 1001, "Message": "Export not found", "SubCode": 0}]}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"type": "KBART", "format": "csv"}, "Invalid type"),
        ({"type": "kbart2", "format": "csv"}, "Invalid type"),
        ({"format": "csv"}, "Invalid type"),
        ({"type": ["KBART2"], "format": "csv"}, "Invalid type"),
        ({"type": "KBART2", "format": "JSON"}, "Invalid format"),
        ({"type": "KBART2"}, "Invalid format"),
        ([], "Invalid request body"),
        (b"{", "Invalid request body"),
        (b"", "Invalid request body"),
    ],
)
def test_a_bad_request_is_400_and_creates_nothing(system: HoldingsIq, wanted: object, message: str) -> None:
    reply = create(system, wanted)

    assert reply.status == 400
    assert content(reply) == {"errors": [{"code": 1006, "message": message, "subcode": 0}]}
    assert listed(system) == []


@pytest.mark.parametrize("name", ["x-api-key", "X-Api-Key", "X-API-KEY"])
def test_the_key_is_taken_in_a_header_of_any_case(system: HoldingsIq, name: str) -> None:
    call = holdingsiq_call("GET", "/api/exports", headers={name: "sandbox-holdingsiq-key"})

    assert system.handle(call).status == 200


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, {"message": "Forbidden"}),
        ({"api_key": "sandbox-holdingsiq-key"}, {"message": "Forbidden"}),
        ({"api-key": "sandbox-holdingsiq-key"}, {"message": "Forbidden"}),
        ({"x-api-key": "wrong"}, {"errors": [{"code": 1003, "message": "Invalid APIKEY", "subcode": 0}]}),
    ],
)
def test_any_other_key_is_403_and_no_call_of_the_quota(
    system: HoldingsIq, headers: Mapping[str, str], body: JsonObject
) -> None:
    reply = system.handle(holdingsiq_call("POST", "/api/exports", KBART2, headers=headers))

    assert (reply.status, content(reply)) == (403, body)
    assert system.customer("api").quota.used == 0


def test_a_spent_quota_is_429_without_retry_after_until_it_is_raised_or_the_day_is_over(
    system: HoldingsIq, clock: Clock
) -> None:
    system.load(holdingsiq_state(api=customer(quota_limit=2)))
    export_id = created(system)
    read(system, export_id)

    for reply in (create(system), system.handle(holdingsiq_call("GET", f"/api/exports/{export_id}"))):
        assert (reply.status, content(reply), reply.headers) == (429, {"message": "Limit Exceeded"}, ())
    assert create(system, cust_id="another").status == 202
    system.load({"customers": {"api": {"quota": {"limit": 2, "used": 1}}}})
    assert create(system).status == 202
    assert create(system).status == 429
    clock.now += 86_400
    assert create(system).status == 202


def test_a_customer_has_thirty_thousand_calls_a_day(system: HoldingsIq) -> None:
    assert system.customer("api").quota.limit == 30_000


@pytest.mark.parametrize(
    ("method", "path", "served"),
    [
        ("POST", "/rm/rmaccounts/api/exports", True),
        ("GET", "/rm/rmaccounts/api/exports/1", True),
        ("DELETE", "/rm/rmaccounts/api/exports/1", True),
        ("GET", "/s3/cdn.hhm.ebsco.com/api/1/file", True),
        ("PUT", "/rm/rmaccounts/api/exports/1", False),
        ("DELETE", "/rm/rmaccounts/api/exports", False),
        ("GET", "/rm/rmaccounts/api/exports/1/rows", False),
        ("GET", "/rm/rmaccounts/api/holdings", False),
    ],
)
def test_only_the_calls_of_the_exports_are_served(system: HoldingsIq, method: str, path: str, served: bool) -> None:
    assert system.serves(method, path) is served


@pytest.mark.parametrize(
    ("method", "path", "body", "entities"),
    [
        ("POST", "/api/exports", KBART2, ("api/KBART2",)),
        ("POST", "/api/exports", b"{", ("api",)),
        ("GET", "/api/exports", None, ("api",)),
        ("GET", "/api/exports/1-2", None, ("1-2",)),
        ("DELETE", "/api/exports/1-2", None, ("1-2",)),
    ],
)
def test_the_ledger_is_told_what_a_call_is_about(
    system: HoldingsIq, method: str, path: str, body: object, entities: tuple[str, ...]
) -> None:
    assert system.entities(holdingsiq_call(method, path, body)) == entities


def test_what_a_record_states_may_differ_from_the_file(system: HoldingsIq) -> None:
    lie = Plan(after_polls=0, file_name="other", size=7, counts={"totalResourceCount": "9", "customResourceCount": 3})
    plan(system, lie)

    record = read(system, created(system))

    assert (record["fileName"], record["size"]) == ("other", 7)
    assert at(record, "customerHoldingsCounts", "totalResourceCount") == "9"
    assert at(record, "customerHoldingsCounts", "customResourceCount") == 3
    assert at(record, "customerHoldingsCounts", "uniqueResourceCount") == "25"


def test_a_record_may_lack_its_counts(system: HoldingsIq) -> None:
    plan(system, Plan(after_polls=0, counts=None))

    assert "customerHoldingsCounts" not in read(system, created(system))


def test_an_export_may_be_there_from_the_beginning(system: HoldingsIq) -> None:
    seeded = export("old one", "STANDARD", created="2023-06-01T19:31:40.241315Z")
    system.load(holdingsiq_state(api=customer(seeded)))

    record = read(system, "old one")

    assert (record["type"], record["status"], record["created"]) == (
        "STANDARD",
        "COMPLETED",
        "2023-06-01T19:31:40.241Z",
    )
