"""Stories of packages: titles of custom packages come and go, titles of managed ones are deselected and taken back."""

from __future__ import annotations

from typing import Final

from service.demo.sample import JsonObject, Story
from service.demo.samples.eresources import add, deselect, embargo, remove, seeded, title, update, years
from service.demo.samples.telling import UNCHANGED, Telling
from service.domain.codes import Code

LOCAL_JOURNALS: Final = "123355-2845510"
"""A custom package: titles can be added to it and removed."""
MANAGED: Final = "66-7001"

_ADDED: Final = (
    ("17059701", "Proceedings of the Valley Historical Society", "https://valley.example/proceedings"),
    ("17059702", "Student Journal of Astronomy", "https://stars.example/student-journal"),
    ("17059703", "Newsletter of the Herbarium", "https://herbarium.example/news"),
    ("17059704", "Working Papers in Library Economics", "https://papers.example/library-economics"),
    ("17059705", "Theses of the Conservatory", "https://conservatory.example/theses"),
    ("17059706", "Annual Reports of the Observatory", "https://stars.example/reports"),
)

_DESELECTED: Final = (
    ("6601101", "Handbook of Wind Instruments"),
    ("6601102", "Urban Beekeeping Today"),
    ("6601103", "Review of Maritime Insurance"),
    ("6601104", "Studies in Early Photography"),
)


def stories() -> list[Story]:
    """Additions with what follows, removals, deselections."""
    return [
        *(_added(number, *entry) for number, entry in enumerate(_ADDED)),
        *(_deselected(number, *entry) for number, entry in enumerate(_DESELECTED)),
        _removed_title(),
        _package_that_is_not_custom(),
        _title_that_nobody_knows(),
    ]


def known_title(title_id: str, name: str) -> JsonObject:
    """Seed: the knowledge base knows a title, and the custom package is there."""
    package: JsonObject = {"name": "Local journals", "providerName": "This library", "isCustom": True}
    return seeded(packages={LOCAL_JOURNALS: package}, titles={title_id: {"name": name}})


def _added(number: int, title_id: str, name: str, url: str) -> Story:
    telling = Telling(f"{LOCAL_JOURNALS}-{title_id}", source="/ils/serials", traced=number % 2 == 1)
    telling.seed(known_title(title_id, name))
    if number % 2:
        attributes: JsonObject = {"coverageStatement": "All issues", "customCoverages": [years("2001")]}
        telling.changed(
            f"{name} joins the local journals, described at once",
            eholdings=add(LOCAL_JOURNALS, title_id, url=url, attributes=attributes, tags=["local"]),
        )
    else:
        telling.changed(f"{name} joins the local journals", eholdings=add(LOCAL_JOURNALS, title_id, url=url))
    resource_id = f"{LOCAL_JOURNALS}-{title_id}"
    telling.changed(
        "Its address changes",
        binary=number % 3 == 0,
        eholdings=update(resource_id, url=f"{url}/archive", userDefinedField1=f"Contact {number + 1}"),
    )
    if number % 3 == 1:
        telling.changed("It is taken out again", eholdings=remove(resource_id))
    return telling.end()


def _deselected(number: int, title_id: str, name: str) -> Story:
    resource_id = f"{MANAGED}-{title_id}"
    telling = Telling(resource_id, source="/ils/serials")
    telling.seed(
        seeded(
            title(
                resource_id,
                name,
                coverageStatement="Selected volumes",
                customCoverages=[years("1990", "1999")],
                customEmbargoPeriod=embargo(6, "Months"),
                userDefinedField1="On the cancellation list",
            )
        )
    )
    telling.changed(f"{name} is cancelled", eholdings=deselect(resource_id))
    if number % 2:
        telling.changed("The cancellation is sent twice", UNCHANGED, eholdings=deselect(resource_id))
    else:
        telling.changed(
            "The cancellation is taken back",
            eholdings=update(resource_id, isSelected=True, customCoverages=[years("1990", "1999"), years("2025")]),
        )
    return telling.end()


def _removed_title() -> Story:
    resource_id = f"{LOCAL_JOURNALS}-17059720"
    telling = Telling(resource_id, source="/ils/serials")
    telling.seed(
        seeded(
            title(
                resource_id,
                "Circular of the Bindery",
                isPackageCustom=True,
                packageName="Local journals",
                coverageStatement="Ceased",
                tags=["local", "ceased"],
            )
        )
    )
    telling.changed("A ceased title leaves the local journals", eholdings=remove(resource_id))
    return telling.end()


def _package_that_is_not_custom() -> Story:
    telling = Telling(f"{MANAGED}-17059730", source="/ils/serials")
    telling.seed(
        seeded(
            packages={MANAGED: {"name": "Complete Arts", "providerName": "Provider 66", "isCustom": False}},
            titles={"17059730": {"name": "Almanac of Small Presses"}},
        )
    )
    telling.changed(
        "A title cannot be added to a publisher's package", Code.REFUSED, eholdings=add(MANAGED, "17059730")
    )
    managed = f"{MANAGED}-17059731"
    telling.seed(seeded(title(managed, "Gazette of Rare Seeds", coverageStatement="Complete")))
    telling.changed("A title of a publisher's package cannot be removed", Code.REFUSED, eholdings=remove(managed))
    return telling.end()


def _title_that_nobody_knows() -> Story:
    telling = Telling(f"{LOCAL_JOURNALS}-99999901", source="/ils/serials")
    telling.changed(
        "A title that the knowledge base does not know cannot be added",
        Code.REFUSED,
        eholdings=add(LOCAL_JOURNALS, "99999901", url="https://nowhere.example/journal"),
    )
    telling.changed(
        "A resource that was never there cannot be changed",
        Code.REFUSED,
        eholdings=update(f"{LOCAL_JOURNALS}-99999902", coverageStatement="1999 to 2003"),
    )
    return telling.end()
