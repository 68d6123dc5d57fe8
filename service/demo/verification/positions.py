"""Where SCSB has each item: a tree of institution, bib, holdings, item, with what is live and what is deaccessioned.

scsb-doc, processOrphanRecords: what a transfer empties is deaccessioned, at the source and at the destination.
"""

from __future__ import annotations

from typing import Final

from service.demo.sample import Change, JsonObject
from service.demo.verification.comparing import object_in

SYSTEM: Final = "scsb"

LIVE: Final = "live"
DEACCESSIONED: Final = "deaccessioned"
_BIB: Final = "owningInstitutionBibId"
_HOLDINGS: Final = "owningInstitutionHoldingsId"
_ITEM: Final = "owningInstitutionItemId"


def read(state: JsonObject) -> JsonObject:
    """The tree of a state as the sandbox's control API gives it."""
    tree: JsonObject = {}
    institutions = object_in(state, SYSTEM, "institutions")
    for code in institutions:
        for bib_id in (bibs := object_in(institutions, code, "bibs")):
            bib = object_in(bibs, bib_id)
            told = object_in(tree, code, bib_id)
            told["status"] = _status(bib)
            for holdings_id in (every := object_in(bib, "holdings")):
                record = object_in(every, holdings_id)
                shelf = object_in(told, "holdings", holdings_id)
                shelf["status"] = _status(record)
                items = object_in(record, "items")
                shelf["items"] = {item_id: _status(object_in(items, item_id)) for item_id in items}
    return tree


def apply(tree: JsonObject, change: Change) -> None:
    """Moves what one entry of a transfer moves."""
    entry = change.operation
    bibs = object_in(tree, str(entry["institution"]))
    source, destination = object_in(entry, "source"), object_in(entry, "destination")
    before, after = str(source[_BIB]), str(destination[_BIB])
    if entry["action"] == "transfer-holdings":
        moved = object_in(bibs, before, "holdings").pop(str(source[_HOLDINGS]))
        object_in(bibs, after, "holdings")[str(destination[_HOLDINGS])] = moved
    else:
        item_id = str(source[_ITEM])
        item = object_in(bibs, before, "holdings", str(source[_HOLDINGS]), "items").pop(item_id)
        object_in(bibs, after, "holdings", str(destination[_HOLDINGS]), "items")[item_id] = item
    for bib_id in (before, after):
        _settle(object_in(bibs, bib_id))


def _settle(bib: JsonObject) -> None:
    every = object_in(bib, "holdings")
    for holdings_id in every:
        shelf = object_in(every, holdings_id)
        shelf["status"] = LIVE if LIVE in object_in(shelf, "items").values() else DEACCESSIONED
    bib["status"] = LIVE if any(object_in(every, shelf)["status"] == LIVE for shelf in every) else DEACCESSIONED


def _status(record: JsonObject) -> str:
    return DEACCESSIONED if record.get("deleted") else LIVE
