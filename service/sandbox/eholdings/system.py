"""The endpoints of eholdings: in which order the framework, the module and the RM API have their say.

Owns that order; each rule lives in the module it belongs to.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Final

import orjson

from service.sandbox.eholdings import rm_api
from service.sandbox.eholdings.answers import RefusedError, document, failure, internal_error
from service.sandbox.eholdings.bodies import check_headers, object_in, read_body, text_in
from service.sandbox.eholdings.checks import (
    check_access_type_id,
    check_bulk_ids,
    check_post,
    check_put,
    check_tags,
    parse_package_id,
    parse_resource_id,
    parse_title_id,
    texts_in,
)  # fmt: skip
from service.sandbox.eholdings.documents import bulk_item, resource_document
from service.sandbox.eholdings.seeds import holding_defaults, read_tenant, write_tenant
from service.sandbox.eholdings.shapes import BULK_BODY, POST_BODY, PUT_BODY, TAGS_BODY
from service.sandbox.eholdings.state import Attributes, Tenant
from service.sandbox.eholdings.updates import merged
from service.sandbox.exchange import Call, JsonValue, Reply, empty_reply
from service.sandbox.quota import SECONDS_PER_DAY, Quota
from service.sandbox.seeds import object_at, require_known

_ROOT: Final = "/eholdings/resources"
_BULK: Final = f"{_ROOT}/bulk/fetch"
_ITEM: Final = re.compile(r"/eholdings/resources/(?P<id>[^/]+)(?P<tags>/tags)?")
_ANONYMOUS_USER: Final = "00000000-0000-4000-8000-000000000000"


class Eholdings:
    """The simulated module with the RM API behind it, by tenant. Every resource must be seeded; no other exists.

    `rm_calls_per_day` bounds the RM API calls of each tenant's UTC day (EBSCO's live limit is 30,000); None: no limit.
    A GET costs one call, a PUT three, a DELETE two, a POST five, bulk/fetch one for each id that is not cached.
    State: `{"tenants": {tenant: …}}`, see `seeds.read_tenant`.
    """

    def __init__(self, rm_calls_per_day: int | None = None, clock: Callable[[], float] = time.time) -> None:
        self.name = "eholdings"
        self._rm_calls_per_day = rm_calls_per_day
        self._clock = clock
        self._tenants: dict[str, Tenant] = {}

    def tenant(self, name: str) -> Tenant:
        """What a tenant holds, for tests in process; made on first sight."""
        found = self._tenants.get(name)
        if found is None:
            found = self._tenants[name] = Tenant(Quota(self._rm_calls_per_day, self._clock))
        return found

    def serves(self, method: str, path: str) -> bool:
        """The resource endpoints of mod-kb-ebsco-java."""
        if path in (_ROOT, _BULK):
            return method == "POST"
        match = _ITEM.fullmatch(path)
        return match is not None and method in (("PUT",) if match["tags"] else ("GET", "PUT", "DELETE"))

    def handle(self, call: Call) -> Reply:
        """Answers one call; refusals come in the three shapes of `answers.py`."""
        tenant = self.tenant(call.tenant)
        match = _ITEM.fullmatch(call.path)
        raw_id = match["id"] if match else ""
        try:
            check_headers(call, has_body=call.method in ("PUT", "POST"))
            match (call.method, bool(match and match["tags"])):
                case ("GET", _):
                    return _get(tenant, call, raw_id)
                case ("PUT", False):
                    return _put(tenant, call, raw_id)
                case ("PUT", True):
                    return _put_tags(tenant, call, raw_id)
                case ("DELETE", _):
                    return _delete(tenant, call, raw_id)
                case _:
                    return _fetch_many(tenant, call, self._clock()) if call.path == _BULK else _post(tenant, call)
        except RefusedError as refused:
            return refused.reply

    def entities(self, call: Call) -> tuple[str, ...]:
        """The resource id of the path; of a POST the id to be, of bulk/fetch all ids asked for."""
        match = _ITEM.fullmatch(call.path)
        if match and call.path != _BULK:
            return (match["id"],)
        try:
            content = orjson.loads(call.body)
        except orjson.JSONDecodeError:
            return ()
        if not isinstance(content, dict):
            return ()
        if call.path == _BULK:
            return tuple(texts_in(content.get("resources")))
        attributes = object_in(object_in(content, "data"), "attributes")
        package_id, title_id = attributes.get("packageId"), attributes.get("titleId")
        return (f"{package_id}-{title_id}",) if package_id and title_id else ()

    def snapshot(self) -> dict[str, JsonValue]:
        """Every tenant that was seeded or called."""
        return {"tenants": {name: write_tenant(tenant) for name, tenant in self._tenants.items()}}

    def load(self, state: Mapping[str, JsonValue]) -> None:
        """See the class. Raises StateError that names the field; nothing is loaded then."""
        require_known(state, ("tenants",), "")
        tenants = object_at(state.get("tenants", {}), "tenants")
        for name, content in tenants.items():
            rehearsal = Tenant(Quota(None, self._clock))
            read_tenant(rehearsal, object_at(content, f"tenants.{name}"), f"tenants.{name}")
        for name, content in tenants.items():
            read_tenant(self.tenant(name), object_at(content, f"tenants.{name}"), f"tenants.{name}")

    def reset(self) -> None:
        """Forgets every tenant."""
        self._tenants.clear()


def _get(tenant: Tenant, call: Call, raw_id: str) -> Reply:
    resource_id = parse_resource_id(raw_id)
    _require_credentials(tenant, call, 404)
    attributes = rm_api.read_title(tenant, resource_id)
    if attributes is None:
        raise failure(404, "Title is no longer in this package")
    include = [kind.strip() for kind in call.query.get("include", "").split(",")]
    access_type_id = tenant.access_type_of.get(resource_id)
    content = resource_document(tenant, resource_id, attributes, access_type_id, include=include, with_tags=True)
    return document(200, content)


def _put(tenant: Tenant, call: Call, raw_id: str) -> Reply:
    required = ("data", "data.type", "data.attributes", "data.attributes.isSelected")
    attributes = object_in(object_in(read_body(call, PUT_BODY, required), "data"), "attributes")
    check_access_type_id(attributes)
    resource_id = parse_resource_id(raw_id)
    _require_credentials(tenant, call, 400)
    access_type_id = text_in(attributes, "accessTypeId")
    if access_type_id is not None and access_type_id not in tenant.access_types:
        raise failure(400, f"Access type not found: id = {access_type_id}")
    old = rm_api.read_title(tenant, resource_id)
    if old is None:
        raise internal_error()
    check_put(attributes, is_title_custom=bool(old["isTitleCustom"]))
    rm_api.write_title(tenant, resource_id, merged(old, attributes))
    new = rm_api.read_title(tenant, resource_id)
    if new is None:
        raise internal_error()
    _map_access_type(tenant, resource_id, access_type_id)
    return document(200, resource_document(tenant, resource_id, new, access_type_id))


def _delete(tenant: Tenant, call: Call, raw_id: str) -> Reply:
    resource_id = parse_resource_id(raw_id)
    _require_credentials(tenant, call, 400)
    old = rm_api.read_title(tenant, resource_id)
    if old is None:
        raise internal_error()
    if not old["isPackageCustom"]:
        raise failure(400, "Resource cannot be deleted", "Resource is not in a custom package")
    rm_api.write_title(tenant, resource_id, {**old, "isSelected": False})
    _map_access_type(tenant, resource_id, None)
    tenant.tags.pop(resource_id, None)
    return empty_reply(204)


def _post(tenant: Tenant, call: Call) -> Reply:
    required = ("data", "data.type", "data.attributes", "data.attributes.packageId", "data.attributes.titleId")
    attributes = object_in(object_in(read_body(call, POST_BODY, required), "data"), "attributes")
    check_post(attributes)
    title_id = parse_title_id(str(attributes["titleId"]))
    package_id = parse_package_id(str(attributes["packageId"]))
    _require_credentials(tenant, call, 400)
    resource_id = f"{package_id}-{title_id}"
    rm_api.count_call(tenant)
    title = tenant.titles.get(title_id)
    if title is None:
        raise failure(404, "Title not found")
    rm_api.count_call(tenant)
    package = tenant.packages.get(package_id)
    if package is None:
        raise failure(404, "Package not found")
    rm_api.count_call(tenant)
    if not package.is_custom:
        raise failure(422, "Invalid PackageId", "Packageid Cannot associate Title with a managed Package")
    if resource_id in tenant.resources:
        raise failure(422, "Invalid Title", "Package already associated with Title")
    added: Attributes = {
        **title,
        **holding_defaults(resource_id),
        "isPackageCustom": True,
        "packageName": package.name,
        "providerName": package.provider_name,
        "url": attributes.get("url"),
    }
    rm_api.count_call(tenant)
    tenant.store(resource_id, added)
    rm_api.count_call(tenant)
    return document(200, resource_document(tenant, resource_id, added, None))


def _put_tags(tenant: Tenant, call: Call, raw_id: str) -> Reply:
    required = ("data", "data.type", "data.attributes", "data.attributes.tags")
    attributes = object_in(object_in(read_body(call, TAGS_BODY, required), "data"), "attributes")
    _require_credentials(tenant, call, 400)
    check_tags(attributes)
    resource_id = parse_resource_id(raw_id)
    tag_list = object_in(attributes, "tags").get("tagList")
    if tag_list is not None:
        tenant.tags[resource_id] = texts_in(tag_list)
    return document(200, {"data": {"type": "tags", "attributes": attributes}})


def _fetch_many(tenant: Tenant, call: Call, now_seconds: float) -> Reply:
    ids = [*dict.fromkeys(texts_in(read_body(call, BULK_BODY, ("resources",))["resources"]))]
    check_bulk_ids(ids)
    _require_credentials(tenant, call, 400)
    found: list[Attributes] = []
    failed: list[JsonValue] = []
    for resource_id in ids:
        item = _cached(tenant, resource_id, now_seconds)
        if item is None:
            failed.append(resource_id)
        else:
            found.append(item)
    found.sort(key=lambda item: str(object_in(item, "attributes").get("name")))
    return document(200, {"included": [*found], "meta": {"failed": {"resources": failed}}})


def _cached(tenant: Tenant, resource_id: str, now_seconds: float) -> Attributes | None:
    # The module keeps what it fetched for a day and a PUT does not touch it: stale on purpose.
    forgotten_at, item = tenant.bulk_cache.get(resource_id, (0.0, None))
    if item is not None and now_seconds < forgotten_at:
        return item
    try:
        attributes = rm_api.read_title(tenant, parse_resource_id(resource_id))
    except RefusedError:
        return None
    if attributes is None:
        return None
    fresh = bulk_item(resource_id, attributes)
    tenant.bulk_cache[resource_id] = (now_seconds + SECONDS_PER_DAY, fresh)
    return fresh


def _map_access_type(tenant: Tenant, resource_id: str, access_type_id: str | None) -> None:
    if access_type_id is None:
        tenant.access_type_of.pop(resource_id, None)
    else:
        tenant.access_type_of[resource_id] = access_type_id


def _require_credentials(tenant: Tenant, call: Call, status: int) -> None:
    if not tenant.has_kb_credentials:
        user_id = call.header("x-okapi-user-id") or _ANONYMOUS_USER
        raise failure(
            status,
            f"KB Credentials do not exist or user with userId = {user_id} "
            "is not assigned to any available knowledgebase.",
        )
