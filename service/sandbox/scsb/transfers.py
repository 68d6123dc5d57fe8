"""How SCSB carries out one entry of a transfer: checked in its order, refused in its words, relinked.

scsb-doc, TransferService. Owns the outcome of one entry; it must not know the request as a whole.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from service.sandbox.scsb.collection import Bib, Holdings, Institution, Item

RELINKED: Final = "Successfully relinked"
RELINK_FAILED: Final = "Relinked Failed"

SOURCE_EMPTY: Final = "Source is empty"
DESTINATION_EMPTY: Final = "Destination is empty"
ITEM_IDS_DIFFER: Final = "Source and Destination item ids are not matching"
HOLDINGS_IDS_DIFFER: Final = "Source and Destination holdings ids are not matching"
NO_SOURCE_BIB_ID: Final = "Source owning institution bib id is empty"
NO_SOURCE_HOLDINGS_ID: Final = "Source owning institution holdings id is empty"
NO_SOURCE_ITEM_ID: Final = "Source owning institution item id is empty"
NO_DESTINATION_BIB_ID: Final = "Destination owning institution bib id is empty"
NO_DESTINATION_HOLDINGS_ID: Final = "Destination owning institution holdings id is empty"
NO_SOURCE_BIB: Final = "Source bib does not exist"
HOLDINGS_NOT_UNDER_BIB: Final = "Source holdings is not under source bib"
ITEM_NOT_UNDER_HOLDINGS: Final = "Source item is not under source holding"
HOLDINGS_UNDER_ANOTHER_BIB: Final = "Destination holdings is linked with another bib and not under destination bib"
DESTINATION_HOLDINGS_DELETED: Final = "Destination holding is a deaccessioned holding"
SOURCE_ITEM_DELETED: Final = "Source item is a deaccessioned item"
DESTINATION_BIB_DELETED: Final = "Destination Bib is a deaccessioned bib"
SOURCE_HOLDINGS_DELETED: Final = "Source Holding is a deaccessioned holding"

Ids: TypeAlias = Mapping[str, str | None]

BIB: Final = "owningInstitutionBibId"
HOLDINGS: Final = "owningInstitutionHoldingsId"
ITEM: Final = "owningInstitutionItemId"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The message of one entry, and whether SCSB's counters take it for a success.

    They are not the same: an entry that failed with an exception says "Relinked Failed" and is counted as a success.
    """

    message: str
    counted_as_success: bool


class _RefusalError(Exception):
    """An entry that did not pass validation; the text is its message."""


def transfer_item(institution: Institution, source: Ids | None, destination: Ids | None) -> Outcome:
    """Moves one item. Destinations that do not exist are created as dummy records.

    A blank destination bib id is not refused; it fails while the dummy record is made.
    """
    try:
        if source is None:
            raise _RefusalError(SOURCE_EMPTY)
        if destination is None:
            raise _RefusalError(DESTINATION_EMPTY)
        if source[ITEM] != destination[ITEM]:
            raise _RefusalError(ITEM_IDS_DIFFER)
        source_bib, source_holdings, item = _source_of_item(institution, source)
        holdings_id = _destination_holdings_id(institution, destination)
    except _RefusalError as refusal:
        return Outcome(str(refusal), counted_as_success=False)
    bib_id = destination[BIB]
    target_bib = institution.bibs.get(bib_id or "")
    target_holdings = target_bib.holdings.get(holdings_id or "") if target_bib else None
    if (
        not bib_id
        or not bib_id.strip()
        or holdings_id is None
        or _raises(source_bib, source_holdings, item, target_bib, target_holdings)
    ):
        return Outcome(RELINK_FAILED, counted_as_success=True)
    target_bib = institution.bib_or_dummy(bib_id)
    target_holdings = target_bib.holdings.setdefault(holdings_id, Holdings(holdings_id, dummy=True))
    del source_holdings.items[item.id]
    target_holdings.items[item.id] = item
    source_bib.settle()
    target_bib.settle()
    return Outcome(RELINKED, counted_as_success=True)


def transfer_holdings(institution: Institution, source: Ids | None, destination: Ids | None) -> Outcome:
    """Moves a holdings record with all its items. A destination bib that does not exist is created as a dummy."""
    try:
        if source is None:
            raise _RefusalError(SOURCE_EMPTY)
        if destination is None:
            raise _RefusalError(DESTINATION_EMPTY)
        if source[HOLDINGS] != destination[HOLDINGS]:
            raise _RefusalError(HOLDINGS_IDS_DIFFER)
        source_bib, record = _source_of_holdings(institution, source)
        bib_id = _filled(destination[BIB], NO_DESTINATION_BIB_ID)
        _filled(destination[HOLDINGS], NO_DESTINATION_HOLDINGS_ID)
        target_bib = institution.bibs.get(bib_id)
        if target_bib is not None and target_bib.deleted:
            raise _RefusalError(DESTINATION_BIB_DELETED)
    except _RefusalError as refusal:
        return Outcome(str(refusal), counted_as_success=False)
    if _raises(source_bib, record, target_bib, *record.items.values()):
        return Outcome(RELINK_FAILED, counted_as_success=True)
    target_bib = institution.bib_or_dummy(bib_id)
    del source_bib.holdings[record.id]
    target_bib.holdings[record.id] = record
    source_bib.settle()
    target_bib.settle()
    return Outcome(RELINKED, counted_as_success=True)


def _source_of_item(institution: Institution, source: Ids) -> tuple[Bib, Holdings, Item]:
    bib_id = _filled(source[BIB], NO_SOURCE_BIB_ID)
    holdings_id = _filled(source[HOLDINGS], NO_SOURCE_HOLDINGS_ID)
    item_id = _filled(source[ITEM], NO_SOURCE_ITEM_ID)
    bib, record = _record_under_bib(institution, bib_id, holdings_id)
    item = record.items.get(item_id)
    if item is None:
        raise _RefusalError(ITEM_NOT_UNDER_HOLDINGS)
    if item.deleted:
        raise _RefusalError(SOURCE_ITEM_DELETED)
    return bib, record, item


def _source_of_holdings(institution: Institution, source: Ids) -> tuple[Bib, Holdings]:
    bib_id = _filled(source[BIB], NO_SOURCE_BIB_ID)
    holdings_id = _filled(source[HOLDINGS], NO_SOURCE_HOLDINGS_ID)
    bib, record = _record_under_bib(institution, bib_id, holdings_id)
    if record.deleted:
        raise _RefusalError(SOURCE_HOLDINGS_DELETED)
    return bib, record


def _record_under_bib(institution: Institution, bib_id: str, holdings_id: str) -> tuple[Bib, Holdings]:
    bib = institution.bibs.get(bib_id)
    if bib is None:
        raise _RefusalError(NO_SOURCE_BIB)
    record = bib.holdings.get(holdings_id)
    if record is None:
        raise _RefusalError(HOLDINGS_NOT_UNDER_BIB)
    return bib, record


def _destination_holdings_id(institution: Institution, destination: Ids) -> str | None:
    """The holdings id to link to; None when the bib id is blank, which SCSB lets through unchecked."""
    bib_id = destination[BIB]
    if not bib_id or not bib_id.strip():
        return None
    bib = institution.bibs.get(bib_id)
    holdings_id = destination[HOLDINGS]
    if bib is None and institution.without_holdings_ids and not (holdings_id or "").strip():
        holdings_id = str(uuid.uuid4())
    known_id = _filled(holdings_id, NO_DESTINATION_HOLDINGS_ID)
    record = bib.holdings.get(known_id) if bib is not None else None
    if record is None and institution.has_holdings(known_id):
        raise _RefusalError(HOLDINGS_UNDER_ANOTHER_BIB)
    if record is not None and record.deleted:
        raise _RefusalError(DESTINATION_HOLDINGS_DELETED)
    return known_id


def _filled(value: str | None, message: str) -> str:
    if value is None or not value.strip():
        raise _RefusalError(message)
    return value


def _raises(*records: Bib | Holdings | Item | None) -> bool:
    return any(record is not None and record.raises for record in records)
