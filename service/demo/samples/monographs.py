"""Stories of printed books: acquisition, further copies, moves between shelves, circulation, withdrawal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from service.demo.sample import JsonObject, Story
from service.demo.samples.records import (
    NO_SUCH_LOCATION,
    OFFSITE,
    READING_ROOM,
    author,
    delete,
    holdings,
    instance,
    item,
    stored,
    upsert,
    upsert_alone,
)
from service.demo.samples.telling import Telling
from service.domain.codes import Code

_BOOKS: Final = (
    ("The Salt Roads of the Interior", "Marlow, Edith", "DB 3121"),
    ("A Grammar of Bell Ringing", "Oakes, Thomas", "LT 5520"),
    ("Winter Birds of the Estuary", "Quist, Hanna", "WT 8010"),
    ("Lanterns and Lighthouses", "Peralta, Joaquín", "ZO 4300"),
    ("The Mathematics of Paper Folding", "Ishii, Haruka", "SK 380"),
    ("Bread in Six Thousand Years", "Amsel, Ruth", "LC 17000"),
    ("Bridges Before Steel", "Novák, Jiří", "ZI 6000"),
    ("Letters from a Weather Station", "Sørbø, Liv", "UT 1000"),
    ("The Apothecary's Garden", "Bellini, Carla", "WB 9650"),
    ("Maps for People Who Walk", "Adeyemi, Tunde", "RB 10100"),
    ("On the Tuning of Organs", "Vogt, Anselm", "LU 8500"),
    ("Rivers Underground", "Castellano, Inés", "RC 20350"),
    ("A Short History of Ink", "Lindqvist, Per", "AN 32000"),
    ("Weavers and Dyers", "Chaudhuri, Mira", "LC 72000"),
    ("Sleep in Cold Climates", "Korhonen, Aino", "CZ 1340"),
)

_Plot = Callable[[Telling, int, str], None]


def stories() -> list[Story]:
    """One story for each book, where the plots take turns, and those of books on loan."""
    return [*(_story(number, *book) for number, book in enumerate(_BOOKS)), _withdrawn_on_loan(), _left_out_on_loan()]


def _story(number: int, title: str, name: str, call_number: str) -> Story:
    telling = Telling(_hrid("in", number), source="/ils/catalogue", traced=number % 5 == 2)
    _PLOTS[number % len(_PLOTS)](telling, number, call_number)
    return telling.end()


def _acquired(telling: Telling, number: int, call_number: str) -> None:
    first = item(_hrid("it", number, 1), _barcode(number, 1), "In process")
    telling.changed("A book arrives", inventory=upsert(_book(number), _shelf(number, call_number, first)))
    telling.changed(
        "It is catalogued, and a second copy comes for the reading room",
        binary=True,
        inventory=upsert(
            _book(number, editions=["1st ed."], administrativeNotes=["catalogued from the piece"]),
            _shelf(number, call_number, first),
            _second_shelf(number, call_number, item(_hrid("it", number, 2), _barcode(number, 2))),
        ),
    )
    telling.changed("Only the title is mended", inventory=upsert_alone(_book(number, editions=["2nd ed."])))
    telling.again("The same mending comes twice")


def _moved(telling: Telling, number: int, call_number: str) -> None:
    first, second = (item(_hrid("it", number, copy), _barcode(number, copy)) for copy in (1, 2))
    telling.seed(stored(upsert(_book(number), _shelf(number, call_number, first, second))))
    telling.changed(
        "One of two copies moves to the reading room",
        inventory=upsert(_book(number), _shelf(number, call_number, first), _second_shelf(number, call_number, second)),
    )
    telling.changed(
        "The other follows, and the first shelf is given up",
        inventory=upsert(_book(number), _second_shelf(number, call_number, first, second)),
    )


def _lent(telling: Telling, number: int, call_number: str) -> None:
    lent = item(_hrid("it", number, 1), _barcode(number, 1), "Checked out")
    telling.seed(stored(upsert(_book(number), _shelf(number, call_number, lent))))
    sent = item(_hrid("it", number, 1), _barcode(number, 1), "Available", volume="v. 1")
    telling.changed(
        "A copy on loan is described anew, and stays on loan",
        inventory=upsert(_book(number), _shelf(number, call_number, sent)),
    )
    if number % 2:
        telling.changed(
            "The lending desk overrules the status",
            inventory=upsert(
                _book(number),
                _shelf(number, call_number, sent),
                processing={"item": {"status": {"policy": "overwrite"}}},
            ),
        )


def _withdrawn(telling: Telling, number: int, call_number: str) -> None:
    kept = item(_hrid("it", number, 1), _barcode(number, 1))
    gone = item(_hrid("it", number, 2), _barcode(number, 2), "Missing")
    telling.seed(stored(upsert(_book(number), _shelf(number, call_number, kept, gone))))
    telling.changed("A missing copy is written off", inventory=upsert(_book(number), _shelf(number, call_number, kept)))
    telling.changed(
        "The remaining copy goes, the shelf stays", inventory=upsert(_book(number), _shelf(number, call_number))
    )
    telling.changed("The book is withdrawn altogether", inventory=delete(_hrid("in", number)))


def _misplaced(telling: Telling, number: int, call_number: str) -> None:
    copy = item(_hrid("it", number, 1), _barcode(number, 1))
    book = _book(number)
    telling.changed(
        "A location that does not exist: the title is stored, the holdings record is refused",
        Code.REFUSED,
        holds=[upsert_alone(book)],
        inventory=upsert(book, _shelf(number, call_number, copy, location=NO_SUCH_LOCATION)),
    )
    telling.changed(
        "The location is put right",
        inventory=upsert(book, _shelf(number, call_number, copy, location=OFFSITE)),
    )


def _withdrawn_on_loan() -> Story:
    hrid = "in00004190"
    telling = Telling(hrid, source="/ils/catalogue")
    lent = item(f"{hrid}-i", "331000419001", "Checked out")
    telling.seed(stored(upsert(instance(hrid, "The Patient Angler"), holdings(f"{hrid}-h", lent))))
    telling.changed("A book on loan is not deleted, though the answer is 200", Code.SKIPPED, inventory=delete(hrid))
    return telling.end()


def _left_out_on_loan() -> Story:
    hrid = "in00004191"
    telling = Telling(hrid, source="/ils/catalogue")
    here, lent = item(f"{hrid}-1", "331000419101"), item(f"{hrid}-2", "331000419102", "Checked out")
    book = instance(hrid, "Notes on Hedges")
    telling.seed(stored(upsert(book, holdings(f"{hrid}-h", here, lent))))
    kept = upsert(book, holdings(f"{hrid}-h", here))
    telling.changed("A copy on loan is left out, and stays", inventory=kept)
    return telling.end()


def _book(number: int, **fields: JsonObject | list[str]) -> JsonObject:
    title, name, _ = _BOOKS[number]
    described: JsonObject = {"contributors": author(name), "languages": ["eng"]}
    for field, value in fields.items():
        described[field] = [*value] if isinstance(value, list) else value
    return instance(_hrid("in", number), title, **described)


def _shelf(number: int, call_number: str, *items: JsonObject, **fields: str) -> JsonObject:
    return holdings(_hrid("ho", number, 1), *items, callNumber=call_number, **fields)


def _second_shelf(number: int, call_number: str, *items: JsonObject) -> JsonObject:
    return holdings(_hrid("ho", number, 2), *items, location=READING_ROOM, callNumber=f"{call_number} LS")


def _hrid(prefix: str, number: int, part: int = 0) -> str:
    return f"{prefix}{4100 + number:08d}{f'-{part}' if part else ''}"


def _barcode(number: int, copy: int) -> str:
    return f"3310{4100 + number:06d}{copy:02d}"


_PLOTS: Final[tuple[_Plot, ...]] = (_acquired, _moved, _lent, _withdrawn, _misplaced)
