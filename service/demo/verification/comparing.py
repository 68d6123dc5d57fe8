"""Field by field: what is expected beside what was found. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from service.demo.sample import JsonObject
from service.sandbox.exchange import JsonValue


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is not as it should be. None stands for a field that is not there."""

    where: str
    expected: JsonValue
    found: JsonValue

    def __str__(self) -> str:
        return f"{self.where}: expected {_shown(self.expected)}, found {_shown(self.found)}"


@dataclass(frozen=True, slots=True)
class Check:
    """One promise, how many things were looked at for it, and what broke it."""

    promise: str
    looked_at: int
    broken: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether it was kept. A check that looked at nothing proves nothing."""
        return not self.broken and self.looked_at > 0


def differences(expected: JsonValue, found: JsonValue, where: str = "") -> Iterator[Difference]:
    """Every leaf in which two trees differ. An object is told field by field, also against nothing; one without fields
    is nothing."""
    if isinstance(expected, dict) or isinstance(found, dict):
        left = expected if isinstance(expected, dict) else {}
        right = found if isinstance(found, dict) else {}
        if not (isinstance(expected, dict) or expected is None) or not (isinstance(found, dict) or found is None):
            yield Difference(where, expected, found)
            return
        for name in sorted(left.keys() | right.keys()):
            yield from differences(left.get(name), right.get(name), f"{where} › {name}" if where else name)
    elif expected != found:
        yield Difference(where, expected, found)


def count_leaves(tree: JsonValue) -> int:
    """How many fields a tree has."""
    if isinstance(tree, dict):
        return sum(count_leaves(branch) for branch in tree.values())
    return 1


def without_nothing(record: JsonObject) -> JsonObject:
    """The record without fields that say nothing: storage fills up with empty lists and `false`."""
    return {name: value for name, value in record.items() if value not in (None, "", [], {}, False)}


def object_in(tree: JsonObject, *path: str) -> JsonObject:
    """The object at a path, made where there is none."""
    here = tree
    for name in path:
        below = here.setdefault(name, {})
        if not isinstance(below, dict):
            raise TypeError(f"{name} is no object")
        here = below
    return here


def objects(value: JsonValue) -> list[JsonObject]:
    """The objects of a list."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _shown(value: JsonValue) -> str:
    text = "nothing" if value is None else orjson.dumps(value).decode()
    return text if len(text) <= 200 else f"{text[:199]}…"
