"""Operations on FOLIO inventory through mod-inventory-update: record sets by HRID, and one institution's part of a
shared index.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import Field, ModelWrapValidatorHandler, Tag, model_validator

from service.domain.events.objections import Objection, refuse_together, tag
from service.domain.events.record_sets import (
    HoldingsRecord,
    Hrid,
    Instance,
    Processing,
    Relations,
    SharedHoldingsRecord,
    SharedInstance,
    record_set_objections,
    relation_objections,
)
from service.domain.events.shapes import ACTION, Closed, ManyWithin, NeverNull, NonBlank, by_action

InstitutionId: TypeAlias = Annotated[NonBlank, Field(description="UUID of the institution whose records these are.")]
IdentifierTypeId: TypeAlias = Annotated[
    NonBlank, Field(description="UUID of the identifier type of that institution's local identifiers.")
]
Instructions: TypeAlias = Annotated[
    Processing | None, Field(description="Instructions to mod-inventory-update, e.g. what to retain.")
]


class UpsertOperation(Closed):
    """Creates or updates an instance with its holdings records and items; what the set leaves out is deleted."""

    action: Annotated[Literal["upsert"], ACTION]
    instance: Instance
    holdings_records: Annotated[
        NeverNull[ManyWithin[HoldingsRecord]],
        Field(description="All holdings records of the instance: [] deletes all, absent leaves them and their items."),
    ] = None
    instance_relations: Annotated[
        Relations | None, Field(description="Relations to other instances; kinds left out stay as they are.")
    ] = None
    processing: Instructions = None

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_contradictions(cls, raw: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        return refuse_together(raw, validate, upsert_objections)


class DeleteOperation(Closed):
    """Deletes an instance with its holdings records and items."""

    action: Annotated[Literal["delete"], ACTION]
    hrid: Hrid
    processing: Instructions = None


class UpsertSharedOperation(Closed):
    """Brings one institution's holdings and items into a shared index, under the instance that the match key finds."""

    action: Annotated[Literal["upsert-shared"], ACTION]
    instance: SharedInstance
    holdings_records: Annotated[
        NeverNull[ManyWithin[SharedHoldingsRecord]],
        Field(description="All holdings records of the institution under this instance."),
    ] = None
    institution_id: InstitutionId
    local_identifier: Annotated[NonBlank, Field(description="The institution's own id of the bibliographic record.")]
    identifier_type_id: IdentifierTypeId
    processing: Instructions = None

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_contradictions(cls, raw: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        return refuse_together(raw, validate, upsert_shared_objections)


class DeleteSharedOperation(Closed):
    """Takes one institution's holdings, items and identifier out of a shared index."""

    action: Annotated[Literal["delete-shared"], ACTION]
    institution_id: InstitutionId
    local_identifier: Annotated[NonBlank | None, Field(description="This, or oaiIdentifier.")] = None
    oai_identifier: Annotated[NonBlank | None, Field(description="Record identifier of an OAI-PMH feed.")] = None
    identifier_type_id: IdentifierTypeId

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_contradictions(cls, raw: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        return refuse_together(raw, validate, delete_shared_objections)


InventoryOperation: TypeAlias = Annotated[
    Annotated[UpsertOperation, Tag(tag("upsert"))]
    | Annotated[DeleteOperation, Tag(tag("delete"))]
    | Annotated[UpsertSharedOperation, Tag(tag("upsert-shared"))]
    | Annotated[DeleteSharedOperation, Tag(tag("delete-shared"))],
    by_action("upsert", "delete", "upsert-shared", "delete-shared"),
]

SHARED_INDEX_FIELDS: Final = ("institutionId", "localIdentifier", "identifierTypeId")
"""mod-inventory-update reads these inside `processing`; an event says them beside it."""


def upsert_objections(raw: object) -> Iterator[Objection]:
    """Rule for `upsert`."""
    if not isinstance(raw, dict):
        return
    yield from record_set_objections(raw)
    for where, message in relation_objections(raw.get("instanceRelations")):
        yield Objection(("instanceRelations", *where), message)


def upsert_shared_objections(raw: object) -> Iterator[Objection]:
    """Rule for `upsert-shared`: something to make the match key of, and nothing said twice in two ways."""
    if not isinstance(raw, dict):
        return
    yield from record_set_objections(raw)
    instance, processing = raw.get("instance"), raw.get("processing")
    if isinstance(instance, dict) and not instance.keys() & {"matchKey", "title"}:
        yield Objection(("instance", "title"), "is required where there is no matchKey: the key is made from it")
    if isinstance(processing, dict):
        for name in SHARED_INDEX_FIELDS:
            if name in processing and processing[name] != raw.get(name):
                yield Objection(("processing", name), f"differs from {name} beside processing; give one of them")


def delete_shared_objections(raw: object) -> Iterator[Objection]:
    """Rule for `delete-shared`: exactly one identifier."""
    if not isinstance(raw, dict):
        return
    given = [name for name in ("localIdentifier", "oaiIdentifier") if raw.get(name) is not None]
    if not given:
        yield Objection(("localIdentifier",), "is required, or oaiIdentifier in its place")
    if len(given) > 1:
        yield Objection(("oaiIdentifier",), "stands in place of localIdentifier; give one of them")
