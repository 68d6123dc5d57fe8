"""Reading seed data: the shape of a state is checked, and the error names the field.

Owns no state. Every simulated system that loads nested JSON can use it; `StateError` is the ValueError of
`SimulatedSystem.load`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from service.sandbox.exchange import JsonValue


class StateError(ValueError):
    """A field of the seed data has the wrong shape; the text names the field and what was expected."""

    def __init__(self, where: str, expected: str) -> None:
        super().__init__(f"{where}: expected {expected}")


def object_at(value: JsonValue, where: str) -> dict[str, JsonValue]:
    """The object at a field. Raises StateError."""
    if not isinstance(value, dict):
        raise StateError(where, "an object")
    return value


def array_at(value: JsonValue, where: str) -> list[JsonValue]:
    """The array at a field. Raises StateError."""
    if not isinstance(value, list):
        raise StateError(where, "an array")
    return value


def text_at(value: JsonValue, where: str) -> str:
    """The non-empty string at a field. Raises StateError."""
    if not isinstance(value, str) or not value:
        raise StateError(where, "a non-empty string")
    return value


def require_known(entry: Mapping[str, JsonValue], known: Collection[str], where: str) -> None:
    """Raises StateError when the object has a property that nothing reads."""
    unknown = [name for name in entry if name not in known]
    if unknown:
        raise StateError(
            f"{where}.{unknown[0]}" if where else unknown[0], f"one of the properties {', '.join(sorted(known))}"
        )
