"""Operations on one electronic resource of FOLIO eholdings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, ModelWrapValidatorHandler, Tag, model_validator

from service.domain.events.attributes import Patch
from service.domain.events.objections import Objection, refuse_together, tag
from service.domain.events.shapes import (
    ACTION,
    Closed,
    Many,
    NeverNull,
    NonBlank,
    PackageId,
    ResourceId,
    TitleId,
    Url,
    by_action,
)

Tags: TypeAlias = Annotated[
    NeverNull[Many[NonBlank]],
    Field(
        description="All tags of the resource: replaces those it has, [] clears, absent leaves.",
        examples=[["law", "2025"]],
    ),
]


class UpdateOperation(Closed):
    """Patches a resource; also selects a managed title (`isSelected: true`)."""

    action: Annotated[Literal["update"], ACTION]
    resource_id: ResourceId
    attributes: Annotated[Patch | None, Field(description="What changes; absent attributes stay as they are.")] = None
    tags: Tags = None

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_contradictions(cls, raw: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        return refuse_together(raw, validate, update_objections)


class DeselectOperation(Closed):
    """Takes a title out of the holdings. The system drops all customisation of it."""

    action: Annotated[Literal["deselect"], ACTION]
    resource_id: ResourceId


class AddOperation(Closed):
    """Puts a title into a custom package, then patches the resource."""

    action: Annotated[Literal["add"], ACTION]
    package_id: PackageId
    title_id: TitleId
    url: Annotated[Url | None, Field(description="Where the package gives access to the title.")] = None
    attributes: Annotated[Patch | None, Field(description="What to set once the title is in the package.")] = None
    tags: Tags = None

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_contradictions(cls, raw: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        return refuse_together(raw, validate, add_objections)


class RemoveOperation(Closed):
    """Takes a title out of a custom package."""

    action: Annotated[Literal["remove"], ACTION]
    resource_id: ResourceId


EholdingsOperation: TypeAlias = Annotated[
    Annotated[UpdateOperation, Tag(tag("update"))]
    | Annotated[DeselectOperation, Tag(tag("deselect"))]
    | Annotated[AddOperation, Tag(tag("add"))]
    | Annotated[RemoveOperation, Tag(tag("remove"))],
    by_action("update", "deselect", "add", "remove"),
]


def update_objections(raw: object) -> Iterator[Objection]:
    """Rule for `update`: it must ask for something."""
    if isinstance(raw, dict) and not raw.get("attributes") and "tags" not in raw:
        yield Objection(("attributes",), "an update needs at least one attribute, or tags")


def add_objections(raw: object) -> Iterator[Objection]:
    """Rule for `add`: one address at most, and no deselection in the same breath."""
    attributes = raw.get("attributes") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(attributes, dict):
        return
    if attributes.get("isSelected") is False:
        yield Objection(("attributes", "isSelected"), "must not be false: a title that is added is selected")
    if raw.get("url") is not None and "url" in attributes and attributes["url"] != raw["url"]:
        yield Objection(("attributes", "url"), "differs from the url beside attributes; give one of them")
