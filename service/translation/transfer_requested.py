"""`holdings.transfer.requested`, from its model to steps and keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from service.domain.events.transfer_requested import HoldingTransfer, ItemTransfer, TransferRequested
from service.domain.operations import Asked, Transfer, TransferEntry
from service.translation.inventory import translate_inventory
from service.translation.keys import bib_key
from service.translation.translated import Translated, in_order

HOLDINGS_IDS: Final = ("owningInstitutionBibId", "owningInstitutionHoldingsId")
ITEM_IDS: Final = (*HOLDINGS_IDS, "owningInstitutionItemId")


def translate_transfer_requested(event: TransferRequested, tenant: str) -> Translated:
    """The transfer, then the operations on inventory. Writes every bib that an entry leaves or enters."""
    transfer = Transfer(
        event.institution,
        tuple(_entry("transfer-holdings", entry, HOLDINGS_IDS) for entry in event.holding_transfers or ()),
        tuple(_entry("transfer-item", entry, ITEM_IDS) for entry in event.item_transfers or ()),
    )
    bibs = frozenset(
        bib_key(event.institution, place["owningInstitutionBibId"])
        for entry in transfer.entries
        for place in (entry.source, entry.destination)
    )
    changes = (translate_inventory(operation, tenant) for operation in event.inventory or ())
    return in_order((Translated((transfer,), bibs), *changes))


def _entry(operation: str, entry: HoldingTransfer | ItemTransfer, ids: tuple[str, ...]) -> TransferEntry:
    source = cast(Mapping[str, str], entry.source)
    target = "/".join(source[name] for name in ids)
    return TransferEntry(Asked("scsb", operation, target), source, cast(Mapping[str, str], entry.destination))
