"""What eholdings holds: resources with their attributes and tags, as asked for and as found.

A tree of tenant, resource id, field. A cleared field is there as None on neither side: nothing is nothing.
"""

from __future__ import annotations

from typing import Final

from service.demo.sample import Change, JsonObject
from service.demo.verification.comparing import object_in, objects, without_nothing
from service.sandbox.exchange import JsonValue

SYSTEM: Final = "eholdings"

_PLAIN: Final = (
    "isSelected",
    "coverageStatement",
    "customCoverages",
    "url",
    *(f"userDefinedField{number}" for number in range(1, 6)),
)
_UNPROXIED: Final = "<n>"


def read(state: JsonObject) -> JsonObject:
    """The tree of a state as the sandbox's control API gives it."""
    tree: JsonObject = {}
    for tenant, content in object_in(state, SYSTEM, "tenants").items():
        if isinstance(content, dict):
            for resource in objects(content.get("resources")):
                object_in(tree, tenant)[str(resource["id"])] = _fields(resource)
    return tree


def apply(tree: JsonObject, change: Change) -> None:
    """Does to the tree what one operation asks for."""
    operation = change.operation
    resources = object_in(tree, change.tenant)
    match operation["action"]:
        case "remove":
            resources.pop(str(operation["resourceId"]), None)
        case "deselect":
            _deselect(object_in(resources, str(operation["resourceId"])))
        case "update":
            _patch(object_in(resources, str(operation["resourceId"])), operation)
        case "add":
            resource_id = f"{operation['packageId']}-{operation['titleId']}"
            added: JsonObject = {"isSelected": True, "proxyId": _UNPROXIED}
            if operation.get("url"):
                added["url"] = operation["url"]
            resources[resource_id] = added
            _patch(added, operation)
        case unknown:
            raise ValueError(f"no such action: {unknown}")


def _fields(resource: JsonObject) -> JsonObject:
    attributes = object_in(resource, "attributes")
    fields: JsonObject = {name: attributes.get(name) for name in _PLAIN}
    embargo = object_in(attributes, "customEmbargoPeriod")
    fields["customEmbargoPeriod"] = {**embargo} if embargo.get("embargoValue") else None
    fields["isHidden"] = object_in(attributes, "visibilityData").get("isHidden")
    fields["proxyId"] = object_in(attributes, "proxy").get("id")
    fields["accessTypeId"] = resource.get("accessTypeId")
    fields["tags"] = _sorted_tags(resource.get("tags"))
    return without_nothing(fields)


def _deselect(resource: JsonObject) -> None:
    """A managed title that leaves the holdings keeps its address and its tags, nothing else."""
    kept = {name: value for name, value in resource.items() if name in ("url", "tags")}
    resource.clear()
    resource.update(kept, proxyId=_UNPROXIED)


def _patch(resource: JsonObject, operation: JsonObject) -> None:
    for name, value in object_in(operation, "attributes").items():
        resource[name] = _newest_first(value) if name == "customCoverages" else value
    if "tags" in operation:
        resource["tags"] = _sorted_tags(operation["tags"])
    kept = without_nothing(resource)
    resource.clear()
    resource.update(kept)


def _newest_first(coverages: JsonValue) -> JsonValue:
    return [*sorted(objects(coverages), key=lambda coverage: str(coverage["beginCoverage"]), reverse=True)]


def _sorted_tags(tags: JsonValue) -> JsonValue:
    return [*sorted(str(tag) for tag in tags)] if isinstance(tags, list) else []
