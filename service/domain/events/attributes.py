"""The patch of an eholdings resource: which attributes may change, and what the system would ignore or misread.

mod-kb-ebsco-java: PUT takes unknown attributes without a word and ignores edits of the title, so both are refused here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal, TypeAlias, cast

from pydantic import BeforeValidator, Field, JsonValue, StringConstraints, WrapValidator, with_config
from pydantic_core.core_schema import ValidatorFunctionWrapHandler
from typing_extensions import TypedDict

from service.domain.events.coverages import Coverages
from service.domain.events.objections import Objection, refuse_together
from service.domain.events.patterns import UUID
from service.domain.events.shapes import CLOSED, Url

_JAVA_INT_MAX: Final = 2_147_483_647

UserDefined: TypeAlias = Annotated[
    Annotated[str, StringConstraints(max_length=500)] | None,
    Field(description="At most 500 characters; null or empty clears."),
]


@with_config(CLOSED)
class Embargo(TypedDict):
    """How long the newest issues are held back."""

    embargoUnit: Annotated[Literal["Days", "Weeks", "Months", "Years"], Field(description="Case matters.")]
    embargoValue: Annotated[int, Field(gt=0, le=_JAVA_INT_MAX, description="How many of the unit.", examples=[6])]


def _read_back_none(raw: object) -> object:
    """mod-kb-ebsco-java: GET says "no embargo" as a value of 0, with the unit null or left out."""
    no_embargo = (
        isinstance(raw, dict)
        and raw.keys() <= {"embargoUnit", "embargoValue"}
        and raw.get("embargoUnit") is None
        and type(raw.get("embargoValue")) is int
        and raw["embargoValue"] == 0
    )
    return None if no_embargo else raw


def _describe_read_back_none(schema: dict[str, JsonValue]) -> None:
    schema["anyOf"] = [
        *cast("list[JsonValue]", schema["anyOf"]),
        {
            "description": "No embargo, as the system tells it.",
            "type": "object",
            "properties": {"embargoUnit": {"type": "null"}, "embargoValue": {"const": 0}},
            "required": ["embargoValue"],
            "additionalProperties": False,
        },
    ]


@with_config(CLOSED)
class Attributes(TypedDict, total=False):
    """A patch: an absent attribute stays as it is, null clears it."""

    isSelected: Annotated[bool, Field(description="Whether the title is in the holdings. Never null.")]
    coverageStatement: Annotated[
        Annotated[str, StringConstraints(max_length=250)] | None,
        Field(description="Free text about the coverage, at most 250 characters; null or empty clears."),
    ]
    customCoverages: Annotated[
        Coverages | None,
        Field(description="All periods, in any order, none sharing a day with another; null or [] clears."),
    ]
    customEmbargoPeriod: Annotated[
        Embargo | None,
        BeforeValidator(_read_back_none),
        Field(
            description="null clears; so does the form in which the system tells that there is none.",
            json_schema_extra=_describe_read_back_none,
        ),
    ]
    isHidden: Annotated[bool | None, Field(description="Whether patrons do not see the title; null shows it.")]
    proxyId: Annotated[str | None, Field(description="Id of the proxy.", examples=["ezproxy-main"])]
    url: Annotated[Url | None, Field(description="Taken by the system for titles of custom packages only.")]
    accessTypeId: Annotated[
        Annotated[str, StringConstraints(pattern=UUID)] | None,
        Field(description="UUID of an access type.", examples=["f973c3b6-85fc-4d35-bda8-f31b568957bf"]),
    ]
    userDefinedField1: UserDefined
    userDefinedField2: UserDefined
    userDefinedField3: UserDefined
    userDefinedField4: UserDefined
    userDefinedField5: UserDefined


ATTRIBUTE_NAMES: Final = tuple(Attributes.__annotations__)
"""The attributes that a patch may hold, in the order in which messages list them."""

_KNOWN: Final = frozenset(ATTRIBUTE_NAMES)
_OF_THE_TITLE: Final = frozenset(
    {
        "name",
        "publisherName",
        "edition",
        "description",
        "contributors",
        "identifiers",
        "publicationType",
        "isPeerReviewed",
    }
)
_UNKNOWN: Final = f"is not a known attribute; known are {', '.join(ATTRIBUTE_NAMES)}"
_SPELT_OTHERWISE: Final = {"visibilityData": "isHidden", "proxy": "proxyId"}


def attribute_objections(raw: object) -> Iterator[Objection]:
    """Rule for a patch: names that the system would ignore, and a deselection that carries anything."""
    if not isinstance(raw, dict):
        return
    if not raw.keys() <= _KNOWN:
        for name in raw.keys() - _KNOWN:
            yield Objection((name,), _why_not(name))
    if raw.get("isSelected") is False and len(raw) > 1:
        yield Objection(
            ("isSelected",),
            "a deselection carries no other attribute: the system drops all customisation; use the action deselect",
        )


def _why_not(name: str) -> str:
    if name in _OF_THE_TITLE:
        return "belongs to the title, and edits of the title are ignored by the system when a resource is updated"
    if name in _SPELT_OTHERWISE:
        return f"is written {_SPELT_OTHERWISE[name]} here"
    return _UNKNOWN


def _refuse_contradictions(raw: object, validate: ValidatorFunctionWrapHandler) -> Attributes:
    validated: Attributes = refuse_together(raw, validate, attribute_objections)
    return validated


Patch: TypeAlias = Annotated[Attributes, WrapValidator(_refuse_contradictions)]
