"""Shapes that several events share. Strict throughout: nothing is coerced, an id that came as a number is a fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, TypeAlias, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    WrapValidator,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

from service.domain.events.objections import ACTION_ERROR, tag, validated_in_slices
from service.domain.events.patterns import NON_BLANK, PACKAGE_ID, RESOURCE_ID, TITLE_ID, URL

CLOSED: Final = ConfigDict(strict=True, extra="forbid")
"""An object whose every field is known here."""

OPEN: Final = ConfigDict(strict=True, extra="allow")
"""A FOLIO record: the fields that matter are checked, all others are kept as they are for the system to judge."""


class Closed(BaseModel):
    """A part of an event. Python names are the JSON names in snake case."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel)


ACTION: Final = Field(description="Tells the operations apart.")

NonBlank: TypeAlias = Annotated[str, StringConstraints(pattern=NON_BLANK)]
ResourceId: TypeAlias = Annotated[
    str,
    StringConstraints(pattern=RESOURCE_ID, max_length=100),
    Field(description="Provider, package and title, as eholdings joins them.", examples=["22-1887786-1440285"]),
]
PackageId: TypeAlias = Annotated[
    str,
    StringConstraints(pattern=PACKAGE_ID, max_length=100),
    Field(description="Provider and package; the package must be a custom one.", examples=["123355-2845510"]),
]
TitleId: TypeAlias = Annotated[
    str,
    StringConstraints(pattern=TITLE_ID, max_length=100),
    Field(description="The title as eholdings numbers it.", examples=["17059786"]),
]
NAME_IN_A_QUERY: Final = StringConstraints(pattern=NON_BLANK, max_length=1000)
"""Of a name that a system is asked for by its address, which must not grow without end."""

Url: TypeAlias = Annotated[
    str,
    StringConstraints(pattern=URL, max_length=600),
    Field(
        description="Starts with http:// or https://; at most 600 characters.",
        examples=["https://journals.example/ahr"],
    ),
]


def _refuse_null(value: object) -> object:
    if value is None:
        raise PydanticCustomError("null", "must not be null; leave it out instead")
    return value


class _NullUnsaid:
    """Leaves null out of the JSON Schema of a field that is None only when absent."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        described = handler(schema)
        [wanted] = [choice for choice in described["anyOf"] if choice != {"type": "null"}]
        return {**wanted, **{name: value for name, value in described.items() if name != "anyOf"}}


T = TypeVar("T")
NeverNull: TypeAlias = Annotated[T | None, BeforeValidator(_refuse_null), _NullUnsaid()]
"""May be absent, which is None in Python, but null is refused: it could mean either of two things."""


def _in_slices(raw: object, validate: ValidatorFunctionWrapHandler) -> list[Any]:
    return validated_in_slices(raw, validate, 16)


def _one_by_one(raw: object, validate: ValidatorFunctionWrapHandler) -> list[Any]:
    return validated_in_slices(raw, validate, 1)


Many: TypeAlias = Annotated[list[T], WrapValidator(_in_slices)]
"""A list that is looked at no further once there are faults enough to tell."""

ManyWithin: TypeAlias = Annotated[list[T], WrapValidator(_one_by_one)]
"""The same, of entries that have lists themselves: each may have as many faults as are told of all."""


def by_action(*actions: str) -> Discriminator:
    """Tells the members of a union apart by `action`; each member is `Annotated[Model, Tag(tag(action))]`."""
    known = {action: tag(action) for action in actions}
    return Discriminator(
        _chooser(known),
        custom_error_type=ACTION_ERROR,
        custom_error_message=f"must be one of {', '.join(actions)}",
    )


def _chooser(known: dict[str, str]) -> Callable[[Any], str | None]:
    def choose(raw: Any) -> str | None:
        action = raw.get("action") if isinstance(raw, dict) else None
        return known.get(action) if isinstance(action, str) else None

    return choose
