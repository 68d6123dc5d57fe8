"""Calls to the simulated systems, built in one line."""

from collections.abc import Mapping

import orjson

from service.sandbox.exchange import Call, JsonValue, Reply

JsonObject = dict[str, JsonValue]

JSON_API = "application/vnd.api+json"
ACCESS_TYPE = "11111111-1111-4111-8111-111111111111"


def eholdings_call(
    method: str,
    path: str,
    body: object = None,
    *,
    tenant: str = "diku",
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> Call:
    """A call below /eholdings/resources; `body` is JSON unless it is bytes already."""
    sent = {"Content-Type": JSON_API, "Accept": JSON_API} if headers is None else headers
    raw = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
    return Call(method, f"/eholdings/resources{path}", query or {}, tuple(sent.items()), raw, tenant)


def put_call(
    resource_id: str, given: Mapping[str, object] | None = None, *, tenant: str = "diku", **named: object
) -> Call:
    """A PUT of a resource with these attributes and no others."""
    body = {"data": {"type": "resources", "attributes": {**(given or {}), **named}}}
    return eholdings_call("PUT", f"/{resource_id}", body, tenant=tenant)


def scsb_call(body: object, *, headers: Mapping[str, str] | None = None) -> Call:
    """A transfer request with the sandbox's key."""
    sent = {"api_key": "sandbox-scsb-key", "Content-Type": "application/json"} if headers is None else headers
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return Call("POST", "/sharedCollection/transferHoldingsAndItems", {}, tuple(sent.items()), raw)


def holdingsiq_call(method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None) -> Call:
    """A call below /rm/rmaccounts with the sandbox's key; `body` is JSON unless it is bytes already."""
    sent = {"x-api-key": "sandbox-holdingsiq-key"} if headers is None else headers
    raw = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
    return Call(method, f"/rm/rmaccounts{path}", {}, tuple(sent.items()), raw)


def item_ids(bib: str | None, holdings: str | None, item: str | None) -> JsonObject:
    """One side of an item transfer."""
    return {"owningInstitutionBibId": bib, "owningInstitutionHoldingsId": holdings, "owningInstitutionItemId": item}


def holdings_ids(bib: str | None, holdings: str | None) -> JsonObject:
    """One side of a holdings transfer."""
    return {"owningInstitutionBibId": bib, "owningInstitutionHoldingsId": holdings}


def content(reply: Reply) -> JsonObject:
    """The JSON object of a reply."""
    value = orjson.loads(reply.body)
    assert isinstance(value, dict)
    return value


def at(value: JsonValue, *path: str | int) -> JsonValue:
    """What lies at a path of names and positions."""
    for step in path:
        if isinstance(step, str):
            assert isinstance(value, dict)
            value = value[step]
        else:
            assert isinstance(value, list)
            value = value[step]
    return value
