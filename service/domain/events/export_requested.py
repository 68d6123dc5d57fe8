"""`holdings.export.requested`: all holdings of a HoldingsIQ customer, row by row; a new export, or one that exists.

HoldingsIQ takes no part of an order back: a POST makes another export, each time. So what is unclear is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import Field, ModelWrapValidatorHandler, StringConstraints, model_validator

from service.domain.events.objections import Objection, refuse_together
from service.domain.events.patterns import PATH_SEGMENT
from service.domain.events.shapes import Closed, NeverNull

MAX_ID_CHARACTERS: Final = 150
"""Longer than any id of HoldingsIQ, short enough to be kept in the metadata of a commit."""

PathId: TypeAlias = Annotated[str, StringConstraints(pattern=PATH_SEGMENT, max_length=MAX_ID_CHARACTERS)]
ExportType: TypeAlias = Literal["KBART2", "STANDARD", "COST", "HOLDINGSEVENT"]

BOTH: Final = "stands in place of type: an export that exists has its type already"
NEITHER: Final = "needs type for a new export, or exportId for one that exists"


class ExportRequested(Closed):
    """An export to ask for and to fetch, or one that exists, to fetch."""

    cust_id: Annotated[PathId, Field(description="Customer id of HoldingsIQ, byte for byte.", examples=["apidemo"])]
    type: Annotated[NeverNull[ExportType], Field(description="What a new export is to hold.")] = None
    format: Annotated[Literal["CSV"], Field(description="Of a new export.")] = "CSV"
    export_id: Annotated[
        NeverNull[PathId],
        Field(description="An export that exists. Opaque.", examples=["096dea08-c57e-4dc5-a984-51a94afff2"]),
    ] = None

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_contradictions(cls, raw: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        return refuse_together(raw, validate, export_requested_objections)


def export_requested_objections(raw: object) -> Iterator[Objection]:
    """Rule: exactly one of `type` and `exportId`."""
    if not isinstance(raw, dict):
        return
    if "type" in raw and "exportId" in raw:
        yield Objection(("exportId",), BOTH)
    elif "type" not in raw and "exportId" not in raw:
        yield Objection((), NEITHER)
