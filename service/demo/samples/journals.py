"""Stories of journals in managed packages: coverage, embargo, notes, tags, visibility, access types.

Every journal starts with some customisation of its own, so that an attribute that an event leaves out shows whether it
was left as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from service.demo.sample import Story
from service.demo.samples.eresources import (
    OPEN_ACCESS,
    SUBSCRIBED,
    TRIAL,
    embargo,
    seeded,
    title,
    update,
    years,
)
from service.demo.samples.telling import UNCHANGED, Telling

_JOURNALS: Final = (
    ("19-2310-1440285", "Annals of Alpine Botany", "Edelweiss Press"),
    ("19-2310-1440391", "Archive for Tidal Hydrology", "Edelweiss Press"),
    ("19-2310-1441007", "Bulletin of Early Bookbinding", "Edelweiss Press"),
    ("22-1887-2205118", "Cartography and Memory", "Meridian House"),
    ("22-1887-2205377", "Computation in Philology", "Meridian House"),
    ("22-1887-2206012", "Deep Soil Ecology", "Meridian House"),
    ("22-1887-2209450", "European Journal of Clockmaking", "Meridian House"),
    ("31-4402-3301904", "Folk Song Quarterly", "University Presses United"),
    ("31-4402-3302277", "Glaciers and Climate", "University Presses United"),
    ("31-4402-3303590", "Harbour History Review", "University Presses United"),
    ("31-4402-3304121", "Inland Navigation", "University Presses United"),
    ("31-4402-3305066", "Journal of Applied Rhetoric", "University Presses United"),
    ("47-9120-4410033", "Knot Theory Letters", "Lattice Scientific"),
    ("47-9120-4410586", "Letters in Photochemistry", "Lattice Scientific"),
    ("47-9120-4411240", "Modern Viola da Gamba", "Lattice Scientific"),
    ("47-9120-4412909", "Neural Signals and Sleep", "Lattice Scientific"),
    ("58-1033-5502218", "Oral Epic Studies", "Northern Lights Journals"),
    ("58-1033-5503147", "Pollen and Allergy", "Northern Lights Journals"),
    ("58-1033-5504881", "Quaternary Caves", "Northern Lights Journals"),
    ("58-1033-5505620", "Rural Sociology of the North", "Northern Lights Journals"),
)

_Plot = Callable[[Telling, str], None]


def stories() -> list[Story]:
    """One story for each journal; the plots take turns."""
    return [_story(number, *journal) for number, journal in enumerate(_JOURNALS)]


def _story(number: int, resource_id: str, name: str, publisher: str) -> Story:
    telling = Telling(resource_id, source="/ils/serials", traced=number % 4 == 0)
    telling.seed(
        seeded(
            title(
                resource_id,
                name,
                publisherName=publisher,
                coverageStatement=f"Print holdings in stack {number + 3}",
                customCoverages=[years("1998", "2004")],
                customEmbargoPeriod=embargo(12, "Months"),
                access_type_id=SUBSCRIBED,
                userDefinedField5=f"Shelf list {1200 + number}",
                tags=["serials"],
            )
        )
    )
    _PLOTS[number % len(_PLOTS)](telling, resource_id)
    return telling.end()


def _renewal(telling: Telling, resource_id: str) -> None:
    telling.changed(
        "A renewal brings back the years before 1998",
        eholdings=update(resource_id, customCoverages=[years("2010"), years("1985", "1997"), years("1998", "2004")]),
    )
    telling.changed(
        "The agreement gets its number, and the note goes",
        eholdings=update(resource_id, userDefinedField1="Agreement 2025/114", coverageStatement=None),
    )
    telling.changed(
        "Tags for the renewal project", binary=True, eholdings=update(resource_id, tags=["serials", "renewal-2025"])
    )
    telling.again("The same tags come twice", UNCHANGED)


def _moving_wall(telling: Telling, resource_id: str) -> None:
    telling.changed(
        "The publisher sets a moving wall",
        eholdings=update(resource_id, customEmbargoPeriod=embargo(18, "Months")),
    )
    telling.changed(
        "Patrons are told about it",
        eholdings=update(resource_id, coverageStatement="Full text after a moving wall of 18 months"),
    )
    telling.changed(
        "The wall falls",
        eholdings=update(resource_id, customEmbargoPeriod=None, coverageStatement="Full text to the current issue"),
    )


def _trial(telling: Telling, resource_id: str) -> None:
    telling.changed(
        "A trial begins",
        eholdings=update(resource_id, accessTypeId=TRIAL, tags=["trial"], userDefinedField2="Trial until June"),
    )
    telling.changed(
        "The trial becomes a subscription",
        binary=True,
        eholdings=update(resource_id, accessTypeId=SUBSCRIBED, tags=[], userDefinedField2=None),
    )
    telling.changed("Coverage is entered", eholdings=update(resource_id, customCoverages=[years("2025-03-01")]))
    telling.again("The coverage is sent again", UNCHANGED)


def _hidden(telling: Telling, resource_id: str) -> None:
    telling.changed("A title with a broken platform is hidden", eholdings=update(resource_id, isHidden=True))
    telling.changed("Hiding it again changes nothing", UNCHANGED, eholdings=update(resource_id, isHidden=True))
    telling.changed(
        "The platform is back, behind another proxy",
        eholdings=update(resource_id, isHidden=False, proxyId="ezproxy-annex"),
    )


def _five_notes(telling: Telling, resource_id: str) -> None:
    telling.changed(
        "The serials team fills in its own fields",
        eholdings=update(
            resource_id,
            userDefinedField1="Fund: Natural sciences",
            userDefinedField2="Vendor: Meridian",
            userDefinedField3="Renews in November",
            userDefinedField4="Zugänge über Fernleihe – ja",
        ),
    )
    telling.changed(
        "One of them was wrong, one is not needed",
        eholdings=update(resource_id, userDefinedField1="Fund: Humanities", userDefinedField3=None),
    )
    telling.changed(
        "The journal turns to open access",
        eholdings=update(
            resource_id,
            accessTypeId=OPEN_ACCESS,
            coverageStatement="Open access since 2024",
            customCoverages=[years("1998", "2004"), years("2024")],
        ),
    )


_PLOTS: Final[tuple[_Plot, ...]] = (_renewal, _moving_wall, _trial, _hidden, _five_notes)
