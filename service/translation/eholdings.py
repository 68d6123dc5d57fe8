"""eholdings operations of an event, as steps and keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never, cast

from service.domain.events.attributes import Attributes
from service.domain.events.eholdings import (
    AddOperation,
    EholdingsOperation,
)
from service.domain.jsonvalue import JsonValue
from service.domain.operations import AddResource, DeselectResource, EholdingsStep, RemoveResource, UpdateResource
from service.translation.keys import resource_key
from service.translation.translated import Translated


def translate_eholdings(operation: EholdingsOperation, tenant: str) -> Translated:
    """One step on one resource; no other entity is touched."""
    step = _step(operation, tenant)
    return Translated((step,), frozenset((resource_key(tenant, step.resource_id),)))


def _step(operation: EholdingsOperation, tenant: str) -> EholdingsStep:
    """Told apart by `action`: pydantic makes `isinstance` dear where it says no."""
    if operation.action == "update":
        return UpdateResource(tenant, operation.resource_id, _patch(operation.attributes), _all_of(operation.tags))
    if operation.action == "deselect":
        return DeselectResource(tenant, operation.resource_id)
    if operation.action == "add":
        return _add(operation, tenant)
    if operation.action == "remove":
        return RemoveResource(tenant, operation.resource_id)
    assert_never(operation)


def _add(operation: AddOperation, tenant: str) -> AddResource:
    attributes = _patch(operation.attributes)
    url = operation.url
    if url is None and operation.attributes is not None:
        url = operation.attributes.get("url")
    return AddResource(tenant, operation.package_id, operation.title_id, url, attributes, _all_of(operation.tags))


def _patch(attributes: Attributes | None) -> Mapping[str, JsonValue]:
    return cast(Mapping[str, JsonValue], attributes or {})


def _all_of(tags: list[str] | None) -> tuple[str, ...] | None:
    return None if tags is None else tuple(tags)
