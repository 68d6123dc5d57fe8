"""Stories of the shared off-site collection: items and holdings move from one bib to another."""

from __future__ import annotations

from typing import Final

from service.demo.sample import JsonObject, Story
from service.demo.samples.records import OFFSITE, delete, holdings, instance, item, stored, upsert
from service.demo.samples.telling import SUCCEEDED, Telling
from service.domain.codes import Code
from service.sandbox.exchange import JsonValue
from service.sandbox.scsb import seeds as scsb

PRINCETON: Final = "PUL"
COLUMBIA: Final = "CUL"
NEW_YORK: Final = "NYPL"

_ITEM_MOVES: Final = ((PRINCETON, 9100), (PRINCETON, 9110), (COLUMBIA, 9120), (NEW_YORK, 9130), (NEW_YORK, 9140))
_HOLDINGS_MOVES: Final = ((PRINCETON, 9200), (COLUMBIA, 9210), (NEW_YORK, 9220))


def stories() -> list[Story]:
    """Moves of items, of holdings, of both at once; moves that the system refuses, or refuses in part."""
    return [
        *(_items_join(*move) for move in _ITEM_MOVES),
        *(_holdings_move(*move) for move in _HOLDINGS_MOVES),
        _both_at_once(),
        _followed_by_inventory(),
        _some_refused(),
        _refused_so_inventory_waits(),
        _unknown_institution(),
        _deaccessioned(),
        _asked_twice(),
    ]


def item_move(before: tuple[str, str], after: tuple[str, str], item_id: str) -> JsonObject:
    """One entry of `itemTransfers`: from (bib, holdings) to (bib, holdings)."""
    return {"source": _item_place(*before, item_id), "destination": _item_place(*after, item_id)}


def holdings_move(before: str, after: str, holdings_id: str) -> JsonObject:
    """One entry of `holdingTransfers`: from bib to bib."""
    return {"source": _holdings_place(before, holdings_id), "destination": _holdings_place(after, holdings_id)}


def held(institution: str, *bibs: tuple[str, dict[str, JsonValue]]) -> JsonObject:
    """Seed of SCSB: these bibs of an institution."""
    return {"scsb": scsb.scsb_state(**{institution: scsb.institution(*bibs)})}


def _items_join(institution: str, number: int) -> Story:
    """Two bibs describe one thing; the items of the second move to the first, one event each."""
    kept, gone = f".b{number}1", f".b{number}2"
    telling = Telling(f"{institution}-{number}", source="/ils/offsite", traced=number % 20 == 0)
    first, second, third = (f".i{number}{part}" for part in (1, 2, 3))
    telling.seed(
        held(
            institution,
            scsb.bib(kept, scsb.holdings(f"{kept}-h", scsb.item(first))),
            scsb.bib(gone, scsb.holdings(f"{gone}-h", scsb.item(second), scsb.item(third))),
        )
    )
    for part, moved in enumerate((second, third), 1):
        telling.transfer(
            f"Item {part} of 2 joins the bib that is kept",
            institution=institution,
            binary=part == 2,
            items=[item_move((gone, f"{gone}-h"), (kept, f"{kept}-h"), moved)],
        )
    return telling.end()


def _holdings_move(institution: str, number: int) -> Story:
    """A holdings record moves with its items to a bib that is there, then on to one that SCSB makes up."""
    before, after, new = f"{number}1", f"{number}2", f"{number}3"
    telling = Telling(f"{institution}-{number}", source="/ils/offsite")
    telling.seed(
        held(
            institution,
            scsb.bib(before, scsb.holdings(f"{number}h", scsb.item(f"{number}i1"), scsb.item(f"{number}i2"))),
            scsb.bib(after, scsb.holdings(f"{number}k", scsb.item(f"{number}i3"))),
        )
    )
    telling.transfer(
        "A holdings record moves with both of its items",
        institution=institution,
        holdings=[holdings_move(before, after, f"{number}h")],
    )
    telling.transfer(
        "It moves on to a bib that SCSB has not seen yet",
        institution=institution,
        holdings=[holdings_move(after, new, f"{number}h")],
    )
    return telling.end()


def _both_at_once() -> Story:
    telling = Telling("PUL-9300", source="/ils/offsite", traced=True)
    telling.seed(
        held(
            PRINCETON,
            scsb.bib("93001", scsb.holdings("93001h", scsb.item("93001a"), scsb.item("93001b"))),
            scsb.bib("93002", scsb.holdings("93002h", scsb.item("93002a"))),
            scsb.bib("93003", scsb.holdings("93003h", scsb.item("93003a"))),
        )
    )
    telling.transfer(
        "One request moves a holdings record and two items",
        institution=PRINCETON,
        holdings=[holdings_move("93002", "93003", "93002h")],
        items=[
            item_move(("93001", "93001h"), ("93003", "93003h"), "93001a"),
            item_move(("93001", "93001h"), ("93003", "93003h"), "93001b"),
        ],
    )
    return telling.end()


def _followed_by_inventory() -> Story:
    hrid = "re00009401"
    telling = Telling(hrid, source="/ils/offsite")
    copy = item(f"{hrid}-i", "3290009401")
    telling.seed(
        held(
            COLUMBIA,
            scsb.bib("94001", scsb.holdings("94001h", scsb.item("94001a"))),
            scsb.bib("94002", scsb.holdings("94002h", scsb.item("94002a"))),
        ),
        stored(
            upsert(instance(hrid, "Tables of Lunar Distances"), holdings(f"{hrid}-h", location=OFFSITE)),
            upsert(instance(f"{hrid}x", "Tables of lunar distances"), holdings(f"{hrid}x-h", copy, location=OFFSITE)),
        ),
    )
    telling.transfer(
        "Once the item has moved, inventory is told: the item there too, and the spare record goes",
        institution=COLUMBIA,
        items=[item_move(("94002", "94002h"), ("94001", "94001h"), "94002a")],
        inventory=[
            upsert(instance(hrid, "Tables of Lunar Distances"), holdings(f"{hrid}-h", copy, location=OFFSITE)),
            delete(f"{hrid}x"),
        ],
    )
    return telling.end()


def _some_refused() -> Story:
    telling = Telling("NYPL-9500", source="/ils/offsite")
    telling.seed(
        held(
            NEW_YORK,
            scsb.bib(".b95001", scsb.holdings(".b95001-h", scsb.item(".i95001a"), scsb.item(".i95001b"))),
            scsb.bib(".b95002", scsb.holdings(".b95002-h", scsb.item(".i95002a"))),
        )
    )
    before, after = (".b95001", ".b95001-h"), (".b95002", ".b95002-h")
    telling.transfer(
        "Two of three items move; the third is not where the request says",
        SUCCEEDED,
        Code.REFUSED,
        SUCCEEDED,
        institution=NEW_YORK,
        items=[
            item_move(before, after, ".i95001a"),
            item_move(before, after, ".i95009z"),
            item_move(before, after, ".i95001b"),
        ],
    )
    return telling.end()


def _refused_so_inventory_waits() -> Story:
    hrid = "re00009402"
    telling = Telling(hrid, source="/ils/offsite")
    telling.seed(
        held(COLUMBIA, scsb.bib("94011", scsb.holdings("94011h", scsb.item("94011a")))),
        stored(upsert(instance(hrid, "Atlas of Cloud Forms"), holdings(f"{hrid}-h", location=OFFSITE))),
    )
    telling.transfer(
        "The transfer is refused, so inventory is not touched",
        Code.REFUSED,
        Code.NOT_ATTEMPTED,
        institution=COLUMBIA,
        items=[item_move(("94019", "94019h"), ("94011", "94011h"), "94019a")],
        inventory=[delete(hrid)],
    )
    return telling.end()


def _unknown_institution() -> Story:
    telling = Telling("XYZ-9600", source="/ils/offsite")
    telling.transfer(
        "An institution that SCSB does not know",
        Code.REFUSED,
        institution="XYZ",
        holdings=[holdings_move("96001", "96002", "96001h")],
    )
    return telling.end()


def _deaccessioned() -> Story:
    telling = Telling("PUL-9700", source="/ils/offsite")
    telling.seed(
        held(
            PRINCETON,
            scsb.bib("97001", scsb.holdings("97001h", scsb.item("97001a", deleted=True), scsb.item("97001b"))),
            scsb.bib("97002", scsb.holdings("97002h", scsb.item("97002a"))),
        )
    )
    telling.transfer(
        "A deaccessioned item stays where it is",
        Code.REFUSED,
        institution=PRINCETON,
        items=[item_move(("97001", "97001h"), ("97002", "97002h"), "97001a")],
    )
    return telling.end()


def _asked_twice() -> Story:
    telling = Telling("CUL-9800", source="/ils/offsite")
    telling.seed(
        held(
            COLUMBIA,
            scsb.bib("98001", scsb.holdings("98001h", scsb.item("98001a"), scsb.item("98001b"))),
            scsb.bib("98002", scsb.holdings("98002h", scsb.item("98002a"))),
        )
    )
    telling.transfer(
        "An item moves",
        institution=COLUMBIA,
        items=[item_move(("98001", "98001h"), ("98002", "98002h"), "98001a")],
    )
    telling.again(
        "The same request comes as another event: the item is not there any more", Code.REFUSED, changes=False
    )
    return telling.end()


def _item_place(bib: str, holdings_id: str, item_id: str) -> JsonObject:
    return {**_holdings_place(bib, holdings_id), "owningInstitutionItemId": item_id}


def _holdings_place(bib: str, holdings_id: str) -> JsonObject:
    return {"owningInstitutionBibId": bib, "owningInstitutionHoldingsId": holdings_id}
