"""How eholdings shows a resource: the document of GET, PUT and POST, and the shorter item of bulk/fetch.

Owns the outward form; it must not change anything.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from service.sandbox.eholdings.bodies import object_in
from service.sandbox.eholdings.seeds import TITLE_ATTRIBUTES
from service.sandbox.eholdings.state import Attributes, Tenant
from service.sandbox.exchange import JsonValue

_NOT_INCLUDED: Final[dict[str, JsonValue]] = {"meta": {"included": False}}
_BULK_ATTRIBUTES: Final = (
    "titleId", "name", "publicationType", "coverageStatement", "packageId", "providerId", "providerName",
    "managedCoverages", "customCoverages",
)  # fmt: skip


def resource_document(
    tenant: Tenant,
    resource_id: str,
    attributes: Attributes,
    access_type_id: str | None,
    *,
    include: Collection[str] = (),
    with_tags: bool = False,
) -> dict[str, JsonValue]:
    """The JSON:API document. Attributes without a value are left out; the access type is a relationship, not an
    attribute; tags are shown by GET alone.
    """
    shown: Attributes = {name: value for name, value in attributes.items() if value is not None}
    shown["customCoverages"] = _newest_first(attributes["customCoverages"])
    shown["proxy"] = {**object_in(attributes, "proxy"), "proxiedUrl": attributes.get("url")}
    if with_tags:
        shown["tags"] = {"tagList": [*tenant.tags.get(resource_id, [])]}
    relationships: Attributes = dict.fromkeys(("provider", "title", "package"), _NOT_INCLUDED)
    included: list[JsonValue] = []
    for kind, item in _included_items(tenant, attributes, include):
        relationships[kind] = {"data": {"id": item["id"], "type": item["type"]}}
        included.append(item)
    if access_type_id is not None:
        relationships["accessType"] = {
            "data": {"id": access_type_id, "type": "accessTypes"},
            "meta": {"included": True},
        }
        name = tenant.access_types.get(access_type_id, "")
        included.append({"id": access_type_id, "type": "accessTypes", "attributes": {"name": name}})
    data: Attributes = {
        "id": resource_id,
        "type": "resources",
        "attributes": shown,
        "relationships": relationships,
    }
    return {"data": data, "included": included}


def bulk_item(resource_id: str, attributes: Attributes) -> Attributes:
    """One entry of bulk/fetch: a subset without selection, URL, embargo, visibility, proxy, user fields and tags."""
    shown: Attributes = {name: attributes[name] for name in _BULK_ATTRIBUTES if attributes.get(name) is not None}
    shown["customCoverages"] = _newest_first(attributes["customCoverages"])
    return {"id": resource_id, "type": "resources", "attributes": shown}


def _newest_first(coverages: JsonValue) -> list[JsonValue]:
    found = [coverage for coverage in coverages if isinstance(coverage, dict)] if isinstance(coverages, list) else []
    return [*sorted(found, key=lambda coverage: str(coverage.get("beginCoverage") or ""), reverse=True)]


def _included_items(tenant: Tenant, attributes: Attributes, include: Collection[str]) -> list[tuple[str, Attributes]]:
    package_id = str(attributes["packageId"])
    package = tenant.packages[package_id]
    title: Attributes = {
        name: attributes[name] for name in TITLE_ATTRIBUTES if name != "titleId" and attributes.get(name) is not None
    }
    items: dict[str, Attributes] = {
        "title": {"id": str(attributes["titleId"]), "type": "titles", "attributes": title},
        "provider": {
            "id": str(attributes["providerId"]),
            "type": "providers",
            "attributes": {"name": attributes["providerName"]},
        },
        "package": {
            "id": package_id,
            "type": "packages",
            "attributes": {"name": package.name, "isCustom": package.is_custom, "providerName": package.provider_name},
        },
    }
    return [(kind, item) for kind, item in items.items() if kind in include]
