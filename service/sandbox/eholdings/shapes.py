"""The request bodies of eholdings as its framework reads them: which fields there are and of what kind.

A mirror of the module's JSON Schemas. `bodies.py` reads by it; nothing here decides on meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

_MODEL: Final = "org.folio.rest.jaxrs.model."


@dataclass(frozen=True, slots=True)
class Text:
    """A string; numbers and booleans are turned into one."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean."""


@dataclass(frozen=True, slots=True)
class Whole:
    """An integer."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """A word of a list, case-sensitive."""

    java_class: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """An array; an absent one reads as empty, null stays null."""

    item: Shape


@dataclass(frozen=True, slots=True)
class Object:
    """An object; unless it is open, a field it does not know is refused."""

    java_class: str
    fields: Mapping[str, Shape]
    is_open: bool = False


Shape: TypeAlias = Text | Flag | Whole | OneOf | ListOf | Object

EMBARGO: Final = Object(
    f"{_MODEL}EmbargoPeriod",
    {
        "embargoUnit": OneOf(f"{_MODEL}EmbargoPeriod$EmbargoUnit", ("Days", "Weeks", "Months", "Years")),
        "embargoValue": Whole(),
    },
)
COVERAGE: Final = Object(f"{_MODEL}Coverage", {"beginCoverage": Text(), "endCoverage": Text()})
_VISIBILITY: Final = Object(f"{_MODEL}VisibilityData", {"isHidden": Flag(), "reason": Text()})
_PROXY: Final = Object(f"{_MODEL}Proxy", {"id": Text(), "inherited": Flag()})
_TAGS: Final = Object(f"{_MODEL}Tags", {"tagList": ListOf(Text())})

USER_DEFINED_FIELDS: Final = tuple(f"userDefinedField{number}" for number in range(1, 6))

PUT_BODY: Final = Object(
    f"{_MODEL}ResourcePutRequest",
    {
        "data": Object(
            f"{_MODEL}ResourcePutData",
            {
                "type": OneOf(f"{_MODEL}ResourcePutData$Type", ("resources",)),
                "id": Text(),
                "attributes": Object(
                    f"{_MODEL}ResourcePutDataAttributes",
                    {
                        "isTitleCustom": Flag(),
                        "titleId": Whole(),
                        "coverageStatement": Text(),
                        "customEmbargoPeriod": EMBARGO,
                        "isPackageCustom": Flag(),
                        "isSelected": Flag(),
                        "isTokenNeeded": Flag(),
                        "locationId": Whole(),
                        "managedEmbargoPeriod": EMBARGO,
                        "packageId": Text(),
                        "packageName": Text(),
                        "url": Text(),
                        "providerId": Whole(),
                        "providerName": Text(),
                        "visibilityData": _VISIBILITY,
                        "managedCoverages": ListOf(COVERAGE),
                        "accessTypeId": Text(),
                        "customCoverages": ListOf(COVERAGE),
                        **{name: Text() for name in USER_DEFINED_FIELDS},
                        "proxy": _PROXY,
                    },
                    is_open=True,
                ),
            },
        )
    },
)

POST_BODY: Final = Object(
    f"{_MODEL}ResourcePostRequest",
    {
        "data": Object(
            f"{_MODEL}ResourcePostData",
            {
                "type": OneOf(f"{_MODEL}ResourcePostData$Type", ("resources",)),
                "attributes": Object(
                    f"{_MODEL}ResourcePostDataAttributes", {"packageId": Text(), "titleId": Text(), "url": Text()}
                ),
            },
        )
    },
)

TAGS_BODY: Final = Object(
    f"{_MODEL}ResourceTagsPutRequest",
    {
        "data": Object(
            f"{_MODEL}ResourceTagsPutData",
            {
                "type": OneOf(f"{_MODEL}ResourceTagsPutData$Type", ("tags",)),
                "attributes": Object(f"{_MODEL}ResourceTagsDataAttributes", {"name": Text(), "tags": _TAGS}),
            },
        )
    },
)

BULK_BODY: Final = Object(f"{_MODEL}ResourcePostBulkFetchRequest", {"resources": ListOf(Text())})
