"""Seed data of eholdings: builders for tests and the demonstration, and reading it with errors that name the field.

Owns the shape of the state; see `read_tenant`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from service.sandbox.eholdings.checks import parse_resource_id
from service.sandbox.eholdings.shapes import USER_DEFINED_FIELDS
from service.sandbox.eholdings.state import INHERITED_PROXY, NO_EMBARGO, VISIBLE, Attributes, Package, Tenant
from service.sandbox.exchange import JsonValue
from service.sandbox.quota import read_quota, write_quota
from service.sandbox.seeds import StateError, array_at, object_at, require_known, text_at

TITLE_ATTRIBUTES: Final[tuple[str, ...]] = (
    "alternateTitles", "contributors", "description", "edition", "identifiers", "isPeerReviewed", "isTitleCustom",
    "name", "publicationType", "publisherName", "subjects", "titleId",
)  # fmt: skip
_HOLDING_ATTRIBUTES: Final = (
    "coverageStatement", "customCoverages", "customEmbargoPeriod", "isPackageCustom", "isSelected", "isTokenNeeded",
    "locationId", "managedCoverages", "managedEmbargoPeriod", "packageId", "packageName", "providerId", "providerName",
    "proxy", "titleHasSelectedResources", "url", "visibilityData", *USER_DEFINED_FIELDS,
)  # fmt: skip
_ATTRIBUTES: Final = frozenset((*TITLE_ATTRIBUTES, *_HOLDING_ATTRIBUTES))


def resource(
    resource_id: str, *, access_type_id: str | None = None, tags: Iterable[str] = (), **attributes: JsonValue
) -> dict[str, JsonValue]:
    """A seed resource: attributes by their JSON names over realistic ones (a selected title of a managed package).

    `resource("22-1-2", coverageStatement="since 1990", isPackageCustom=True, tags=["new"])`
    """
    return {
        "id": resource_id,
        "attributes": {**title_defaults(resource_id), **holding_defaults(resource_id), **attributes},
        "accessTypeId": access_type_id,
        "tags": [*tags],
    }


def eholdings_state(
    *resources: dict[str, JsonValue], tenant: str = "diku", **others: JsonValue
) -> dict[str, JsonValue]:
    """A state of one tenant for `Eholdings.load`.

    `others` are its further fields (packages, titles, accessTypes, …).
    """
    return {"tenants": {tenant: {"resources": [*resources], **others}}}


def title_defaults(resource_id: str) -> Attributes:
    """What the knowledge base says about a title nobody described."""
    title_id = resource_id.rpartition("-")[2]
    return {
        "alternateTitles": [],
        "contributors": [],
        "identifiers": [],
        "isPeerReviewed": False,
        "isTitleCustom": False,
        "name": f"Title {title_id}",
        "publicationType": "Journal",
        "publisherName": "Example Press",
        "subjects": [],
        "titleId": int(title_id),
    }


def holding_defaults(resource_id: str) -> Attributes:
    """A selected title of a managed package, without any customisation."""
    provider, package, title = resource_id.split("-")
    return {
        "isPackageCustom": False,
        "isSelected": True,
        "isTokenNeeded": False,
        "locationId": 10_000_000 + int(title),
        "managedEmbargoPeriod": {**NO_EMBARGO},
        "packageId": f"{provider}-{package}",
        "packageName": f"Package {package}",
        "url": f"https://publisher.example/{title}",
        "providerId": int(provider),
        "providerName": f"Provider {provider}",
        "managedCoverages": [],
        **uncustomised(),
    }


def uncustomised() -> Attributes:
    """What the RM API leaves of a resource that is not, or not any more, customised."""
    return {
        "customCoverages": [],
        "customEmbargoPeriod": {**NO_EMBARGO},
        "visibilityData": {**VISIBLE},
        "proxy": {**INHERITED_PROXY},
    }


def read_tenant(tenant: Tenant, content: Mapping[str, JsonValue], where: str) -> None:
    """Adds seed data to a tenant; entries of the same id are replaced, everything else stays. Raises StateError.

    `{"resources": [{"id", "attributes"?, "accessTypeId"?, "tags"?}], "lost": [id], "packages": {"provider-package":
    {"name"?, "providerName"?, "isCustom"?}}, "titles": {title id: attributes}, "accessTypes": {uuid: name},
    "kbCredentials": bool, "quota": {"limit": number|null, "used"?: number}}`. Packages and titles of the resources
    need not be listed.
    """
    known = ("resources", "lost", "packages", "titles", "accessTypes", "kbCredentials", "quota")
    require_known(content, known, where)
    for number, item in enumerate(array_at(content.get("resources", []), f"{where}.resources")):
        _read_resource(tenant, object_at(item, f"{where}.resources[{number}]"), f"{where}.resources[{number}]")
    for item in array_at(content.get("lost", []), f"{where}.lost"):
        tenant.lose(_resource_id(item, f"{where}.lost"))
    for package_id, item in object_at(content.get("packages", {}), f"{where}.packages").items():
        _read_package(tenant, package_id, object_at(item, f"{where}.packages.{package_id}"), f"{where}.packages")
    for title_id, item in object_at(content.get("titles", {}), f"{where}.titles").items():
        attributes = object_at(item, f"{where}.titles.{title_id}")
        require_known(attributes, TITLE_ATTRIBUTES, f"{where}.titles.{title_id}")
        tenant.titles[title_id] = {**title_defaults(title_id), **attributes}
    for type_id, name in object_at(content.get("accessTypes", {}), f"{where}.accessTypes").items():
        tenant.access_types[type_id] = text_at(name, f"{where}.accessTypes.{type_id}")
    if "kbCredentials" in content:
        tenant.has_kb_credentials = bool(content["kbCredentials"])
    if "quota" in content:
        read_quota(tenant.quota, content["quota"], f"{where}.quota")


def write_tenant(tenant: Tenant) -> dict[str, JsonValue]:
    """The tenant in the shape that `read_tenant` takes."""
    ids = sorted({*tenant.resources, *tenant.tags, *tenant.access_type_of})
    return {
        "resources": [_write_resource(tenant, resource_id) for resource_id in ids if resource_id in tenant.resources],
        "lost": [*sorted(tenant.lost)],
        "packages": {
            package_id: {"name": package.name, "providerName": package.provider_name, "isCustom": package.is_custom}
            for package_id, package in tenant.packages.items()
        },
        "titles": {title_id: {**attributes} for title_id, attributes in tenant.titles.items()},
        "accessTypes": {**tenant.access_types},
        "kbCredentials": tenant.has_kb_credentials,
        "quota": write_quota(tenant.quota),
    }


def _write_resource(tenant: Tenant, resource_id: str) -> JsonValue:
    return {
        "id": resource_id,
        "attributes": {**tenant.resources[resource_id]},
        "accessTypeId": tenant.access_type_of.get(resource_id),
        "tags": [*tenant.tags.get(resource_id, [])],
    }


def _read_resource(tenant: Tenant, item: dict[str, JsonValue], where: str) -> None:
    require_known(item, ("id", "attributes", "accessTypeId", "tags"), where)
    resource_id = _resource_id(item.get("id"), f"{where}.id")
    given = object_at(item.get("attributes", {}), f"{where}.attributes")
    require_known(given, _ATTRIBUTES, f"{where}.attributes")
    attributes = {**title_defaults(resource_id), **holding_defaults(resource_id), **given}
    proxy = object_at(attributes["proxy"], f"{where}.attributes.proxy")
    proxy_id = text_at(proxy.get("id"), f"{where}.attributes.proxy.id")
    attributes["proxy"] = {"id": proxy_id, "inherited": proxy.get("inherited", False)}
    tags = [text_at(tag, f"{where}.tags") for tag in array_at(item.get("tags", []), f"{where}.tags")]
    access_type = item.get("accessTypeId")
    access_type_id = None if access_type is None else text_at(access_type, f"{where}.accessTypeId")
    tenant.store(resource_id, attributes)
    tenant.tags.pop(resource_id, None)
    if tags:
        tenant.tags[resource_id] = tags
    tenant.access_type_of.pop(resource_id, None)
    if access_type_id is not None:
        tenant.access_type_of[resource_id] = access_type_id
        tenant.access_types.setdefault(access_type_id, f"Access type {access_type_id}")
    is_custom = bool(attributes["isPackageCustom"])
    package = Package(str(attributes["packageName"]), str(attributes["providerName"]), is_custom)
    tenant.packages.setdefault(str(attributes["packageId"]), package)
    title: Attributes = {name: attributes[name] for name in TITLE_ATTRIBUTES if name in attributes}
    tenant.titles.setdefault(resource_id.rpartition("-")[2], title)


def _read_package(tenant: Tenant, package_id: str, item: dict[str, JsonValue], where: str) -> None:
    require_known(item, ("name", "providerName", "isCustom"), f"{where}.{package_id}")
    provider, _, package = package_id.partition("-")
    if not (provider.isdigit() and package.isdigit()):
        raise StateError(f"{where}.{package_id}", 'a key of the form "provider-package"')
    tenant.packages[package_id] = Package(
        str(item.get("name", f"Package {package}")),
        str(item.get("providerName", f"Provider {provider}")),
        bool(item.get("isCustom", False)),
    )


def _resource_id(value: JsonValue, where: str) -> str:
    text = text_at(value, where)
    parts = text.split("-")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        raise StateError(where, f'"provider-package-title" in numbers, not {text!r}')
    return parse_resource_id(text)
