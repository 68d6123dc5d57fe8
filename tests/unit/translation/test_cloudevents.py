"""CloudEvents 1.0 over Kafka: structured and binary mode, and everything that makes a record unreadable."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from service.domain.codes import Code
from service.domain.events.objections import FAULT_LIMIT
from service.domain.operations import EventIdentity
from service.domain.outcomes import Fault, Rejection
from service.domain.record import Headers, Record
from service.translation.cloudevents import TENANT_RULE, Envelope, decode
from tests.builders.events import MAX_BYTES, TRACEPARENT, binary, envelope, record, structured

DATA = {"eholdings": {"action": "remove", "resourceId": "1-2-3"}}
VALUE = orjson.dumps(DATA)


def read(rec: Record) -> Envelope:
    decoded = decode(rec, MAX_BYTES)
    assert isinstance(decoded, Envelope), decoded
    return decoded


def unreadable(rec: Record) -> dict[str, str]:
    """The faults of a record that is expected to be unreadable, every one of them said in the message too."""
    decoded = decode(rec, MAX_BYTES)
    assert isinstance(decoded, Rejection), decoded
    assert (decoded.code, decoded.event, decoded.asked) == (Code.UNREADABLE, EventIdentity(), ())
    assert all(fault.message in decoded.message for fault in decoded.faults)
    return {fault.path: fault.message for fault in decoded.faults}


# Both modes


@pytest.mark.parametrize(
    "rec",
    [
        structured(data=DATA, tenant="diku", traceparent=TRACEPARENT),
        record(
            structured(data=DATA, tenant="diku", traceparent=TRACEPARENT).value or b"", (("content-type", b"text/x"),)
        ),
        binary(VALUE, tenant="diku", traceparent=TRACEPARENT),
    ],
    ids=["structured", "structured under another content type", "binary"],
)
def test_both_modes_yield_the_same_event(rec: Record) -> None:
    assert read(rec) == Envelope(
        EventIdentity("e-1", "/ils/circulation", "holdings.changed"), "diku", TRACEPARENT, DATA
    )


@pytest.mark.parametrize(
    "rec", [structured(data=DATA), structured(data=DATA, tenant=None, traceparent=None), binary(VALUE)]
)
def test_extension_attributes_may_be_absent(rec: Record) -> None:
    decoded = read(rec)
    assert (decoded.tenant, decoded.traceparent, decoded.faults) == (None, None, ())


@pytest.mark.parametrize("rec", [record(None), binary(None)], ids=["structured", "binary"])
def test_a_tombstone_is_unreadable(rec: Record) -> None:
    assert decode(rec, MAX_BYTES) == Rejection(Code.UNREADABLE, "no value")


def test_a_value_above_the_limit_is_too_large_and_not_parsed() -> None:
    assert decode(record(b"not even JSON"), 12) == Rejection(
        Code.TOO_LARGE, "the value has 13 bytes; at most 12 are taken"
    )


def test_a_value_at_the_limit_is_parsed() -> None:
    rec = structured(data=DATA)
    assert isinstance(decode(rec, len(rec.value or b"")), Envelope)


@pytest.mark.parametrize("name", ["id", "source", "type", "specversion"])
@pytest.mark.parametrize("mode", [structured, binary])
def test_every_required_attribute_is_required(mode: Any, name: str) -> None:
    rec = structured(data=DATA, **{name: ...}) if mode is structured else binary(VALUE, **{name: None})
    assert unreadable(rec) == {name: "is required"}


@pytest.mark.parametrize("name", ["id", "source", "type", "specversion"])
@pytest.mark.parametrize("blank", ["", "   "])
def test_a_required_attribute_must_not_be_blank(name: str, blank: str) -> None:
    told = {name: "must not be blank"}
    assert unreadable(structured(data=DATA, **{name: blank})) == told
    assert unreadable(binary(VALUE, **{name: blank})) == told


@pytest.mark.parametrize("name", ["id", "source", "type", "specversion"])
@pytest.mark.parametrize(
    ("value", "kind"), [(1, "a number"), (1.0, "a decimal number"), (True, "true"), ([], "a list"), ({}, "an object")]
)
def test_a_required_attribute_must_be_a_string(name: str, value: Any, kind: str) -> None:
    assert unreadable(structured(data=DATA, **{name: value})) == {name: f"must be a string, not {kind}"}


@pytest.mark.parametrize("version", ["0.3", "1.0.2", "1", "2.0"])
def test_no_other_version_of_cloudevents_is_taken(version: str) -> None:
    assert unreadable(structured(data=DATA, specversion=version)) == {"specversion": "must be 1.0"}
    assert unreadable(binary(VALUE, specversion=version)) == {"specversion": "must be 1.0"}


def test_all_faults_of_an_envelope_are_named_at_once() -> None:
    rec = structured(id=7, source="", type=..., specversion="0.3", datacontenttype="text/xml", data_base64="%")
    assert list(unreadable(rec)) == ["data_base64", "datacontenttype", "id", "source", "type", "specversion"]


# Structured mode


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"", "not JSON"),
        (b"<event/>", "not JSON"),
        (b'"\xff"', "not JSON"),
        (b'{"id": 123456789012345678901234567890}', "does not fit in 64 bits"),
        (b"[]", "must be an object, not a list"),
        (b"null", "must be an object, not null"),
        (b'"text"', "must be an object, not a string"),
    ],
)
def test_a_value_that_is_no_json_object_is_unreadable(value: bytes, message: str) -> None:
    [(path, told)] = unreadable(record(value)).items()
    assert path == ""
    assert message in told


@pytest.mark.parametrize(
    "content_type",
    [
        b"application/cloudevents+json",
        b"application/cloudevents+json; charset=UTF-8",
        b"Application/CloudEvents+JSON",
    ],
)
def test_the_content_type_of_structured_mode_outweighs_ce_headers(content_type: bytes) -> None:
    rec = structured(data=DATA)
    headers = (("Content-Type", content_type), ("ce_id", b"another"))
    assert read(record(rec.value, headers)).event.id == "e-1"


@pytest.mark.parametrize("content_type", [b"application/cloudevents-batch+json", b"application/cloudevents+avro"])
def test_batches_and_other_formats_are_unreadable(content_type: bytes) -> None:
    [(path, told)] = unreadable(record(structured(data=DATA).value, (("content-type", content_type),))).items()
    assert path == "datacontenttype"
    assert told == f"{content_type.decode()} is not taken; application/cloudevents+json is"


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "application/x+json", None]
)
def test_data_may_say_that_it_is_json(content_type: str | None) -> None:
    assert read(structured(data=DATA, datacontenttype=content_type)).data == DATA


@pytest.mark.parametrize("content_type", ["text/xml", "application/json5", 7, ""])
def test_data_of_another_type_is_unreadable(content_type: Any) -> None:
    assert unreadable(structured(data=DATA, datacontenttype=content_type)) == {
        "datacontenttype": "must be application/json"
    }


def test_an_event_without_data_can_be_read() -> None:
    assert read(structured()).data is None


def test_data_may_come_as_base64() -> None:
    assert read(structured(data_base64=base64.b64encode(VALUE).decode())).data == DATA


@pytest.mark.parametrize(
    ("encoded", "message"),
    [
        ("%%%", "is not base64"),
        ("eyJh", "not JSON"),
        ("é", "is not base64"),
        (7, "must be a string, not a number"),
        (base64.b64encode(b"[123456789012345678901234567890]").decode(), "does not fit in 64 bits"),
    ],
)
def test_base64_that_holds_no_json_is_unreadable(encoded: Any, message: str) -> None:
    [(path, told)] = unreadable(structured(data_base64=encoded)).items()
    assert path == "data_base64"
    assert message in told


def test_data_and_base64_together_are_unreadable() -> None:
    assert unreadable(structured(data=DATA, data_base64=base64.b64encode(VALUE).decode())) == {
        "data_base64": "stands in place of data; give one of them"
    }


# Binary mode


@pytest.mark.parametrize(
    "content_type", [b"application/json", b"application/json; charset=utf-8", b"application/x+json"]
)
def test_binary_mode_takes_json(content_type: bytes) -> None:
    assert read(binary(VALUE, ("content-type", content_type))).data == DATA


@pytest.mark.parametrize("content_type", [b"text/plain", b"application/xml", b""])
def test_binary_mode_takes_nothing_but_json(content_type: bytes) -> None:
    assert list(unreadable(binary(VALUE, ("content-type", content_type)))) == ["datacontenttype"]


def test_header_names_are_read_without_regard_to_case() -> None:
    headers = tuple((name.upper(), value) for name, value in binary(VALUE).headers)
    assert read(record(VALUE, headers)).event.id == "e-1"


def test_header_values_are_utf_8() -> None:
    assert read(binary(VALUE, source="/bücherei")).event.source == "/bücherei"


def test_data_in_binary_mode_that_is_not_json_is_unreadable() -> None:
    [(path, told)] = unreadable(binary(b"{")).items()
    assert (path, told.startswith("not JSON")) == ("data", True)


@pytest.mark.parametrize(
    ("headers", "faults"),
    [
        ((("ce_id", None),), {"id": "header ce_id has no value"}),
        ((("ce_id", b"\xff"),), {"id": "header ce_id is not UTF-8"}),
        ((("ce_id", b"e-1"), ("CE_ID", b"e-2")), {"id": "header ce_id is there more than once, with different values"}),
        ((("ce_id", b"e-1"), ("content-type", None)), {"datacontenttype": "header content-type has no value"}),
        ((("ce_id", b"e-1"), ("content-type", b"\xc3")), {"datacontenttype": "header content-type is not UTF-8"}),
        (
            (("ce_id", b"e-1"), ("ce_tenant", None), ("ce_subject", b"\xfe")),
            {"tenant": "header ce_tenant has no value", "subject": "header ce_subject is not UTF-8"},
        ),
    ],
)
def test_headers_that_cannot_be_read_are_all_named(headers: Headers, faults: dict[str, str]) -> None:
    rest = binary(VALUE, id=None).headers
    assert unreadable(record(VALUE, (*headers, *rest))) == faults


def test_a_header_that_is_repeated_with_the_same_value_does_no_harm() -> None:
    assert read(binary(VALUE, ("ce_id", b"e-1"))).event.id == "e-1"


def test_other_headers_may_hold_anything() -> None:
    assert read(binary(VALUE, ("x-trace", None), ("blob", b"\xff"))).data == DATA


def test_one_ce_header_makes_it_binary_mode() -> None:
    told = unreadable(record(structured(data=DATA).value, (("ce_id", b"e-1"),)))
    assert told == {"source": "is required", "type": "is required", "specversion": "is required"}


# Extension attributes


@pytest.mark.parametrize("tenant", ["diku", "fs00001006", "a.b-c_D", "x" * 100])
def test_a_tenant_of_safe_characters_is_taken(tenant: str) -> None:
    assert read(structured(data=DATA, tenant=tenant)).tenant == tenant


@pytest.mark.parametrize("tenant", ["", "a b", "a/b", "a\n", "dïku", "x" * 101, 7, True, ["diku"], {}])
def test_any_other_tenant_is_a_fault_of_the_data_not_of_the_envelope(tenant: Any) -> None:
    decoded = read(structured(data=DATA, tenant=tenant))
    assert (decoded.tenant, decoded.faults) == (None, (Fault("tenant", TENANT_RULE),))


@pytest.mark.parametrize(
    "traceparent",
    [
        TRACEPARENT[:-1],
        TRACEPARENT + "-00",
        TRACEPARENT.upper(),
        TRACEPARENT.replace("00-4b", "ff-4b"),
        "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01",
        TRACEPARENT + "\n",
        "",
        7,
        {},
    ],
)
def test_an_invalid_traceparent_is_dropped_and_no_fault(traceparent: Any) -> None:
    decoded = read(structured(data=DATA, traceparent=traceparent))
    assert (decoded.traceparent, decoded.faults) == (None, ())


@pytest.mark.parametrize("later", ["cc" + TRACEPARENT[2:], "01" + TRACEPARENT[2:] + "-what-comes\r\nnext"])
def test_of_a_later_version_of_traceparent_the_known_part_is_carried_on(later: str) -> None:
    assert read(structured(data=DATA, traceparent=later)).traceparent == TRACEPARENT


def test_further_attributes_do_no_harm() -> None:
    assert read(record(orjson.dumps(envelope(data=DATA, subject="x", time=7, partitionkey=None)))).data == DATA


def test_of_very_many_headers_that_cannot_be_read_the_first_are_told_and_the_rest_counted() -> None:
    rejection = decode(record(b"{}", tuple((f"ce_{number}", b"\xff") for number in range(50_000))), MAX_BYTES)
    assert isinstance(rejection, Rejection)
    assert rejection.code is Code.UNREADABLE
    assert "and 49000 more headers, which were not looked at" in [fault.message for fault in rejection.faults]
    assert len(rejection.faults) < FAULT_LIMIT + 10
    assert len(rejection.message) < 2000
