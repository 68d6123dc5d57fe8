"""Building blocks of stories about electronic resources: operations of events, and what eholdings holds at first."""

from __future__ import annotations

from typing import Final

from service.demo.sample import JsonObject
from service.demo.samples.telling import DEFAULT_TENANT
from service.sandbox.eholdings.seeds import resource
from service.sandbox.exchange import JsonValue

TRIAL: Final = "6a1c24f0-1f6e-4c0e-9c59-3f0d3b9a7e11"
SUBSCRIBED: Final = "b2f7d3b5-7f6b-4c43-8a0e-5f0c1d0a9c22"
OPEN_ACCESS: Final = "c8a90e6d-2b1c-4d57-9e3b-7a6f5e4d3c33"
ACCESS_TYPES: Final = {TRIAL: "Trial", SUBSCRIBED: "Subscription", OPEN_ACCESS: "Open access"}


def update(resource_id: str, *, tags: list[str] | None = None, **attributes: JsonValue) -> JsonObject:
    """An `update`; attributes left out of the call are left out of the patch."""
    operation: JsonObject = {"action": "update", "resourceId": resource_id}
    if attributes:
        operation["attributes"] = attributes
    if tags is not None:
        operation["tags"] = [*tags]
    return operation


def deselect(resource_id: str) -> JsonObject:
    """A `deselect`."""
    return {"action": "deselect", "resourceId": resource_id}


def add(package_id: str, title_id: str, *, url: str | None = None, **others: JsonValue) -> JsonObject:
    """An `add`; `others` are `attributes` and `tags`."""
    operation: JsonObject = {"action": "add", "packageId": package_id, "titleId": title_id, **others}
    if url is not None:
        operation["url"] = url
    return operation


def remove(resource_id: str) -> JsonObject:
    """A `remove`."""
    return {"action": "remove", "resourceId": resource_id}


def years(begin: str, end: str = "") -> JsonObject:
    """A period of coverage. Years alone stand for their first and last day."""
    last = f"{end}-12-31" if len(end) == 4 else end
    return {"beginCoverage": f"{begin}-01-01" if len(begin) == 4 else begin, "endCoverage": last}


def embargo(value: int, unit: str) -> JsonObject:
    """How long the newest issues are held back."""
    return {"embargoUnit": unit, "embargoValue": value}


def seeded(*resources: JsonObject, tenant: str = DEFAULT_TENANT, **others: JsonValue) -> JsonObject:
    """Seed of eholdings: these resources, and `packages` or `titles` beside them."""
    return {"eholdings": {"tenants": {tenant: {"resources": [*resources], **others}}}}


def title(resource_id: str, name: str, **attributes: JsonValue) -> JsonObject:
    """A seed resource: a selected title of a managed package unless `attributes` say otherwise. `tags` and
    `access_type_id` are taken too."""
    return resource(resource_id, name=name, **attributes)  # type: ignore[arg-type]  # two of them are no attributes
