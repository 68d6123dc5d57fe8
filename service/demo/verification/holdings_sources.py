"""Which holdings sources there are: a tree of tenant, name, and who maintains the source."""

from __future__ import annotations

from typing import Final

from service.demo.sample import Change, JsonObject
from service.demo.verification.comparing import object_in

SYSTEM: Final = "holdings-sources"


def read(state: JsonObject) -> JsonObject:
    """The tree of a state as the sandbox's control API gives it."""
    tree: JsonObject = {}
    for tenant, sources in object_in(state, SYSTEM, "tenants").items():
        for source in sources.values() if isinstance(sources, dict) else ():
            if isinstance(source, dict):
                object_in(tree, tenant)[str(source["name"])] = source.get("source")
    return tree


def apply(tree: JsonObject, change: Change) -> None:
    """Does to the tree what one operation asks for."""
    name = str(change.operation["name"])
    if change.operation["action"] == "delete":
        object_in(tree, change.tenant).pop(name, None)
    else:
        object_in(tree, change.tenant)[name] = change.operation["source"]
