"""Valid JSON, nearly: members dropped, retyped, nested, doubled, renamed or moved. Knows no shape."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

from hypothesis import strategies as st

from tests.fuzz.hostile import json_values

Path = tuple[str | int, ...]


def _drop(parent: Any, key: Any, other: Any) -> None:
    del parent[key]


def _retype(parent: Any, key: Any, other: Any) -> None:
    parent[key] = other


def _nest_in_list(parent: Any, key: Any, other: Any) -> None:
    parent[key] = [parent[key]]


def _nest_in_object(parent: Any, key: Any, other: Any) -> None:
    parent[key] = {str(key): parent[key]}


def _double(parent: Any, key: Any, other: Any) -> None:
    if isinstance(parent, list):
        parent.insert(key, deepcopy(parent[key]))
    else:
        parent[f"{key}2"] = deepcopy(parent[key])


def _multiply(parent: Any, key: Any, other: Any) -> None:
    """Many of the same, which is where time that is quadratic shows."""
    if isinstance(parent, list):
        parent.extend([parent[key]] * 300)
    else:
        parent.update({f"{key}{n}": parent[key] for n in range(300)})


def _rename(parent: Any, key: Any, other: Any) -> None:
    if isinstance(parent, dict):
        parent[key.swapcase()] = parent.pop(key)
    else:
        parent[key] = other


def _into_text(parent: Any, key: Any, other: Any) -> None:
    parent[key] = str(parent[key])


OPERATIONS: Final = (
    _drop,
    _retype,
    _retype,
    _retype,
    _nest_in_list,
    _nest_in_object,
    _double,
    _multiply,
    _rename,
    _into_text,
)

OPERATIONS_OF_ONE: Final = tuple(operation for operation in OPERATIONS if operation is not _multiply)
"""What may follow a multiplication: two of them would make gigabytes."""


@st.composite
def mutated(draw: st.DrawFn, examples: tuple[Any, ...], most: int = 3) -> Any:
    """One of the examples with up to `most` changes; now and then as it is."""
    value = {"root": deepcopy(draw(st.sampled_from(examples)))}
    multiplied = False
    for _ in range(draw(st.integers(0, most))):
        paths = list(_paths(value["root"], ("root",)))
        path = paths[draw(st.integers(0, len(paths) - 1))]
        operation = draw(st.sampled_from(OPERATIONS if not multiplied else OPERATIONS_OF_ONE))
        multiplied = multiplied or operation is _multiply
        parent: Any = value
        for part in path[:-1]:
            parent = parent[part]
        operation(parent, path[-1], draw(json_values) if operation in (_retype, _rename) else None)
        value.setdefault("root", None)
    return value["root"]


def _paths(value: Any, path: Path) -> Iterator[Path]:
    """Of a value and of all within it; of a long list or object the first few."""
    yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for number, (key, inner) in enumerate(members):
        if number >= 40 or len(path) > 12:
            return
        yield from _paths(inner, (*path, key))
