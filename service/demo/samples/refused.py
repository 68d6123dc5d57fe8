"""Records that are refused before anything is called: they cannot be read, or break their schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import orjson

from service.demo.sample import JsonObject, Story
from service.demo.samples.eresources import add, deselect, remove, update, years
from service.demo.samples.recap import PRINCETON, holdings_move, item_move
from service.demo.samples.records import delete, holdings, instance, item, upsert
from service.demo.samples.telling import (
    CHANGED,
    DEFAULT_TENANT,
    TOPICS,
    TRANSFER,
    Telling,
    in_binary_mode,
    in_structured_mode,
)
from service.domain.codes import Code
from service.domain.operations import EventIdentity
from service.sandbox.exchange import JsonValue

MAX_EVENT_BYTES: Final = 200_000
"""The limit that the demonstration sets, so that a record need not be huge to be too large."""

_RESOURCE: Final = "88-8001-8800101"
_SHELF: Final = "88h"


def stories() -> list[Story]:
    """Unreadable records, unknown types, records that are too large, and invalid data of every kind."""
    return [_unreadable(), _unknown_types(), _too_large(), _invalid_eholdings(), _invalid_records(), _invalid_moves()]


def _unreadable() -> Story:
    telling = Telling("unreadable", source="/ils/broken")
    attributes: JsonObject = {"specversion": "1.0", "id": "u-1", "source": "/ils/broken", "type": CHANGED}
    data: JsonObject = {"eholdings": deselect(_RESOURCE)}

    def refuse(title: str, value: bytes | None, **others: object) -> None:
        telling.record(title, Code.UNREADABLE, value, **others)  # type: ignore[arg-type]

    refuse("JSON that breaks off", b'{"specversion": "1.0", "id": "u-1", "sour')
    refuse("No value at all", None)
    refuse("No value, in the other topic", None, topic=TOPICS[TRANSFER])
    refuse("Not JSON: a line of a log", b"2025-03-14 09:26:53 INFO holdings changed")
    refuse("An empty value", b"")
    refuse("Bytes that are no text", b"\xff\xfe\x00\x01")
    refuse("A list in place of an event", b"[1, 2, 3]")
    refuse("JSON, but no CloudEvent", orjson.dumps({"resourceId": _RESOURCE, "isSelected": False}))
    refuse("A CloudEvent without an id", in_structured_mode(_without(attributes, "id"), data)[0])
    refuse("A CloudEvent of another version", in_structured_mode({**attributes, "specversion": "0.3"}, data)[0])
    refuse("An id that is a number", in_structured_mode({**attributes, "id": 17}, data)[0])
    value, headers = in_binary_mode(_without(attributes, "type"), data)
    refuse("Binary mode without a type", value, headers=headers)
    refuse(
        "A record with a token in a header, which must not reach the dead letter",
        b"{}",
        headers=(("X-Okapi-Token", b"a-token-of-somebody"), ("trace-note", b"kept")),
    )
    return telling.end()


def _unknown_types() -> Story:
    telling = Telling("unknown-type", source="/ils/other")
    for number, event_type in enumerate(("holdings.borrowed", "com.example.order.placed", "holdings.changed.v2"), 1):
        event = EventIdentity(f"t-{number}", "/ils/other", event_type)
        attributes: JsonObject = {"specversion": "1.0", "id": event.id, "source": event.source, "type": event.type}
        encode = in_binary_mode if number == 2 else in_structured_mode
        value, headers = encode(attributes, {"note": "not for us"})
        telling.record(
            f"An event of a type that nobody here knows: {event_type}",
            Code.UNKNOWN_TYPE,
            value,
            headers=headers,
            event=event,
            tenant=DEFAULT_TENANT,
        )
    return telling.end()


def _too_large() -> Story:
    telling = Telling("too-large", source="/ils/catalogue")
    notes: list[JsonValue] = [f"note {number}: {'x' * 200}" for number in range(1200)]
    book = instance("re00008801", "A Book with Far Too Many Notes", administrativeNotes=notes)
    attributes: JsonObject = {"specversion": "1.0", "id": "l-1", "source": "/ils/catalogue", "type": CHANGED}
    value, headers = in_structured_mode(attributes, {"inventory": upsert(book)})
    telling.record("An event of more bytes than are taken", Code.TOO_LARGE, value, headers=headers)
    telling.record("A megabyte of blanks", Code.TOO_LARGE, b" " * 1_000_000)
    return telling.end()


def _invalid_eholdings() -> Story:
    telling = Telling(_RESOURCE, source="/ils/serials", traced=True)

    def refuse(title: str, eholdings: JsonValue) -> None:
        telling.changed(title, Code.INVALID_DATA, eholdings=eholdings)

    backwards = update(_RESOURCE, customCoverages=[years("2010", "2001")])
    refuse("A coverage that ends before it begins", backwards)
    refuse("Coverages that overlap", update(_RESOURCE, customCoverages=[years("2001", "2005"), years("2004", "2009")]))
    refuse("A day that does not exist", update(_RESOURCE, customCoverages=[years("2023-02-30", "2023-12-31")]))
    refuse("A statement of 251 characters", update(_RESOURCE, coverageStatement="x" * 251))
    refuse("A misspelt attribute", update(_RESOURCE, coverageStatment="1999 to date"))
    refuse("The title's own name, which the system would ignore", update(_RESOURCE, name="A better name"))
    refuse("A resource id that is a number", {"action": "deselect", "resourceId": 8800101})
    refuse("A resource id of two parts", deselect("88-8001"))
    refuse("An action that does not exist", {"action": "renew", "resourceId": _RESOURCE})
    refuse("A deselection that carries a note", update(_RESOURCE, isSelected=False, userDefinedField1="gone"))
    refuse(
        "An embargo in an unknown unit",
        update(_RESOURCE, customEmbargoPeriod={"embargoUnit": "days", "embargoValue": 3}),
    )
    refuse("An address without a protocol", add("88-8001", "8800102", url="www.example/journal"))
    refuse("An access type that is no UUID", update(_RESOURCE, accessTypeId="open"))
    refuse("An update that asks for nothing", {"action": "update", "resourceId": _RESOURCE})
    refuse("Nothing at all is asked for", None)
    return telling.end()


def _invalid_records() -> Story:
    telling = Telling("re00008810", source="/ils/catalogue")
    book = instance("re00008810", "Instruments of the Deep")
    copy = item(f"{_SHELF}-i", "8800008810")
    without_items: JsonObject = {name: value for name, value in holdings(_SHELF).items() if name != "items"}

    def refuse(title: str, inventory: JsonObject) -> None:
        telling.changed(title, Code.INVALID_DATA, inventory=inventory)

    refuse("A holdings record without items, which would lose them all", upsert(book, without_items))
    refuse("Two holdings records of one HRID", upsert(book, holdings(_SHELF), holdings(_SHELF.upper())))
    refuse("One item in two places", upsert(book, holdings(_SHELF, copy), holdings(f"{_SHELF}2", copy)))
    refuse("An instance without HRID", upsert(_without(book, "hrid"), holdings(_SHELF)))
    refuse("A blank HRID", delete("  "))
    refuse("A source by id and by name", upsert(book, {**holdings(_SHELF), "sourceName": "FOLIO"}))
    refuse(
        "A relation that names nobody",
        upsert(book, holdings(_SHELF), instanceRelations={"childInstances": [{"provisionalInstance": {}}]}),
    )
    telling.changed(
        "Two parts, and one of them is wrong: neither is carried out",
        Code.INVALID_DATA,
        Code.NOT_ATTEMPTED,
        eholdings=remove("not-a-resource"),
        inventory=delete("re00008811"),
    )
    telling.changed(
        "A source of an unknown kind",
        Code.INVALID_DATA,
        holdingsSource={"action": "upsert", "name": "X", "source": "me"},
    )
    return telling.end()


def _invalid_moves() -> Story:
    telling = Telling("PUL-8800", source="/ils/offsite")
    before, after = ("88001", "88001h"), ("88002", "88002h")
    move = item_move(before, after, "88001a")

    def refuse(title: str, entry: JsonObject, change: Callable[[JsonObject], JsonObject] = dict) -> None:
        telling.transfer(title, Code.INVALID_DATA, institution=PRINCETON, items=[change(entry)])

    refuse("A bound-with item", {**move, "boundWith": True})
    refuse("An item that changes its id on the way", {**move, "destination": _place(after, "88001b")})
    refuse("A destination without a bib", {**move, "destination": _place(("", "88002h"), "88001a")})
    refuse(
        "An item named by its barcode", {**move, "source": {"barcode": "32101088001001", **_place(before, "88001a")}}
    )
    telling.transfer(
        "A holdings record that changes its id on the way",
        Code.INVALID_DATA,
        institution=PRINCETON,
        holdings=[
            {
                **holdings_move("88001", "88002", "88001h"),
                "destination": _without(_place(after, ""), "owningInstitutionItemId"),
            }
        ],
    )
    telling.transfer("Nothing is to be moved", Code.INVALID_DATA, institution=PRINCETON)
    telling.transfer("No institution", Code.INVALID_DATA, institution=" ", items=[move])
    return telling.end()


def _place(where: tuple[str, str], item_id: str) -> JsonObject:
    bib, holdings_id = where
    return {
        "owningInstitutionBibId": bib,
        "owningInstitutionHoldingsId": holdings_id,
        "owningInstitutionItemId": item_id,
    }


def _without(fields: JsonObject, name: str) -> JsonObject:
    return {field: value for field, value in fields.items() if field != name}
