"""Events of the permitted size that ask for as much work as an event can: each is accepted or refused in bounded time.

A table: what it is, and the record. Every case fills the size to the last entry that fits.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Final

import orjson

from service.domain.record import Record
from tests.builders.events import (
    MAX_BYTES,
    binary,
    delete_shared,
    envelope,
    item_place,
    item_transfer,
    record,
    structured,
    update,
    upsert,
)

_ROOM: Final = 2000
"""Bytes that are left for what is around the entries."""


def _entries(entry: Callable[[int], Any]) -> list[Any]:
    """As many entries as fit."""
    longest = max(len(orjson.dumps(entry(number))) for number in (0, 99_999)) + 1
    return [entry(number) for number in range((MAX_BYTES - _ROOM) // longest)]


def _members(value: Any) -> dict[str, Any]:
    return {f"{number:05}": value for number in range((MAX_BYTES - _ROOM) // (9 + len(orjson.dumps(value))))}


def _change(**data: Any) -> Record:
    return structured(data=data)


def _transfer(**data: Any) -> Record:
    return structured("holdings.transfer.requested", {"institution": "PUL", **data})


def _coverages(entry: Callable[[int], Any]) -> Record:
    return _change(eholdings=update({"customCoverages": _entries(entry)}))


def _holdings(entry: Callable[[int], Any]) -> Record:
    return _change(inventory=upsert(holdingsRecords=_entries(entry)))


def _items(entry: Callable[[int], Any]) -> Record:
    return _change(inventory=upsert(holdingsRecords=[{"hrid": "h", "items": _entries(entry)}]))


def _relations(kinds: dict[str, Any]) -> Record:
    return _change(inventory=upsert(instanceRelations=kinds))


def _hrid(text: str) -> Record:
    return _change(inventory=upsert(instance={"hrid": text * ((MAX_BYTES - _ROOM) // len(text.encode()))}))


def _spelt(text: bytes) -> Record:
    """Data that JSON libraries do not write."""
    return record(orjson.dumps(envelope(data="@")).replace(b'"@"', text))


def _moving(number: int) -> Any:
    place = item_place(owningInstitutionItemId=f"i{number}")
    return item_transfer(source=place, destination=place)


def _in_base64() -> Record:
    data = b'{"institution":"PUL","itemTransfers":[' + b",".join([b"1"] * 370_000) + b"]}"
    return structured("holdings.transfer.requested", data_base64=base64.b64encode(data).decode())


def _headers(value: bytes | None) -> Record:
    return record(b"{}", tuple((f"ce_{number}", value) for number in range(60_000)))


WORST_CASES: Final[dict[str, Callable[[], Record]]] = {
    "numbers for transfers": lambda: _transfer(itemTransfers=_entries(lambda _: 1)),
    "empty transfers": lambda: _transfer(itemTransfers=_entries(lambda _: {})),
    "transfers of nothing to nowhere": lambda: _transfer(
        itemTransfers=_entries(lambda _: {"source": {}, "destination": {}})
    ),
    "transfers of blanks": lambda: _transfer(
        itemTransfers=_entries(lambda _: item_transfer(source=item_place(owningInstitutionItemId="")))
    ),
    "sound transfers": lambda: _transfer(itemTransfers=_entries(_moving)),
    "transfers and unknown members": lambda: _transfer(
        itemTransfers=_entries(lambda _: {})[:250_000], **{f"x{n}": 1 for n in range(3000)}
    ),
    "numbers for operations": lambda: _transfer(itemTransfers=[_moving(1)], inventory=_entries(lambda _: 1)),
    "empty operations": lambda: _transfer(itemTransfers=[_moving(1)], inventory=_entries(lambda _: {})),
    "upserts of nothing": lambda: _transfer(
        itemTransfers=[_moving(1)], inventory=_entries(lambda _: {"action": "upsert"})
    ),
    "sound deletions": lambda: _transfer(
        itemTransfers=[_moving(1)], inventory=_entries(lambda n: {"action": "delete", "hrid": str(n)})
    ),
    "sound shared deletions": lambda: _transfer(
        itemTransfers=[_moving(1)], inventory=_entries(lambda n: delete_shared())
    ),
    "unknown members of data": lambda: _change(**_members(1)),
    "unknown members of an update": lambda: _change(eholdings=update({"isHidden": True}, **_members(1))),
    "unknown attributes": lambda: _change(eholdings=update(_members(1))),
    "unknown members of instructions": lambda: _change(inventory=upsert(processing=_members(1))),
    "numbers for tags": lambda: _change(eholdings=update(tags=_entries(lambda _: 1))),
    "blank tags": lambda: _change(eholdings=update(tags=_entries(lambda _: ""))),
    "sound tags": lambda: _change(eholdings=update(tags=_entries(lambda _: "t"))),
    "numbers for coverages": lambda: _coverages(lambda _: 1),
    "empty coverages": lambda: _coverages(lambda _: {}),
    "coverages without end": lambda: _coverages(lambda _: {"beginCoverage": "2000-01-01"}),
    "coverages of the same days": lambda: _coverages(
        lambda _: {"beginCoverage": "2000-01-01", "endCoverage": "2000-01-02"}
    ),
    "coverages of no days": lambda: _coverages(lambda _: {"beginCoverage": "x"}),
    "numbers for holdings": lambda: _holdings(lambda _: 1),
    "empty holdings": lambda: _holdings(lambda _: {}),
    "holdings of empty items": lambda: _holdings(lambda _: {"items": [{}]}),
    "holdings of a thousand numbers": lambda: _holdings(lambda _: {"hrid": "h", "items": [1] * 1000}),
    "sound holdings": lambda: _holdings(lambda n: {"hrid": str(n), "items": [], "sourceName": f"é{n}"}),
    "empty items": lambda: _items(lambda _: {}),
    "items of one HRID": lambda: _items(lambda _: {"hrid": "é"}),
    "sound items": lambda: _items(lambda n: {"hrid": str(n)}),
    "empty relations": lambda: _relations({"parentInstances": _entries(lambda _: {})}),
    "unknown kinds of relation": lambda: _relations(_members([{}])),
    "sound relations": lambda: _relations(
        {"precedingTitles": _entries(lambda n: {"instanceIdentifier": {"hrid": str(n)}})}
    ),
    "an HRID of accents": lambda: _hrid("\u0315\u0300"),
    "an HRID of hidden accents": lambda: _hrid("\u0f73"),
    "an HRID of letters of eighteen": lambda: _hrid("ﷺ"),
    "a blank HRID": lambda: _hrid(" "),
    "deep lists": lambda: record(b"[" * 500_000 + b"]" * 500_000),
    "deep lists within": lambda: _spelt(b"[" * 499_000 + b"]" * 499_000),
    "wide and deep": lambda: record(b"[" + b",".join([b"[" * 199 + b"]" * 199] * 2500) + b"]"),
    "an integer of a million digits": lambda: _spelt(b"9" * 990_000),
    "many long integers": lambda: _spelt(b"[" + b",".join([b"1234567890123456789"] * 49_000) + b"]"),
    "an exponent beyond all": lambda: _spelt(b"1e999999"),
    "a fraction of a million digits": lambda: _spelt(b"0." + b"1" * 990_000),
    "many objects and a long integer": lambda: _spelt(b"[" + b"{}," * 320_000 + b"1234567890123456789]"),
    "one key over and over": lambda: record(b"{" + b",".join([b'"a":1'] * 160_000) + b"}"),
    "all that in base64": _in_base64,
    "an id of a megabyte": lambda: structured(data={}, id="\x01" * 160_000),
    "headers that are no text": lambda: _headers(b"\xff"),
    "headers without a value": lambda: _headers(None),
    "one header over and over": lambda: record(b"{}", tuple(("ce_id", b"%d" % n) for n in range(60_000))),
    "a header with a name of a megabyte": lambda: record(
        b"{}", (("-api" * 250_000, b"1"), ("ce_" + "x" * 900_000, None))
    ),
    "a trace of a megabyte": lambda: binary(b"{}", traceparent="00-" + "a" * 900_000),
}
