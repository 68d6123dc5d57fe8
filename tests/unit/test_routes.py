"""From a record to a plan, or to the reasons why there is none."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import Field

from service import routes
from service.domain.codes import Code
from service.domain.events.shapes import Closed, NonBlank
from service.domain.jsonvalue import JsonValue
from service.domain.operations import Asked, DeleteHoldingsSource, EventIdentity, Plan, RemoveResource
from service.domain.outcomes import Fault, Rejection
from service.domain.record import Record
from service.routes import ROUTES, Route, interpret
from service.translation.cloudevents import TENANT_RULE
from service.translation.translated import Translated
from tests.builders.events import (
    JSON,
    MAX_BYTES,
    RESOURCE_ID,
    TRACEPARENT,
    binary,
    envelope,
    interpreted,
    item_transfer,
    plan_of,
    record,
    rejection_of,
    structured,
    transfer,
    update,
    upsert,
)

REMOVAL = {"eholdings": {"action": "remove", "resourceId": RESOURCE_ID}}
EVENT = EventIdentity("e-1", "/ils/circulation", "holdings.changed")


def test_the_table_names_types_and_topics_without_prefix() -> None:
    assert [(route.event_type, route.topic) for route in ROUTES] == [
        ("holdings.changed", "holdings.changes"),
        ("holdings.transfer.requested", "holdings.transfer-requests"),
        ("holdings.export.requested", "holdings.export-requests"),
    ]


def test_a_valid_event_becomes_a_plan() -> None:
    assert plan_of(REMOVAL, tenant="ucla", traceparent=TRACEPARENT) == Plan(
        EVENT,
        "ucla",
        TRACEPARENT,
        (RemoveResource("ucla", RESOURCE_ID),),
        frozenset({("eholdings", "ucla", RESOURCE_ID)}),
        frozenset(),
    )


def test_the_topic_of_the_record_does_not_matter() -> None:
    rec = record(structured(data=REMOVAL).value, topic="anything")
    assert isinstance(interpreted(rec), Plan)


def test_an_unreadable_record_is_rejected_without_identity() -> None:
    rejection = interpreted(record(b"{"))
    assert isinstance(rejection, Rejection)
    assert (rejection.code, rejection.event, rejection.tenant) == (Code.UNREADABLE, EventIdentity(), None)


def test_a_record_that_is_too_large_is_rejected_without_identity() -> None:
    rejection = interpret(structured(data=REMOVAL), default_tenant="diku", max_bytes=20)
    assert isinstance(rejection, Rejection)
    assert (rejection.code, rejection.event, rejection.tenant) == (Code.TOO_LARGE, EventIdentity(), None)


def test_an_unknown_type_is_rejected_with_the_known_ones() -> None:
    assert rejection_of(REMOVAL, "holdings.exploded", tenant="ucla", traceparent=TRACEPARENT) == Rejection(
        Code.UNKNOWN_TYPE,
        "the type holdings.exploded is not known; known are holdings.changed, holdings.transfer.requested, "
        "holdings.export.requested",
        EventIdentity("e-1", "/ils/circulation", "holdings.exploded"),
        "ucla",
        TRACEPARENT,
    )


def test_a_very_long_unknown_type_is_not_repeated_whole() -> None:
    assert len(rejection_of(REMOVAL, "x" * 100_000).message) < 300


def test_invalid_data_are_rejected_with_faults_and_with_what_was_asked_for() -> None:
    data = {"eholdings": update({"name": "x"}), "holdingsSource": {"action": "delete", "name": " "}}
    rejection = rejection_of(data, traceparent=TRACEPARENT)
    assert rejection == Rejection(
        Code.INVALID_DATA,
        f"2 faults, the first is {rejection.faults[0].path}: {rejection.faults[0].message}",
        EVENT,
        "diku",
        TRACEPARENT,
        rejection.faults,
        (Asked("eholdings", "update", RESOURCE_ID), Asked("holdings-sources", "delete", " ")),
    )
    assert [fault.path for fault in rejection.faults] == ["data.eholdings.attributes.name", "data.holdingsSource.name"]


def test_a_single_fault_is_the_message() -> None:
    rejection = rejection_of({"eholdings": {"action": "remove"}})
    assert rejection.message == "data.eholdings.resourceId: is required"


def test_a_tenant_that_is_not_safe_is_a_fault_even_of_valid_data() -> None:
    rejection = rejection_of(REMOVAL, tenant="a/b")
    assert (rejection.code, rejection.event, rejection.tenant) == (Code.INVALID_DATA, EVENT, None)
    assert rejection.faults == (Fault("tenant", TENANT_RULE),)
    assert rejection.asked == (Asked("eholdings", "remove", RESOURCE_ID),)


def test_faults_of_the_tenant_and_of_the_data_are_told_together() -> None:
    rejection = rejection_of({}, tenant=7)
    assert [fault.path for fault in rejection.faults] == ["tenant", "data"]


@pytest.mark.parametrize("default", ["diku", None])
def test_the_tenant_of_a_plan_and_of_a_rejection_is_the_default_where_the_event_has_none(default: str | None) -> None:
    for data in (REMOVAL, {}):
        assert interpreted(structured(data=data), default).tenant == default


def test_both_modes_yield_the_same_plan() -> None:
    value = json.dumps(REMOVAL).encode()
    assert interpreted(binary(value)) == interpreted(structured(data=REMOVAL))


def test_no_path_shows_how_the_model_tells_operations_apart() -> None:
    data = transfer(inventory=[upsert(instance={"upsert": 1}, upsert=2)])
    faults = rejection_of(data, "holdings.transfer.requested").faults
    assert [fault.path for fault in faults] == ["data.inventory[0].instance.hrid", "data.inventory[0].upsert"]


# A further type


class Withdrawn(Closed):
    """An event type that is not the product's, made of what a new one takes: a model, a translation, a row."""

    reason: Annotated[Literal["lost", "weeded"], Field(description="Why.")]
    name: Annotated[NonBlank, Field(description="Name of the source that goes.")]


def translate_withdrawn(event: Withdrawn, tenant: str) -> Translated:
    return Translated((DeleteHoldingsSource(tenant, event.name),), frozenset({("holdings-source", tenant, event.name)}))


def asked_of_withdrawn(data: JsonValue) -> tuple[Asked, ...]:
    return (Asked("holdings-sources", "delete", None),)


def test_a_further_type_takes_a_model_a_translation_and_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Route("source.withdrawn", "withdrawals", Withdrawn, translate_withdrawn, asked_of_withdrawn)
    monkeypatch.setattr(routes, "_BY_TYPE", {row.event_type: row})

    plan = plan_of({"reason": "lost", "name": "Union"}, "source.withdrawn")
    rejection = rejection_of({"reason": "sold"}, "source.withdrawn")

    assert plan.steps == (DeleteHoldingsSource("diku", "Union"),)
    assert [fault.path for fault in rejection.faults] == ["data.name", "data.reason"]
    assert rejection.asked == (Asked("holdings-sources", "delete", None),)
    assert "reason" in routes.json_schema("source.withdrawn")["properties"]


# Whatever comes

HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            ["content-type", "Content-Type", "ce_id", "ce_source", "ce_type", "ce_specversion", "ce_tenant", "x"]
        ),
        st.none()
        | st.binary(max_size=20)
        | st.sampled_from([b"application/json", b"application/cloudevents+json", b"1.0", b"holdings.changed"]),
    ),
    max_size=8,
).map(tuple)

WORDS = st.sampled_from(
    [
        "action", "update", "add", "upsert", "delete", "upsert-shared", "delete-shared", "eholdings", "inventory",
        "holdingsSource", "resourceId", "attributes", "customCoverages", "beginCoverage", "endCoverage", "2001-01-01",
        "tags", "instance", "hrid", "holdingsRecords", "items", "sourceName", "instanceRelations", "parentInstances",
        "instanceIdentifier", "processing", "item", "status", "itemTransfers", "holdingTransfers", "source",
        "destination", "owningInstitutionItemId", "boundWith", "institution", "\x1fupdate", "",
    ]
)  # fmt: skip
LIKELY = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=30,
)
TYPES = st.sampled_from([route.event_type for route in ROUTES])


def decided(rec: Record) -> Plan | Rejection:
    interpretation = interpret(rec, default_tenant="diku", max_bytes=MAX_BYTES)
    assert isinstance(interpretation, (Plan, Rejection))
    if isinstance(interpretation, Plan):
        assert interpretation.steps
        assert interpretation.writes
    else:
        assert interpretation.message
        assert all(fault.message for fault in interpretation.faults)
    return interpretation


@given(st.none() | st.binary(), HEADERS)
def test_any_bytes_are_decided_on(value: bytes | None, headers: Any) -> None:
    decided(record(value, headers))


@given(JSON)
def test_any_json_is_decided_on(value: Any) -> None:
    decided(record(json.dumps(value).encode()))


@given(TYPES, JSON | LIKELY, JSON, JSON)
def test_any_data_and_extensions_are_decided_on(event_type: str, data: Any, tenant: Any, traceparent: Any) -> None:
    value = json.dumps(envelope(event_type, data, tenant=tenant, traceparent=traceparent)).encode()
    assert decided(record(value)).event.type == event_type


@given(LIKELY, LIKELY, LIKELY, st.sampled_from(["update", "add", "upsert", "delete", "upsert-shared", "delete-shared"]))
@example({"customCoverages": [{"beginCoverage": "9999-12-31"}] * 3}, {}, {}, "update")
def test_any_operation_is_decided_on(attributes: Any, records: Any, other: Any, action: str) -> None:
    operation = {"action": action, "attributes": attributes, "holdingsRecords": records, "instanceRelations": other}
    decided(record(json.dumps(envelope(data={"eholdings": operation, "inventory": operation})).encode()))
    decided(
        record(
            json.dumps(
                envelope(
                    "holdings.transfer.requested",
                    {"itemTransfers": [records, item_transfer()], "inventory": [operation]},
                )
            ).encode()
        )
    )
