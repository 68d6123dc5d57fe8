"""What a translation yields."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from service.domain.operations import EntityKey, Step


class Translated(NamedTuple):
    """Steps in the order in which they are carried out, and the entities that they touch. No key is in both sets."""

    steps: tuple[Step, ...]
    writes: frozenset[EntityKey]
    reads: frozenset[EntityKey] = frozenset()


def in_order(parts: Iterable[Translated]) -> Translated:
    """The parts one after the other; what one writes and another reads is written."""
    steps: list[Step] = []
    writes: set[EntityKey] = set()
    reads: set[EntityKey] = set()
    for part in parts:
        steps += part.steps
        writes |= part.writes
        reads |= part.reads
    return Translated(tuple(steps), frozenset(writes), frozenset(reads - writes))
