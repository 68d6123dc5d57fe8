"""Stories of printed serials and sets: titles that change their name, volumes that belong to a whole."""

from __future__ import annotations

from typing import Final

from service.demo.sample import JsonObject, Story
from service.demo.samples.records import PART_OF, holdings, instance, item, stored, upsert, upsert_alone
from service.demo.samples.telling import Telling
from service.domain.codes import Code
from service.sandbox.exchange import JsonValue

_RENAMED: Final = (
    ("The Miller and Baker", "Grain and Flour Review"),
    ("Annals of the Telegraph Office", "Annals of Telecommunication History"),
    ("Our Garden", "The Urban Garden"),
)
_SETS: Final = (
    ("Collected Sermons of the Lake District", 3),
    ("Flora of the Coastal Marshes", 2),
)


def stories() -> list[Story]:
    """Title changes, multi-volume works, and a relation that leads nowhere."""
    return [
        *(_renamed(number, *names) for number, names in enumerate(_RENAMED)),
        *(_set_of_volumes(number, *work) for number, work in enumerate(_SETS)),
        _relation_to_nothing(),
    ]


def _renamed(number: int, before: str, after: str) -> Story:
    old, new = f"se{6100 + number:06d}", f"se{6200 + number:06d}"
    telling = Telling(new, source="/ils/serials", traced=True)
    run = holdings(f"{old}-h", item(f"{old}-i", f"4400{6100 + number}"), callNumber=f"Z {300 + number}")
    telling.seed(stored(upsert(instance(old, before), run)))
    telling.changed(
        f"“{before}” goes on as “{after}”",
        inventory=upsert(
            instance(new, after),
            holdings(f"{new}-h", callNumber=f"Z {400 + number}"),
            instanceRelations={"precedingTitles": [_named(old)]},
        ),
    )
    telling.changed(
        "The first volume under the new name is bound",
        binary=number % 2 == 0,
        inventory=upsert(
            instance(new, after),
            holdings(f"{new}-h", item(f"{new}-i", f"4400{6200 + number}", volume="1"), callNumber=f"Z {400 + number}"),
        ),
    )
    telling.changed(
        "The link was an error and is taken back",
        inventory=upsert_alone(instance(new, after), instanceRelations={"precedingTitles": []}),
    )
    return telling.end()


def _set_of_volumes(number: int, title: str, count: int) -> Story:
    whole = f"se{6300 + number:06d}"
    telling = Telling(whole, source="/ils/catalogue")
    telling.changed(
        f"The record of the whole: {title}", inventory=upsert(instance(whole, title), holdings(f"{whole}-h"))
    )
    for volume in range(1, count + 1):
        part = f"{whole}-v{volume}"
        shelf = holdings(f"{part}-h", item(f"{part}-i", f"4500{6300 + number}{volume}"))
        telling.changed(
            f"Volume {volume} is entered below it",
            inventory=upsert(
                instance(part, f"{title}, volume {volume}"),
                shelf,
                instanceRelations={"parentInstances": [{**_named(whole), "instanceRelationshipTypeId": PART_OF}]},
            ),
        )
    index = f"{whole}-x"
    provisional: JsonObject = {"title": f"{title}, index", "source": "ILS", "instanceTypeId": PART_OF}
    telling.changed(
        "An index volume is announced: the relation makes up its record",
        inventory=upsert_alone(
            instance(whole, title),
            instanceRelations={
                "succeedingTitles": [{"instanceIdentifier": {"hrid": index}, "provisionalInstance": provisional}]
            },
        ),
    )
    return telling.end()


def _relation_to_nothing() -> Story:
    hrid = "se00006401"
    telling = Telling(hrid, source="/ils/serials")
    entry = instance(hrid, "Bulletin of a Society Nobody Remembers")
    relations: JsonValue = {"precedingTitles": [_named("se00006499")]}
    telling.changed(
        "A relation to a record that is not there is refused, the record itself is stored",
        Code.REFUSED,
        holds=[upsert(entry, holdings(f"{hrid}-h"))],
        inventory=upsert(entry, holdings(f"{hrid}-h"), instanceRelations=relations),
    )
    return telling.end()


def _named(hrid: str) -> JsonObject:
    return {"instanceIdentifier": {"hrid": hrid}}
