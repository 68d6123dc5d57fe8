"""FOLIO inventory records as events carry them: open objects of which only those parts are checked that decide what
happens.

mod-inventory-update matches records by HRID, deletes what a set leaves out, and passes over some mistakes in silence;
the rules here stand where it would lose or ignore something. Whether storage takes a record is left to storage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal, NotRequired, TypeAlias

from pydantic import ConfigDict, Field, StringConstraints, with_config
from typing_extensions import TypedDict

from service.domain.events.objections import Location, Objection, shown
from service.domain.events.patterns import HRID
from service.domain.events.shapes import CLOSED, NAME_IN_A_QUERY, OPEN, Many, NonBlank
from service.domain.folding import fold

Hrid: TypeAlias = Annotated[
    str,
    StringConstraints(pattern=HRID),
    Field(description="The sender's own id of the record.", examples=["in00000401"]),
]

Title: TypeAlias = Annotated[str, Field(description="Title of the resource.")]
RecordSource: TypeAlias = Annotated[str, Field(description="Where the record comes from.", examples=["MARC"])]
InstanceTypeId: TypeAlias = Annotated[str, Field(description="UUID of the resource type.")]
HoldingsSourceName: TypeAlias = Annotated[
    str, NAME_IN_A_QUERY, Field(description="Name of a holdings source, in place of sourceId.", examples=["FOLIO"])
]


@with_config(OPEN)
class Item(TypedDict):
    """An item record; all further fields go to storage as they are."""

    hrid: Hrid


@with_config(OPEN)
class HoldingsRecord(TypedDict):
    """A holdings record with its items; all further fields go to storage as they are."""

    hrid: Hrid
    items: Annotated[
        Many[Item], Field(description="All items of the record: those left out are deleted, [] deletes all.")
    ]
    sourceName: NotRequired[HoldingsSourceName]


@with_config(OPEN)
class Instance(TypedDict):
    """An instance record; all further fields go to storage as they are."""

    hrid: Hrid
    title: NotRequired[Title]
    source: NotRequired[RecordSource]
    instanceTypeId: NotRequired[InstanceTypeId]


@with_config(OPEN)
class SharedItem(TypedDict):
    """An item record of a shared index, where records are not told apart by HRID."""

    hrid: NotRequired[Hrid]


@with_config(OPEN)
class SharedHoldingsRecord(TypedDict):
    """A holdings record of one institution in a shared index."""

    hrid: NotRequired[Hrid]
    items: Annotated[Many[SharedItem], Field(description="All items of the record; [] for none.")]
    sourceName: NotRequired[HoldingsSourceName]


@with_config(OPEN)
class SharedInstance(TypedDict):
    """An instance of a shared index, found by its match key."""

    hrid: NotRequired[Hrid]
    matchKey: NotRequired[
        Annotated[NonBlank, Field(description="Taken as the key; else the key is made from the title.")]
    ]
    title: NotRequired[Annotated[NonBlank, Field(description="Title of the resource; the match key is made from it.")]]
    source: NotRequired[RecordSource]
    instanceTypeId: NotRequired[InstanceTypeId]


@with_config(OPEN)
class ProvisionalInstance(TypedDict):
    """What to create where the related instance does not exist yet."""

    hrid: NotRequired[Hrid]
    title: NotRequired[Title]
    source: NotRequired[RecordSource]
    instanceTypeId: NotRequired[InstanceTypeId]


@with_config(ConfigDict(**OPEN, json_schema_extra={"anyOf": [{"required": ["hrid"]}, {"required": ["uuid"]}]}))
class InstanceIdentifier(TypedDict, total=False):
    """The related instance, by HRID or by UUID."""

    hrid: Hrid
    uuid: Annotated[NonBlank, Field(description="FOLIO's id of the instance.")]


@with_config(OPEN)
class TitleRelation(TypedDict):
    """A relation to a preceding or succeeding title."""

    instanceIdentifier: InstanceIdentifier
    provisionalInstance: NotRequired[ProvisionalInstance]


@with_config(OPEN)
class InstanceRelation(TypedDict):
    """A relation to a parent or child instance."""

    instanceIdentifier: InstanceIdentifier
    provisionalInstance: NotRequired[ProvisionalInstance]
    instanceRelationshipTypeId: NotRequired[Annotated[str, Field(description="UUID of the kind of relation.")]]
    instanceRelationShipTypeId: NotRequired[
        Annotated[
            str, Field(description="The same, as the module's OpenAPI spells it; sent in the spelling that it reads.")
        ]
    ]


@with_config(CLOSED)
class Relations(TypedDict, total=False):
    """Relations to other instances. A list that is there replaces those relations, [] deletes them, an absent one
    leaves them.
    """

    parentInstances: Annotated[Many[InstanceRelation], Field(description="Instances that this one is a part of.")]
    childInstances: Annotated[Many[InstanceRelation], Field(description="Instances that are parts of this one.")]
    precedingTitles: Annotated[Many[TitleRelation], Field(description="Titles that this one continues.")]
    succeedingTitles: Annotated[Many[TitleRelation], Field(description="Titles that continue this one.")]


@with_config(OPEN)
class ItemStatusProcessing(TypedDict):
    """What becomes of an item's circulation status on update."""

    policy: Annotated[Literal["retain", "overwrite"], Field(description="Without any, the service says retain.")]


@with_config(OPEN)
class ItemProcessing(TypedDict, total=False):
    """Instructions for items."""

    status: ItemStatusProcessing


@with_config(OPEN)
class Processing(TypedDict, total=False):
    """Instructions to mod-inventory-update; all of them go out as they are."""

    item: ItemProcessing


WITHOUT_ITEMS: Final = 'is required: a holdings record sent without items loses them all; "items": [] says so outright'
WITHOUT_IDENTIFIER: Final = "is required, with hrid or uuid: the system ignores a relation without it in silence"


def record_set_objections(raw: Mapping[str, object]) -> Iterator[Objection]:
    """Rule for the records of one set: nothing lost by omission, nothing named twice, one source to a record."""
    seen: dict[tuple[str, str], str] = {}
    holdings = raw.get("holdingsRecords")
    for index, record in enumerate(holdings if isinstance(holdings, list) else ()):
        if not isinstance(record, dict):
            continue
        where: Location = ("holdingsRecords", index)
        if "items" not in record:
            yield Objection((*where, "items"), WITHOUT_ITEMS)
        if "sourceName" in record and record.get("sourceId") is not None:
            yield Objection((*where, "sourceName"), "stands in place of sourceId; give one of them")
        yield from _repeated("holdings record", record, where, seen)
        items = record.get("items")
        for position, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, dict):
                yield from _repeated("item", item, (*where, "items", position), seen)


def _repeated(
    kind: str, record: Mapping[str, object], where: Location, seen: dict[tuple[str, str], str]
) -> Iterator[Objection]:
    hrid = record.get("hrid")
    if not isinstance(hrid, str) or not hrid.strip():
        return
    folded = (kind, fold(hrid))
    if folded not in seen:
        seen[folded] = hrid
        return
    first = seen[folded]
    how = "this HRID" if first == hrid else f"the HRID {shown(first)}, which storage takes for the same"
    yield Objection((*where, "hrid"), f"another {kind} of this set has {how}")


def relation_objections(raw: object) -> Iterator[Objection]:
    """Rule for `instanceRelations`: every entry names an instance, and the kind of a relation is given once."""
    if not isinstance(raw, dict):
        return
    for name, entries in raw.items():
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict):
                yield from _entry_objections(entry, (name, index))


def _entry_objections(entry: Mapping[str, object], where: Location) -> Iterator[Objection]:
    identifier = entry.get("instanceIdentifier")
    if identifier is None or (isinstance(identifier, dict) and not identifier.keys() & {"hrid", "uuid"}):
        yield Objection((*where, "instanceIdentifier"), WITHOUT_IDENTIFIER)
    spellings = {entry[name] for name in RELATION_TYPE_SPELLINGS if isinstance(entry.get(name), str)}
    if len(spellings) > 1:
        yield Objection(
            (*where, RELATION_TYPE_SPELLINGS[1]), f"differs from {RELATION_TYPE_SPELLINGS[0]}; give one of them"
        )


RELATION_TYPE_SPELLINGS: Final = ("instanceRelationshipTypeId", "instanceRelationShipTypeId")
"""mod-inventory-update: the code reads the first, the published OpenAPI has the second."""
