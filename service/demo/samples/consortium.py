"""Stories of a shared index: several institutions hold one title, and each brings and takes only what is its own."""

from __future__ import annotations

from typing import Final

from service.demo.sample import JsonObject, Story
from service.demo.samples.records import holdings, instance, item, locations
from service.demo.samples.telling import UNCHANGED, Telling
from service.sandbox.exchange import JsonValue

CONSORTIUM: Final = "consortium"
"""The tenant of the shared index."""

HILLSIDE: Final = "7d1e4a30-93c6-4c57-8e6a-0d2f4b6c8e01"
LAKESIDE: Final = "7d1e4a30-93c6-4c57-8e6a-0d2f4b6c8e02"
_SHELVES: Final = {
    HILLSIDE: "7d1e4a30-93c6-4c57-8e6a-0d2f4b6c8e11",
    LAKESIDE: "7d1e4a30-93c6-4c57-8e6a-0d2f4b6c8e12",
}
_IDENTIFIERS: Final = {
    HILLSIDE: "7d1e4a30-93c6-4c57-8e6a-0d2f4b6c8e21",
    LAKESIDE: "7d1e4a30-93c6-4c57-8e6a-0d2f4b6c8e22",
}
_TITLES: Final = (
    "Tides of the Northern Harbours",
    "The Ropemaker's Apprentice",
    "An Atlas of Vanished Railways",
    "Songs for the Long Evening",
)


def stories() -> list[Story]:
    """One story for each shared title, and one of a record that was never shared."""
    shared = [_shared(number, title) for number, title in enumerate(_TITLES)]
    places = locations(*((_SHELVES[owner], owner) for owner in (HILLSIDE, LAKESIDE)), tenant=CONSORTIUM)
    return [shared[0].plus(places), *shared[1:], _never_shared()]


def _shared(number: int, title: str) -> Story:
    telling = Telling(f"shared-{number + 1}", tenant=CONSORTIUM, source="/consortium/feed", traced=number == 0)
    local = f"{8800 + number}"
    telling.changed(f"Hillside brings “{title}”", inventory=_bring(HILLSIDE, f"hs{local}", title, f"56{local}1"))
    telling.changed("Lakeside has it too", binary=True, inventory=_bring(LAKESIDE, f"ls{local}", title, f"57{local}1"))
    if number % 2:
        telling.changed(
            "Hillside buys a second copy",
            inventory=_bring(HILLSIDE, f"hs{local}", title, f"56{local}1", f"56{local}2"),
        )
        identifier: JsonObject = {"oaiIdentifier": f"oai:lakeside.example:ls{local}"}
        telling.changed("Lakeside withdraws its copy", inventory=_take(LAKESIDE, **identifier))
    else:
        telling.changed("Hillside withdraws its copy", inventory=_take(HILLSIDE, localIdentifier=f"hs{local}"))
    return telling.end()


def _never_shared() -> Story:
    telling = Telling("shared-unknown", tenant=CONSORTIUM, source="/consortium/feed")
    telling.changed(
        "A record that was never shared is withdrawn: there is nothing to do",
        UNCHANGED,
        inventory=_take(LAKESIDE, localIdentifier="ls9999"),
    )
    return telling.end()


def _bring(owner: str, local: str, title: str, *barcodes: str) -> JsonObject:
    identifiers: list[JsonValue] = [{"identifierTypeId": _IDENTIFIERS[owner], "value": local}]
    record = instance("unused", title, identifiers=identifiers)
    del record["hrid"]
    shelf = holdings("unused", *(_copy(barcode) for barcode in barcodes), location=_SHELVES[owner])
    del shelf["hrid"]
    return {
        "action": "upsert-shared",
        "instance": record,
        "holdingsRecords": [shelf],
        "institutionId": owner,
        "localIdentifier": local,
        "identifierTypeId": _IDENTIFIERS[owner],
    }


def _take(owner: str, **identifier: JsonValue) -> JsonObject:
    return {
        "action": "delete-shared",
        "institutionId": owner,
        "identifierTypeId": _IDENTIFIERS[owner],
        **identifier,
    }


def _copy(barcode: str) -> JsonObject:
    copy = item("unused", barcode)
    del copy["hrid"]
    return copy
