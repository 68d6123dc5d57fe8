"""`holdings.transfer.requested`: holdings and items of one institution move to other bibs in ReCAP SCSB.

SCSB creates what it does not know at the destination, ignores fields that it does not know, and does not reject
bound-with items (transferHoldingsAndItems), so the service is strict in its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Self, TypeAlias

from pydantic import Field, ModelWrapValidatorHandler, model_validator, with_config
from typing_extensions import TypedDict

from service.domain.events.inventory import InventoryOperation
from service.domain.events.objections import Objection, refuse_together
from service.domain.events.shapes import CLOSED, Closed, Many, ManyWithin, NonBlank

BibId: TypeAlias = Annotated[NonBlank, Field(description="The institution's own bib id.", examples=[".b106201990"])]
HoldingsId: TypeAlias = Annotated[NonBlank, Field(description="The institution's own holdings id.")]
ItemId: TypeAlias = Annotated[NonBlank, Field(description="The institution's own item id.", examples=[".i100400013"])]
BoundWith: TypeAlias = Annotated[
    bool | None, Field(description="true is refused: bound-with items cannot be transferred.")
]


@with_config(CLOSED)
class HoldingsPlace(TypedDict):
    """Where a holdings record is, in SCSB's own field names."""

    owningInstitutionBibId: BibId
    owningInstitutionHoldingsId: HoldingsId


@with_config(CLOSED)
class ItemPlace(TypedDict):
    """Where an item is, in SCSB's own field names."""

    owningInstitutionBibId: BibId
    owningInstitutionHoldingsId: HoldingsId
    owningInstitutionItemId: ItemId


class HoldingTransfer(Closed):
    """A holdings record moves with its items; its id stays."""

    source: Annotated[HoldingsPlace, Field(description="Where it is now.")]
    destination: Annotated[HoldingsPlace, Field(description="Where it goes.")]
    bound_with: BoundWith = None

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_contradictions(cls, raw: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        return refuse_together(raw, validate, holding_transfer_objections)


class ItemTransfer(Closed):
    """An item moves to another holdings record; its id stays."""

    source: Annotated[ItemPlace, Field(description="Where it is now.")]
    destination: Annotated[ItemPlace, Field(description="Where it goes.")]
    bound_with: BoundWith = None

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_contradictions(cls, raw: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        return refuse_together(raw, validate, item_transfer_objections)


class TransferRequested(Closed):
    """Moves within one institution, and what to change in inventory once every one of them has succeeded."""

    institution: Annotated[NonBlank, Field(description="SCSB's code of the institution.", examples=["PUL"])]
    item_transfers: Annotated[Many[ItemTransfer] | None, Field(description="Items that move.")] = None
    holding_transfers: Annotated[Many[HoldingTransfer] | None, Field(description="Holdings records that move.")] = None
    bound_with: BoundWith = None
    inventory: Annotated[
        ManyWithin[InventoryOperation] | None,
        Field(description="Carried out in order once every entry of the transfer has succeeded."),
    ] = None

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_contradictions(cls, raw: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        return refuse_together(raw, validate, transfer_requested_objections)


BOUND_WITH: Final = (
    "must not be true: bound-with items cannot be transferred; deaccession them, mend the record, accession anew"
)
BARCODE: Final = "is ignored by SCSB: an item is named by owningInstitutionItemId"


def transfer_requested_objections(raw: object) -> Iterator[Objection]:
    """Rule for the whole request: it must move something, and nothing bound-with."""
    if not isinstance(raw, dict):
        return
    yield from _bound_with_objections(raw)
    if not raw.get("itemTransfers") and not raw.get("holdingTransfers"):
        yield Objection((), "needs at least one entry in itemTransfers or holdingTransfers")


def holding_transfer_objections(raw: object) -> Iterator[Objection]:
    """Rule for one entry of `holdingTransfers`."""
    return _entry_objections(raw, "owningInstitutionHoldingsId", "holdings")


def item_transfer_objections(raw: object) -> Iterator[Objection]:
    """Rule for one entry of `itemTransfers`."""
    return _entry_objections(raw, "owningInstitutionItemId", "item")


def _entry_objections(raw: object, same: str, kind: str) -> Iterator[Objection]:
    if not isinstance(raw, dict):
        return
    yield from _bound_with_objections(raw)
    source, destination = raw.get("source"), raw.get("destination")
    for side, place in (("source", source), ("destination", destination)):
        if isinstance(place, dict) and "barcode" in place:
            yield Objection((side, "barcode"), BARCODE)
    if isinstance(source, dict) and isinstance(destination, dict):
        before, after = source.get(same), destination.get(same)
        if _is_id(before) and _is_id(after) and before != after:
            yield Objection(
                ("destination", same), f"must equal the {kind} id of the source: it stays the same when it moves"
            )


def _is_id(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip())


def _bound_with_objections(raw: dict[str, object]) -> Iterator[Objection]:
    if raw.get("boundWith") is True:
        yield Objection(("boundWith",), BOUND_WITH)
