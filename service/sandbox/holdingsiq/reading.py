"""Reading the fields of HoldingsIQ's seed data, each with a default and an error that names it."""

from __future__ import annotations

from collections.abc import Mapping

from service.sandbox.exchange import JsonValue
from service.sandbox.seeds import StateError

_NO_MORE = 2**63


def number_at(
    entry: Mapping[str, JsonValue], name: str, where: str, default: int, *, least: int = 0, most: int = _NO_MORE
) -> int:
    """A whole number between two others. Raises StateError."""
    value = entry.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        upper = "or more" if most == _NO_MORE else f"to {most}"
        raise StateError(f"{where}.{name}", f"a whole number, {least} {upper}")
    return value


def seconds_at(entry: Mapping[str, JsonValue], name: str, where: str, default: float) -> float:
    """A number of seconds, 0 or more. Raises StateError."""
    value = entry.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise StateError(f"{where}.{name}" if where else name, "a number of seconds, 0 or more")
    return value


def flag_at(entry: Mapping[str, JsonValue], name: str, where: str) -> bool:
    """A flag that is false unless it is given. Raises StateError."""
    value = entry.get(name, False)
    if not isinstance(value, bool):
        raise StateError(f"{where}.{name}", "true or false")
    return value


def optional_text_at(entry: Mapping[str, JsonValue], name: str, where: str) -> str | None:
    """A text, the empty one too; None where it is absent or null. Raises StateError."""
    value = entry.get(name)
    if value is not None and not isinstance(value, str):
        raise StateError(f"{where}.{name}", "a text or null")
    return value
