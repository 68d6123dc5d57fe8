"""`holdings.changed`: something about holdings has changed in the library's own system."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import ConfigDict, Field, ModelWrapValidatorHandler, Tag, model_validator

from service.domain.events.eholdings import EholdingsOperation
from service.domain.events.inventory import InventoryOperation
from service.domain.events.objections import Objection, refuse_together, tag
from service.domain.events.shapes import ACTION, NAME_IN_A_QUERY, Closed, by_action

SourceName: TypeAlias = Annotated[
    str,
    NAME_IN_A_QUERY,
    Field(description="Unique; storage compares without case and accents.", examples=["Union catalogue"]),
]


class UpsertHoldingsSourceOperation(Closed):
    """Creates the holdings source of that name, or updates it."""

    action: Annotated[Literal["upsert"], ACTION]
    name: SourceName
    source: Annotated[Literal["folio", "local", "consortium"], Field(description="Who maintains it.")]


class DeleteHoldingsSourceOperation(Closed):
    """Deletes the holdings source of that name."""

    action: Annotated[Literal["delete"], ACTION]
    name: SourceName


HoldingsSourceOperation: TypeAlias = Annotated[
    Annotated[UpsertHoldingsSourceOperation, Tag(tag("upsert"))]
    | Annotated[DeleteHoldingsSourceOperation, Tag(tag("delete"))],
    by_action("upsert", "delete"),
]

PARTS = ("eholdings", "inventory", "holdingsSource")


class HoldingsChanged(Closed):
    """At least one of the three parts; each is one operation, told apart by `action`. A part that is null counts as
    absent.
    """

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": [part]} for part in PARTS]})

    eholdings: Annotated[
        EholdingsOperation | None, Field(description="One electronic resource in FOLIO eholdings.")
    ] = None
    inventory: Annotated[InventoryOperation | None, Field(description="One record set in FOLIO inventory.")] = None
    holdings_source: Annotated[
        HoldingsSourceOperation | None, Field(description="One holdings source of FOLIO inventory storage.")
    ] = None

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_contradictions(cls, raw: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        return refuse_together(raw, validate, holdings_changed_objections)


def holdings_changed_objections(raw: object) -> Iterator[Objection]:
    """Rule for the whole event: it must ask for something."""
    if isinstance(raw, dict) and [raw.get(part) for part in PARTS] == [None] * len(PARTS):
        yield Objection((), f"needs at least one of {', '.join(PARTS)}")
