"""What the knowledge base says about the titles of a generated export; everything follows from number and seed.

Titles come in hundreds that differ in nothing but the number of the hundred, which stands in the text as `HUNDRED`
until it is known: so a hundred can be rendered once and repeated for millions. It must not know CSV.
"""

from __future__ import annotations

from typing import Final

HUNDRED: Final = "\x02" * 7
"""Stands for the number of the hundred, which has seven digits."""

_SUBJECTS: Final = (
    "Alpine Botany", "Harbour Engineering", "Medieval Grammar", "Räumliche Statistik", "Soil Chemistry",
    "Island Economies", "Textile Conservation", "Comparative Liturgy", "Études régionales", "River Hydraulics",
)  # fmt: skip
_FORMS: Final = (
    "Annals of", "Journal of", "Archive for", "Studies in", "Quarterly Review of",
    "Handbook of", "Transactions on", "Notes on", "Contributions to", "Letters in",
)  # fmt: skip
_PUBLISHERS: Final = ("Example University Press", "Société des éditions", "Harbour & Sons", "Valley Academic")
_EVENTS: Final = ("HOLDING_ADDED", "HOLDING_UPDATED", "HOLDING_DELETED")
MANAGED_PACKAGES: Final = 19
_VENDORS: Final = 5


def is_custom(title: int) -> bool:
    """Whether a title is in the custom package; one in twenty is."""
    return title % (MANAGED_PACKAGES + 1) == MANAGED_PACKAGES


def facts_of(place: int, coverage: int, seed: int, awkward: bool) -> dict[str, str]:
    """What is known of the title at a place (0 to 99) of its hundred, in one of its coverages (0 is the newest).

    The ids follow from the place alone, so that another seed describes the same titles differently. `awkward` puts
    line breaks, quotes and every delimiter into title and notes.
    """
    variety = (place * 37 + seed * 11) % 100
    title_id = f"1{HUNDRED}{place:02d}"
    serial = variety % 4 != 3
    url = f"https://publisher.example/titles/{title_id}"
    return {
        **_name(variety, title_id, awkward),
        **(_serial(variety, coverage) if serial else _monograph(variety)),
        **_package(place),
        "title_id": title_id,
        "url": url,
        "proxied_url": f"https://proxy.library.example/login?url={url}",
        "author": "" if serial else f"Verfasser, M. {variety}",
        "editor": f"Editor, A. {variety}" if serial else "",
        "publisher": _PUBLISHERS[variety % len(_PUBLISHERS)],
        "subject": _SUBJECTS[variety % 10],
        "doi": f"10.5555/{title_id}",
        "peer_reviewed": "Yes" if variety % 2 else "No",
        "no": "No",
        "coverage_depth": "fulltext",
        "access_type": "F" if variety % 5 == 0 else "P",
        "cost_year": f"{2020 + variety % 5}",
        "cost": f"{variety * 13}.50",
        "currency": "EUR" if variety % 2 else "USD",
        "event_date": f"2024-{1 + variety % 12:02d}-{1 + variety % 28:02d}",
        "event_type": _EVENTS[variety % len(_EVENTS)],
    }


def _name(variety: int, title_id: str, awkward: bool) -> dict[str, str]:
    form, subject = _FORMS[variety // 10], _SUBJECTS[variety % 10]
    if awkward:
        return {
            "title": f'{form} "{subject}", formerly; or\tindeed\n{title_id} | new series',
            "notes": f'First line,\r\nsecond line "{variety}"',
        }
    return {"title": f"{form} {subject} {title_id}", "notes": ""}


def _serial(variety: int, coverage: int) -> dict[str, str]:
    begin = 2016 - 6 * coverage - variety % 5
    current = coverage == 0 and variety % 2 == 0
    print_issn, online_issn = _issn(2_000_000 + variety * 131), _issn(3_000_000 + variety * 131)
    return {
        "print_identifier": print_issn,
        "online_identifier": online_issn,
        "print_issn": print_issn,
        "online_issn": online_issn,
        "begin": f"{begin}-01-01",
        "first_volume": f"{1 + variety % 9}",
        "first_issue": "1",
        "end": "9999-12-31" if current else f"{begin + 4}-12-31",
        "last_volume": "" if current else f"{5 + variety % 9}",
        "last_issue": "" if current else "4",
        "embargo": "P1Y" if variety % 7 == 0 else "",
        "publication_type": "serial",
        "resource_type": "Journal",
    }


def _monograph(variety: int) -> dict[str, str]:
    isbn = _isbn(978_100_000_000 + variety * 1013)
    return {
        "print_identifier": "",
        "online_identifier": isbn,
        "online_isbn": isbn,
        "published_online": f"{1990 + variety % 30}-01-01",
        "edition": f"{1 + variety % 3}",
        "publication_type": "monograph",
        "resource_type": "Book",
    }


def _package(place: int) -> dict[str, str]:
    number = place % (MANAGED_PACKAGES + 1)
    custom = is_custom(place)
    return {
        "package_id": f"{2300 + number}",
        "package_name": "Local collection" if custom else f"Publisher package {number}",
        "package_type": "Custom" if custom else "Managed",
        "package_content_type": "Mixed Content",
        "is_custom": "Yes" if custom else "No",
        "vendor_id": f"{19 + number % _VENDORS}",
        "vendor_name": f"Vendor {number % _VENDORS}",
    }


def _issn(number: int) -> str:
    digits = f"{number:07d}"
    check = -sum(weight * int(digit) for weight, digit in zip(range(8, 1, -1), digits, strict=True)) % 11
    return f"{digits[:4]}-{digits[4:]}{'X' if check == 10 else check}"


def _isbn(number: int) -> str:
    digits = f"{number:012d}"
    check = -sum((1, 3)[place % 2] * int(digit) for place, digit in enumerate(digits)) % 10
    return f"{digits}{check}"
