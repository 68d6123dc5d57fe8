"""Decoded JSON of record sets: the type, and reading members whose shape earlier checks have settled.

Owns no rule of the module; a member of another shape reads as absent.
"""

from __future__ import annotations

from typing import TypeAlias

from service.sandbox.exchange import JsonValue

JsonObject: TypeAlias = dict[str, JsonValue]


def object_of(value: JsonValue) -> JsonObject:
    """The object itself; {} for anything that is no object."""
    return value if isinstance(value, dict) else {}


def objects_of(value: JsonValue) -> list[JsonObject]:
    """The objects of an array, others left out; [] for anything that is no array."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def text_of(value: JsonValue) -> str | None:
    """The string itself; None for anything that is no string."""
    return value if isinstance(value, str) else None
