"""The match key of a shared index: the string by which institutions' records of one title are recognised as the same.

Owns its layout: columns of fixed width, filled up with underscores. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from service.sandbox.exchange import JsonValue
from service.sandbox.inventory.shapes import JsonObject, object_of, objects_of, text_of

_TYPES: Final = {
    "497b5090-3da2-486c-b57f-de5bb3c2e26d": "d",
    "526aa04d-9289-4511-8866-349299592c18": "e",
    "535e3160-763a-42f9-b0c0-d8ed7df6e2a2": "g",
    "9bce18bd-45bf-4949-8fa8-63163e4b7d7f": "i",
    "3be24c14-3551-4180-9292-26a786649c8b": "j",
    "df5dddff-9c30-4507-8b82-119ff972d4d7": "m",
    "a2c91e87-6bab-44d6-8adb-1fd02481fc4f": "p",
    "c1e95c2b-4efc-48cf-9e71-edb622cf0c22": "r",
    "6312d172-f0cf-40f6-b27d-9fa8feaf332f": "t",
}
_AUTHOR_TYPES: Final = (
    "2b94c631-fca9-4892-a730-03ee529ffe2a",
    "2e48e713-17f3-4c13-a9f8-23845bb210aa",
    "e8b311a6-3b21-43f2-a269-dd9310cb2d0a",
)
_GOVERNMENT_DOCUMENT: Final = "9075b5f8-7d97-49e1-a431-73fdd468d476"
_ARTICLE: Final = re.compile(r"^(?:[aA]|[aA]n|[tT]he) +")
_PUNCTUATION: Final = re.compile(r'[#*$@<>\[\]"\\,.?:()=^~|©;`-]')


def match_key(instance: JsonObject) -> str:
    """The key of an instance: its `matchKey` if that is a string, else built from the parts in a `matchKey` object or
    from the instance's own properties.
    """
    given = instance.get("matchKey")
    if isinstance(given, str):
        return given.strip().replace(" ", "_")
    parts = object_of(given)
    if parts:
        title = _title(f"{_part(parts, 'title')} {_part(parts, 'remainder-of-title')}")
        title += _column(_longest_run(_part(parts, "medium"), r"[A-Za-z0-9]", 5), 5)
    else:
        title = _title(_plain(text_of(instance.get("title")) or ""))
    publication = (objects_of(instance.get("publication")) or [{}])[0]
    columns = (
        title,
        _date(text_of(publication.get("dateOfPublication"))),
        _column(_first(r"\d{1,4}", _first_text(instance.get("physicalDescriptions"))), 4),
        _column(_edition(_first_text(instance.get("editions"))), 3),
        _column(_plain(text_of(publication.get("publisher")) or "")[:10], 10),
        _TYPES.get(str(instance.get("instanceTypeId")), "_"),
        _column(_part(parts, "name-of-part-section-of-work"), 30),
        _column(_part(parts, "number-of-part-section-of-work"), 10),
        _column(_plain(_author(instance)), 20),
        _column(_part(parts, "inclusive-dates"), 15),
        _plain(_government_number(instance)[:64]),
        "e" if "electronic" in _part(parts, "medium") else "p",
    )
    return "".join(columns).strip().replace(" ", "_")


def _title(title: str) -> str:
    if len(title) < 70:
        return _column(title, 70)
    initials = "".join(word[:1] for word in title[45:].split(" "))
    return _column((title[:45] + initials)[:70], 70)


def _part(parts: JsonObject, name: str) -> str:
    return _plain(text_of(parts.get(name)) or "")


def _plain(text: str) -> str:
    bare = unicodedata.normalize("NFD", text).encode("ascii", "ignore").decode()
    bare = re.sub(r"['{}]", "", _ARTICLE.sub("", bare)).replace("&", "and")
    return _PUNCTUATION.sub(" ", bare).strip().lower()


def _column(text: str, width: int) -> str:
    return text.ljust(width).replace(" ", "_")


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found.group() if found is not None else ""


def _longest_run(text: str, letters: str, width: int) -> str:
    """The first run of `width` such characters, or of the next shorter length that occurs."""
    runs = (_first(f"{letters}{{{length}}}", text) for length in range(width, 0, -1))
    return next((run for run in runs if run), "")


def _edition(text: str) -> str:
    return _longest_run(text, r"\d", 3) or _longest_run(text, r"[A-Za-z]", 3)


def _date(text: str | None) -> str:
    years = re.findall(r"\d{4}", text or "")
    return str(years[-1]) if years else "0000"


def _first_text(values: JsonValue) -> str:
    first = values[0] if isinstance(values, list) and values else ""
    return unicodedata.normalize("NFD", str(first)).encode("ascii", "ignore").decode()


def _author(instance: JsonObject) -> str:
    contributors = objects_of(instance.get("contributors"))
    return "".join(
        next((str(c.get("name")) for c in contributors if c.get("contributorNameTypeId") == name_type), "")
        for name_type in _AUTHOR_TYPES
    )


def _government_number(instance: JsonObject) -> str:
    for classification in objects_of(instance.get("classifications")):
        if classification.get("classificationTypeId") == _GOVERNMENT_DOCUMENT:
            return str(classification.get("classificationNumber") or "")
    return ""
