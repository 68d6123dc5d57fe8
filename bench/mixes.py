"""What the events of a benchmark ask for. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from service.engine.ports import Outgoing
from service.kafka.topics import CHANGES

FAILING: Final = "9-9-"
"""Ids of resources at which the stub always fails begin with it."""

BURST: Final = 10
"""Updates of one resource that come right after one another."""

_IDENTIFIER_TYPE: Final = "7e591197-f335-4afb-bc6d-a6d76ca3bace"
_INSTITUTION: Final = "e3c5a7f9-1b2d-4e6f-8a0c-2d4f6b8e0a1c"
_LOCATION: Final = "8e1f0a34-0c3c-4a77-9c3f-6f4b8a7d2e51"


@dataclass(frozen=True, slots=True)
class Mix:
    """`data(number, resource id)` is what the event of that number asks for; `calls` of systems come of it, one after
    the other."""

    name: str
    calls: int
    data: Callable[[int, str], Mapping[str, Any]]

    def event(self, number: int, resource_id: str) -> Outgoing:
        event = {
            "specversion": "1.0",
            "id": str(number),
            "source": "/bench",
            "type": "holdings.changed",
            "data": self.data(number, resource_id),
        }
        return Outgoing(CHANGES, resource_id.encode(), orjson.dumps(event))

    def events(self, first: int, keys: Iterable[int]) -> list[Outgoing]:
        """One for each key, numbered from `first`."""
        return [self.event(first + index, resource(key)) for index, key in enumerate(keys)]


def resource(key: int) -> str:
    return f"1-1-{key}"


def _removal(_number: int, resource_id: str) -> Mapping[str, Any]:
    """DELETE."""
    return {"eholdings": {"action": "remove", "resourceId": resource_id}}


def _update(number: int, resource_id: str) -> Mapping[str, Any]:
    """GET and PUT."""
    return {"eholdings": {"action": "update", "resourceId": resource_id, "attributes": _attributes(number)}}


def _title(number: int, resource_id: str) -> Mapping[str, Any]:
    """A title whose coverage has changed: GET, PUT and PUT of the tags of its electronic resource, and PUT of its
    record set in the shared index."""
    return {
        "eholdings": {
            "action": "update",
            "resourceId": resource_id,
            "attributes": _attributes(number),
            "tags": ["serials", f"load {number}"],
        },
        "inventory": {
            "action": "upsert-shared",
            "instance": {
                "source": "MARC",
                "title": f"Transactions of the society, {resource_id}",
                "instanceTypeId": "6312d172-f0cf-40f6-b27d-9fa8feaf332f",
                "identifiers": [{"value": resource_id, "identifierTypeId": _IDENTIFIER_TYPE}],
            },
            "holdingsRecords": [
                {
                    "permanentLocationId": _LOCATION,
                    "sourceId": "036ee84a-6afd-4c3c-9ad3-4a12ab875f59",
                    "holdingsStatements": [{"statement": f"v.1- (as of {number})"}],
                    "items": [],
                }
            ],
            "institutionId": _INSTITUTION,
            "localIdentifier": resource_id,
            "identifierTypeId": _IDENTIFIER_TYPE,
        },
    }


def _attributes(number: int) -> Mapping[str, Any]:
    """Never those that are there already."""
    return {"coverageStatement": f"as of {number}", "customCoverages": [{"beginCoverage": "1998-01-01"}]}


ONE_CALL: Final = Mix("1 call", 1, _removal)
FOUR_CALLS: Final = Mix("4 calls", 4, _title)
UPDATES: Final = Mix("updates", 2, _update)
