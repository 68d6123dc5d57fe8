"""Seed data of SCSB: builders for tests and the demonstration, and reading it with errors that name the field.

Owns the shape of the state:
`{"institutions": {code: {"withoutHoldingsIds"?, "bibs": {id: {"holdings": {id: {"items": {id: {"barcode"?}}}}}}}}}`;
bibs, holdings and items may carry the flags "deleted", "raises" and (not items) "dummy".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from service.sandbox.exchange import JsonValue
from service.sandbox.scsb.collection import Bib, Holdings, Institution, Item
from service.sandbox.seeds import StateError, object_at, require_known

JsonObject = dict[str, JsonValue]

_FLAGS: Final = ("deleted", "raises", "dummy")


def scsb_state(**institutions: JsonObject) -> JsonObject:
    """A state for `Scsb.load`: `scsb_state(PUL=institution(bib("1421", holdings("1621", item("6320902")))))`."""
    return {"institutions": {**institutions}}


def institution(*bibs: tuple[str, JsonObject], without_holdings_ids: bool = False) -> JsonObject:
    """An institution with its bibs."""
    return {"withoutHoldingsIds": without_holdings_ids, "bibs": dict(bibs)}


def bib(
    bib_id: str, *records: tuple[str, JsonObject], deleted: bool = False, raises: bool = False
) -> tuple[str, JsonObject]:
    """A bib with its holdings."""
    return bib_id, {"deleted": deleted, "raises": raises, "holdings": dict(records)}


def holdings(
    holdings_id: str, *items: tuple[str, JsonObject], deleted: bool = False, raises: bool = False
) -> tuple[str, JsonObject]:
    """A holdings record with its items."""
    return holdings_id, {"deleted": deleted, "raises": raises, "items": dict(items)}


def item(
    item_id: str, *, barcode: str | None = None, deleted: bool = False, raises: bool = False
) -> tuple[str, JsonObject]:
    """An item; its barcode follows from its id unless it is given."""
    return item_id, {"barcode": barcode or f"32101{item_id}", "deleted": deleted, "raises": raises}


def read_institution(code: str, content: JsonValue, where: str) -> Institution:
    """An institution out of seed data. Raises StateError that names the field."""
    entry = object_at(content, where)
    require_known(entry, ("withoutHoldingsIds", "bibs"), where)
    bibs = object_at(entry.get("bibs", {}), f"{where}.bibs")
    return Institution(
        code,
        _flag(entry, "withoutHoldingsIds", where),
        {bib_id: _read_bib(bib_id, bib, f"{where}.bibs.{bib_id}") for bib_id, bib in bibs.items()},
    )


def write_institution(found: Institution) -> JsonObject:
    """An institution in the shape that `read_institution` takes."""
    return {
        "withoutHoldingsIds": found.without_holdings_ids,
        "bibs": {bib_id: _write_bib(record) for bib_id, record in found.bibs.items()},
    }


def _read_bib(bib_id: str, content: JsonValue, where: str) -> Bib:
    entry = object_at(content, where)
    require_known(entry, (*_FLAGS, "holdings"), where)
    records = object_at(entry.get("holdings", {}), f"{where}.holdings")
    deleted, raises, dummy = _flags(entry, where)
    found = {name: _read_holdings(name, record, f"{where}.holdings.{name}") for name, record in records.items()}
    return Bib(bib_id, deleted, dummy, raises, found)


def _read_holdings(holdings_id: str, content: JsonValue, where: str) -> Holdings:
    entry = object_at(content, where)
    require_known(entry, (*_FLAGS, "items"), where)
    items = object_at(entry.get("items", {}), f"{where}.items")
    deleted, raises, dummy = _flags(entry, where)
    found = {name: _read_item(name, content, f"{where}.items.{name}") for name, content in items.items()}
    return Holdings(holdings_id, deleted, dummy, raises, found)


def _read_item(item_id: str, content: JsonValue, where: str) -> Item:
    entry = object_at(content, where)
    require_known(entry, ("barcode", "deleted", "raises"), where)
    deleted, raises, _ = _flags(entry, where)
    return Item(item_id, str(entry.get("barcode", "")), deleted, raises)


def _write_bib(found: Bib) -> JsonObject:
    return {
        "deleted": found.deleted,
        "raises": found.raises,
        "dummy": found.dummy,
        "holdings": {name: _write_holdings(record) for name, record in found.holdings.items()},
    }


def _write_holdings(found: Holdings) -> JsonObject:
    return {
        "deleted": found.deleted,
        "raises": found.raises,
        "dummy": found.dummy,
        "items": {
            name: {"barcode": record.barcode, "deleted": record.deleted, "raises": record.raises}
            for name, record in found.items.items()
        },
    }


def _flags(entry: Mapping[str, JsonValue], where: str) -> tuple[bool, bool, bool]:
    deleted, raises, dummy = (_flag(entry, name, where) for name in _FLAGS)
    return deleted, raises, dummy


def _flag(entry: Mapping[str, JsonValue], name: str, where: str) -> bool:
    value = entry.get(name, False)
    if not isinstance(value, bool):
        raise StateError(f"{where}.{name}", "true or false")
    return value
