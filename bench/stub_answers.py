"""What the stub answers: eholdings resources as mod-kb-ebsco-java shows them, with what was put last, and the report of
mod-inventory-update on a record set of the shared index. Any other request is answered with 204.

Owns the form alone. No rule of the systems is kept here: the sandbox does that.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

import orjson

from bench.mixes import FAILING

MOST_REMEMBERED: Final = 10_000
"""So that half an hour of new resources does not fill the memory."""

_EMPTY: Final = b"HTTP/1.1 204 No Content\r\n\r\n"
_RESOURCES: Final = b"/eholdings/resources/"
_TAGS: Final = b"/tags"
_SHARED: Final = b"/shared-inventory-upsert-matchkey"
_FAILING: Final = b"/" + FAILING.encode()
_JSON_API: Final = b"application/vnd.api+json"
_VERSION: Final = {"version": "1.0"}
_STATES: Final = {"COMPLETED": 0, "FAILED": 0, "SKIPPED": 0, "PENDING": 0}
_NOT_INCLUDED: Final = {"meta": {"included": False}}

_ATTRIBUTES: Final[Mapping[str, Any]] = {
    "alternateTitles": [],
    "contributors": [{"type": "Editor", "contributor": "Alder, R."}],
    "identifiers": [{"id": "0040-9383", "source": "ResourceIdentifier", "subtype": "Print", "type": "ISSN"}],
    "isPeerReviewed": True,
    "isTitleCustom": False,
    "name": "Transactions of the society",
    "publicationType": "Journal",
    "publisherName": "Society Press",
    "subjects": [],
    "isPackageCustom": False,
    "isSelected": True,
    "isTokenNeeded": False,
    "locationId": 11440285,
    "managedEmbargoPeriod": {"embargoValue": 0},
    "packageId": "1-1",
    "packageName": "Journals of societies",
    "url": "https://publisher.example/transactions",
    "providerId": 1,
    "providerName": "Society Press",
    "managedCoverages": [{"beginCoverage": "1998-01-01", "endCoverage": ""}],
    "customCoverages": [],
    "customEmbargoPeriod": {"embargoValue": 0},
    "visibilityData": {"isHidden": False, "reason": ""},
    "proxy": {"id": "<n>", "inherited": True, "proxiedUrl": "https://publisher.example/transactions"},
}
_RELATIONSHIPS: Final = {"provider": _NOT_INCLUDED, "title": _NOT_INCLUDED, "package": _NOT_INCLUDED}
_METRICS: Final = orjson.dumps(
    {
        entity: {verb: {**_STATES, "COMPLETED": int((entity, verb) in done)} for verb in ("CREATE", "UPDATE", "DELETE")}
        for done in ({("INSTANCE", "UPDATE"), ("HOLDINGS_RECORD", "UPDATE")},)
        for entity in ("INSTANCE", "HOLDINGS_RECORD", "ITEM")
    }
)


class _Put:
    """What was put to an electronic resource."""

    def __init__(self) -> None:
        self.attributes: dict[str, Any] = {}
        self.tags: list[str] = []


class Answers:
    """Of one stub, which remembers what was put to the resources that were asked for last."""

    def __init__(self) -> None:
        self._resources: OrderedDict[bytes, _Put] = OrderedDict()

    def answer(self, method: bytes, path: bytes, body: bytes) -> bytes:
        if _FAILING in path:
            return document({"errors": [{"title": "Service Unavailable"}], "jsonapi": _VERSION}, b"503 Unavailable")
        if method == b"PUT" and path == _SHARED:
            return _response(body[:-1] + b',"metrics":' + _METRICS + b"}", b"200 OK", b"application/json")
        if method not in (b"GET", b"PUT") or not path.startswith(_RESOURCES):
            return _EMPTY
        resource_id = path.removeprefix(_RESOURCES)
        if resource_id.endswith(_TAGS):
            return self._tagged(resource_id.removesuffix(_TAGS), body)
        put = self._resource(resource_id)
        if method == b"PUT":
            put.attributes |= orjson.loads(body)["data"]["attributes"]
            return self._shown(resource_id, {**_ATTRIBUTES, **put.attributes})
        return self._shown(resource_id, {**_ATTRIBUTES, **put.attributes, "tags": {"tagList": put.tags}})

    def _resource(self, resource_id: bytes) -> _Put:
        put = self._resources.setdefault(resource_id, _Put())
        self._resources.move_to_end(resource_id)
        if len(self._resources) > MOST_REMEMBERED:
            self._resources.popitem(last=False)
        return put

    def _tagged(self, resource_id: bytes, body: bytes) -> bytes:
        attributes = orjson.loads(body)["data"]["attributes"]
        self._resource(resource_id).tags = attributes["tags"]["tagList"]
        return document({"data": {"type": "tags", "attributes": attributes}, "jsonapi": _VERSION})

    def _shown(self, resource_id: bytes, attributes: Mapping[str, Any]) -> bytes:
        data = {
            "id": resource_id.decode(),
            "type": "resources",
            "attributes": attributes,
            "relationships": _RELATIONSHIPS,
        }
        return document({"data": data, "included": [], "jsonapi": _VERSION})


def document(content: Mapping[str, Any], status: bytes = b"200 OK") -> bytes:
    """JSON:API."""
    return _response(orjson.dumps(content), status, _JSON_API)


def _response(body: bytes, status: bytes, media_type: bytes) -> bytes:
    head = b"HTTP/1.1 %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n" % (status, media_type, len(body))
    return head + body
