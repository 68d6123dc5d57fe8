"""What mod-inventory-storage accepts of an instance, a holdings record and an item, as tables.

Owns the property lists (no others are accepted), their JSON kinds, the required ones, those checked as UUIDs and the
foreign keys. Must not check anything itself (see conformity) nor know any stored record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

UNKNOWN_REFERENCE: Final = "00000000-0000-4000-8000-00000000dead"
"""The one id that no reference table of the sandbox contains: a location, material type, ... of this id does not exist.
"""

ITEM_STATUSES: Final = frozenset(
    (
        "Aged to lost",
        "Available",
        "Awaiting pickup",
        "Awaiting delivery",
        "Checked out",
        "Claimed returned",
        "Declared lost",
        "In process",
        "In process (non-requestable)",
        "In transit",
        "Intellectual item",
        "Long missing",
        "Lost and paid",
        "Missing",
        "On order",
        "Paged",
        "Restricted",
        "Order closed",
        "Unavailable",
        "Unknown",
        "Withdrawn",
    )
)


class Entity(StrEnum):
    """The kinds of stored records, spelt as in metrics and error reports."""

    INSTANCE = "INSTANCE"
    HOLDINGS_RECORD = "HOLDINGS_RECORD"
    ITEM = "ITEM"
    INSTANCE_RELATIONSHIP = "INSTANCE_RELATIONSHIP"
    INSTANCE_TITLE_SUCCESSION = "INSTANCE_TITLE_SUCCESSION"


class Kind(StrEnum):
    """The JSON kind of a property; texts, numbers and booleans are converted by storage, arrays and objects are not."""

    TEXT = "java.lang.String"
    NUMBER = "java.lang.Integer"
    FLAG = "java.lang.Boolean"
    ARRAY = "java.util.ArrayList<java.lang.Object>"
    OBJECT = "java.util.LinkedHashMap<java.lang.String,java.lang.Object>"


@dataclass(frozen=True, slots=True)
class Schema:
    """One kind of record. `uuids` and `uuid_lists` are checked against the pattern, `required_within` names required
    members of the objects in an array, `foreign_keys` maps a property to the table that must contain its value, in the
    database's order.
    """

    table: str
    array: str
    model: str
    batch_model: str
    kinds: Mapping[str, Kind]
    required: tuple[str, ...]
    uuids: tuple[str, ...]
    uuid_lists: tuple[str, ...]
    required_within: Mapping[str, tuple[str, ...]]
    foreign_keys: tuple[tuple[str, str], ...]
    computed: frozenset[str]
    parent: str | None


def _kinds(text: str, array: str, obj: str, flag: str = "", number: str = "_version") -> dict[str, Kind]:
    groups = ((text, Kind.TEXT), (array, Kind.ARRAY), (obj, Kind.OBJECT), (flag, Kind.FLAG), (number, Kind.NUMBER))
    return {name: kind for names, kind in groups for name in names.split()}


INSTANCE: Final = Schema(
    table="instance",
    array="instances",
    model="Instance",
    batch_model="InstancesPost",
    kinds=_kinds(
        text="id hrid matchKey sourceUri source title indexTitle instanceTypeId modeOfIssuanceId catalogedDate "
        "statusId statusUpdatedDate sourceRecordFormat",
        array="alternativeTitles editions series identifiers contributors subjects classifications publication "
        "publicationFrequency publicationRange electronicAccess instanceFormatIds instanceFormats "
        "physicalDescriptions languages notes administrativeNotes statisticalCodeIds holdingsRecords2 "
        "natureOfContentTermIds",
        obj="dates tags metadata",
        flag="previouslyHeld staffSuppress discoverySuppress deleted",
    ),
    required=("instanceTypeId", "source", "title"),
    uuids=("id", "instanceTypeId", "modeOfIssuanceId", "statusId"),
    uuid_lists=("instanceFormatIds", "natureOfContentTermIds", "statisticalCodeIds"),
    required_within={
        "classifications": ("classificationNumber", "classificationTypeId"),
        "contributors": ("contributorNameTypeId", "name"),
        "series": ("value",),
        "subjects": ("value",),
    },
    foreign_keys=(
        ("instanceTypeId", "instance_type"),
        ("modeOfIssuanceId", "mode_of_issuance"),
        ("statusId", "instance_status"),
    ),
    computed=frozenset(("metadata", "instanceFormats", "holdingsRecords2", "sourceRecordFormat", "statusUpdatedDate")),
    parent=None,
)

HOLDINGS_RECORD: Final = Schema(
    table="holdings_record",
    array="holdingsRecords",
    model="HoldingsRecord",
    batch_model="HoldingsRecordsPost",
    kinds=_kinds(
        text="id hrid sourceId holdingsTypeId instanceId permanentLocationId temporaryLocationId "
        "effectiveLocationId callNumberTypeId callNumberPrefix callNumber callNumberSuffix shelvingTitle "
        "acquisitionFormat acquisitionMethod receiptStatus illPolicyId retentionPolicy digitizationPolicy "
        "copyNumber numberOfItems",
        array="formerIds electronicAccess additionalCallNumbers administrativeNotes notes holdingsStatements "
        "holdingsStatementsForIndexes holdingsStatementsForSupplements statisticalCodeIds",
        obj="receivingHistory tags metadata",
        flag="discoverySuppress",
    ),
    required=("instanceId", "permanentLocationId", "sourceId"),
    uuids=(
        "callNumberTypeId",
        "effectiveLocationId",
        "holdingsTypeId",
        "id",
        "illPolicyId",
        "instanceId",
        "permanentLocationId",
        "sourceId",
        "temporaryLocationId",
    ),
    uuid_lists=("statisticalCodeIds",),
    required_within={},
    foreign_keys=(
        ("instanceId", "instance"),
        ("permanentLocationId", "location"),
        ("temporaryLocationId", "location"),
        ("holdingsTypeId", "holdings_type"),
        ("callNumberTypeId", "call_number_type"),
        ("illPolicyId", "ill_policy"),
        ("sourceId", "holdings_records_source"),
    ),
    computed=frozenset(("metadata", "effectiveLocationId")),
    parent="instanceId",
)

ITEM: Final = Schema(
    table="item",
    array="items",
    model="Item",
    batch_model="ItemsPost",
    kinds=_kinds(
        text="id hrid holdingsRecordId displaySummary accessionNumber barcode effectiveShelvingOrder "
        "itemLevelCallNumber itemLevelCallNumberPrefix itemLevelCallNumberSuffix itemLevelCallNumberTypeId "
        "volume enumeration chronology itemIdentifier copyNumber numberOfPieces descriptionOfPieces "
        "numberOfMissingPieces missingPieces missingPiecesDate itemDamagedStatusId itemDamagedStatusDate "
        "materialTypeId permanentLoanTypeId temporaryLoanTypeId permanentLocationId temporaryLocationId "
        "effectiveLocationId inTransitDestinationServicePointId purchaseOrderLineIdentifier",
        array="formerIds additionalCallNumbers yearCaption administrativeNotes notes circulationNotes "
        "electronicAccess statisticalCodeIds",
        obj="effectiveCallNumberComponents status materialType permanentLocation temporaryLocation tags metadata "
        "holdingsRecord2 lastCheckIn",
        flag="discoverySuppress",
        number="_version order",
    ),
    required=("holdingsRecordId", "materialTypeId", "permanentLoanTypeId", "status"),
    uuids=("effectiveLocationId", "inTransitDestinationServicePointId", "itemLevelCallNumberTypeId"),
    uuid_lists=("statisticalCodeIds",),
    required_within={},
    foreign_keys=(
        ("materialTypeId", "material_type"),
        ("permanentLoanTypeId", "loan_type"),
        ("temporaryLoanTypeId", "loan_type"),
        ("permanentLocationId", "location"),
        ("temporaryLocationId", "location"),
        ("itemLevelCallNumberTypeId", "call_number_type"),
        ("itemDamagedStatusId", "item_damaged_status"),
    ),
    computed=frozenset(
        (
            "metadata",
            "effectiveShelvingOrder",
            "effectiveCallNumberComponents",
            "effectiveLocationId",
            "materialType",
            "permanentLocation",
            "temporaryLocation",
            "holdingsRecord2",
        )
    ),
    parent="holdingsRecordId",
)

SCHEMAS: Final[Mapping[Entity, Schema]] = {
    Entity.INSTANCE: INSTANCE,
    Entity.HOLDINGS_RECORD: HOLDINGS_RECORD,
    Entity.ITEM: ITEM,
}
