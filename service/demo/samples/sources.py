"""Stories of holdings sources, and of events that carry several operations at once."""

from __future__ import annotations

from typing import Final

from service.demo.sample import JsonObject, Story
from service.demo.samples.eresources import seeded, title, update, years
from service.demo.samples.records import delete, holdings, instance, item, stored, upsert
from service.demo.samples.telling import SUCCEEDED, UNCHANGED, Telling
from service.domain.codes import Code

_NAMES: Final = ("Map collection inventory", "Union catalogue of the north", "Card catalogue 1890–1975")
_PAIRS: Final = (
    ("71-4001-7100101", "Yearbook of Regional Theatre", "mu00007101"),
    ("71-4001-7100102", "Yearbook of Regional Dance", "mu00007102"),
    ("71-4001-7100103", "Yearbook of Regional Opera", "mu00007103"),
    ("71-4001-7100104", "Yearbook of Regional Film", "mu00007104"),
)


def stories() -> list[Story]:
    """Sources by themselves, sources with the records that name them, resources with their printed counterparts."""
    return [
        *(_source(number, name) for number, name in enumerate(_NAMES)),
        _source_with_its_records(),
        _source_in_use(),
        _shipped_source(),
        _source_that_nobody_made(),
        *(_pair(*pair) for pair in _PAIRS),
        _half_refused(),
    ]


def make(name: str, source: str = "local") -> JsonObject:
    """An `upsert` of a holdings source."""
    return {"action": "upsert", "name": name, "source": source}


def unmake(name: str) -> JsonObject:
    """A `delete` of a holdings source."""
    return {"action": "delete", "name": name}


def _source(number: int, name: str) -> Story:
    telling = Telling(f"source-{number + 1}", source="/ils/settings")
    telling.changed(f"“{name}” is set up", holdingsSource=make(name))
    telling.changed("It is maintained by the consortium now", binary=True, holdingsSource=make(name, "consortium"))
    if number % 2:
        telling.changed("It is given up", holdingsSource=unmake(name))
    return telling.end()


def _source_with_its_records() -> Story:
    telling = Telling("mu00007001", source="/ils/catalogue", traced=True)
    name, hrid = "Manuscript register", "mu00007001"
    record = upsert(
        instance(hrid, "Ledger of the Lighthouse Keepers"),
        holdings(f"{hrid}-h", item(f"{hrid}-i", "467001"), sourceName=name),
    )
    telling.changed(
        "A source and the record that names it, in one event",
        SUCCEEDED,
        SUCCEEDED,
        holdingsSource=make(name),
        inventory=record,
    )
    telling.changed(
        "Both go in one event, the record first",
        SUCCEEDED,
        SUCCEEDED,
        holdingsSource=unmake(name),
        inventory=delete(hrid),
    )
    return telling.end()


def _source_in_use() -> Story:
    telling = Telling("mu00007002", source="/ils/catalogue")
    name, hrid = "Photograph archive", "mu00007002"
    telling.changed("A source for photographs", holdingsSource=make(name))
    telling.changed(
        "A record names it by its name",
        inventory=upsert(instance(hrid, "Views of the Old Pier"), holdings(f"{hrid}-h", sourceName=name)),
    )
    telling.changed("A source in use cannot be deleted", Code.REFUSED, holdingsSource=unmake(name))
    return telling.end()


def _shipped_source() -> Story:
    telling = Telling("source-marc", source="/ils/settings")
    telling.changed("A source that FOLIO ships cannot be deleted", Code.REFUSED, holdingsSource=unmake("MARC"))
    return telling.end()


def _source_that_nobody_made() -> Story:
    hrid = "mu00007003"
    telling = Telling(hrid, source="/ils/catalogue")
    telling.changed(
        "A record that names a source which nobody has made is refused",
        Code.INVALID_DATA,
        inventory=upsert(
            instance(hrid, "Postcards, Uncatalogued"), holdings(f"{hrid}-h", sourceName="Shoebox under the desk")
        ),
    )
    return telling.end()


def _pair(resource_id: str, name: str, hrid: str) -> Story:
    telling = Telling(hrid, source="/ils/serials", traced=hrid.endswith("1"))
    telling.seed(seeded(title(resource_id, name)))
    printed = upsert(instance(hrid, f"{name} (print)"), holdings(f"{hrid}-h", callNumber=f"Y {hrid[-3:]}"))
    online = update(resource_id, customCoverages=[years("2015")], coverageStatement="Print until 2014, online since")
    telling.changed(f"{name}: print ends, online begins", SUCCEEDED, SUCCEEDED, eholdings=online, inventory=printed)
    telling.again("The same event comes twice", UNCHANGED, SUCCEEDED)
    return telling.end()


def _half_refused() -> Story:
    resource_id, hrid = "71-4001-7100109", "mu00007109"
    telling = Telling(hrid, source="/ils/serials")
    telling.seed(
        seeded(title(resource_id, "Yearbook of Regional Puppetry", coverageStatement="1999 to date")),
        stored(upsert(instance(hrid, "Yearbook of Regional Puppetry (print)"), holdings(f"{hrid}-h"))),
    )
    telling.changed(
        "Online and print are changed, and then a source is refused that FOLIO ships",
        SUCCEEDED,
        SUCCEEDED,
        Code.REFUSED,
        eholdings=update(resource_id, coverageStatement="1999 to 2024"),
        inventory=upsert(instance(hrid, "Yearbook of Regional Puppetry (print, ceased)"), holdings(f"{hrid}-h")),
        holdingsSource=unmake("FOLIO"),
    )
    telling.changed(
        "The resource is not there, so the print part is not attempted",
        Code.REFUSED,
        Code.NOT_ATTEMPTED,
        eholdings=update("71-4001-7100199", coverageStatement="2001 to date"),
        inventory=delete(hrid),
    )
    return telling.end()
