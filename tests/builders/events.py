"""Events and their parts, valid unless a test says otherwise; a member given as `...` is left out."""

from __future__ import annotations

from typing import Any, Final

import orjson
from hypothesis import strategies as st

from service.domain.operations import Plan
from service.domain.outcomes import Rejection
from service.domain.record import Headers, Partition, Record
from service.routes import interpret

JsonObject = dict[str, Any]

RESOURCE_ID: Final = "51-70312-884106"
ACCESS_TYPE_ID: Final = "2f6c1b0e-9d57-4a3c-8e21-7b40d5c9aa13"
INSTITUTION_ID: Final = "b2a9c8f4-51d3-4c0e-9f6a-3d7e8b1c2045"
IDENTIFIER_TYPE_ID: Final = "7e591197-f335-4afb-bc6d-a6d76ca3bace"
MAX_BYTES: Final = 1_000_000

WHOLE_NUMBERS = st.integers(-(2**63), 2**64 - 1)
LEAVES = st.none() | st.booleans() | WHOLE_NUMBERS | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
"""Any JSON that is read without a value changing."""

TRACEPARENT: Final = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def record(value: bytes | None, headers: Headers = (), topic: str = "holdings.changes") -> Record:
    """A record as it comes from Kafka."""
    return Record(Partition(topic, 0), 7, b"key", value, headers, 1, 0.0)


def envelope(event_type: str = "holdings.changed", data: Any = ..., **attributes: Any) -> JsonObject:
    """A CloudEvent as an object."""
    required = {"specversion": "1.0", "id": "e-1", "source": "/ils/circulation", "type": event_type, "data": data}
    return _with(required, attributes)


def structured(event_type: str = "holdings.changed", data: Any = ..., **attributes: Any) -> Record:
    """A record in structured mode: the whole event in the value."""
    return record(orjson.dumps(envelope(event_type, data, **attributes)))


def binary(value: bytes | None, *more: tuple[str, bytes | None], **attributes: str | None) -> Record:
    """A record in binary mode: attributes in `ce_` headers, data in the value; None leaves out, `more` is added."""
    given: dict[str, str | None] = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "/ils/circulation",
        "type": "holdings.changed",
        **attributes,
    }
    headers = tuple((f"ce_{name}", text.encode()) for name, text in given.items() if text is not None)
    return record(value, (*headers, *more))


def interpreted(rec: Record, default_tenant: str | None = "diku") -> Plan | Rejection:
    return interpret(rec, default_tenant=default_tenant, max_bytes=MAX_BYTES)


def plan_of(data: JsonObject, event_type: str = "holdings.changed", **attributes: Any) -> Plan:
    """The plan of an event that is expected to be valid; says the faults where it is not."""
    plan = interpreted(structured(event_type, data, **attributes))
    assert isinstance(plan, Plan), plan
    return plan


def rejection_of(data: Any, event_type: str = "holdings.changed", **attributes: Any) -> Rejection:
    """The rejection of an event that is expected to be refused."""
    rejection = interpreted(structured(event_type, data, **attributes))
    assert isinstance(rejection, Rejection), rejection
    return rejection


def faults_of(data: Any, event_type: str = "holdings.changed") -> dict[str, str]:
    """The faults of an event that is expected to be refused: path -> message. Fails where one path has two."""
    faults = rejection_of(data, event_type).faults
    by_path = {fault.path: fault.message for fault in faults}
    assert len(by_path) == len(faults), faults
    return by_path


def update(attributes: Any = ..., **members: Any) -> JsonObject:
    return _with({"action": "update", "resourceId": RESOURCE_ID, "attributes": attributes}, members)


def add(**members: Any) -> JsonObject:
    return _with({"action": "add", "packageId": "51-70312", "titleId": "884106"}, members)


def upsert(**members: Any) -> JsonObject:
    return _with({"action": "upsert", "instance": {"hrid": "bib-1001"}}, members)


def upsert_shared(**members: Any) -> JsonObject:
    whole = {
        "action": "upsert-shared",
        "instance": {"title": "Tidal rivers of the north"},
        "institutionId": INSTITUTION_ID,
        "localIdentifier": "000417",
        "identifierTypeId": IDENTIFIER_TYPE_ID,
    }
    return _with(whole, members)


def delete_shared(**members: Any) -> JsonObject:
    whole = {
        "action": "delete-shared",
        "institutionId": INSTITUTION_ID,
        "localIdentifier": "000417",
        "identifierTypeId": IDENTIFIER_TYPE_ID,
    }
    return _with(whole, members)


def holdings(hrid: Any = "hol-1", *items: Any, **members: Any) -> JsonObject:
    return _with({"hrid": hrid, "items": [{"hrid": item} for item in items]}, members)


def item_place(**members: Any) -> JsonObject:
    ids = {
        "owningInstitutionBibId": ".b100000017",
        "owningInstitutionHoldingsId": "0071",
        "owningInstitutionItemId": ".i200000024",
    }
    return _with(ids, members)


def holdings_place(**members: Any) -> JsonObject:
    return _with({"owningInstitutionBibId": ".b100000017", "owningInstitutionHoldingsId": "0071"}, members)


def item_transfer(**members: Any) -> JsonObject:
    return _with({"source": item_place(), "destination": item_place(owningInstitutionBibId=".b100000029")}, members)


def holding_transfer(**members: Any) -> JsonObject:
    whole = {"source": holdings_place(), "destination": holdings_place(owningInstitutionBibId=".b100000029")}
    return _with(whole, members)


def transfer(**members: Any) -> JsonObject:
    """Data of a transfer; one item moves unless `itemTransfers` says otherwise."""
    return _with({"institution": "NYPL", "itemTransfers": [item_transfer()]}, members)


def _with(defaults: JsonObject, members: JsonObject) -> JsonObject:
    return {name: value for name, value in {**defaults, **members}.items() if value is not ...}
