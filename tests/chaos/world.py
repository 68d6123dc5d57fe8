"""Where the entities will stand once every event made so far is done: what the next event is made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random
from typing import TypeVar

from tests.chaos.entities import ABSENT, Family
from tests.chaos.events import Move

T = TypeVar("T")


class World:
    """Numbers of events, holdings sources, and places in SCSB. Chance comes from the one `random`."""

    def __init__(self, families: Iterable[Family], random: Random) -> None:
        self.random = random
        self.made = 0
        """Events so far; the index of the one being made."""
        self.last_update: dict[int, tuple[str, str, str]] = {}
        """By family: resource, coverage statement and id of the last event, when that was an update and no more."""
        self._numbers: Counter[str] = Counter()
        self._sources: dict[str, str] = {}
        self._places: dict[tuple[str, str], tuple[str, str]] = {}
        for family in families:
            self._sources[family.source] = "consortium" if family.source_is_named else ABSENT
            self._places |= family.pair.first_places()

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def pick(self, choices: Sequence[T]) -> T:
        return self.random.choice(choices)

    def count(self, *entities: str) -> dict[str, int]:
        """The numbers of the event being made among the events of its entities, from 1."""
        self._numbers.update(entities)
        return {entity: self._numbers[entity] for entity in entities}

    def turn(self, family: Family) -> str:
        """What the family's source is to be next: never what it is now."""
        here, there = ("local", "consortium") if family.source_is_named else ("local", ABSENT)
        self._sources[family.source] = there if self._sources[family.source] == here else here
        return self._sources[family.source]

    def move(self, family: Family, operation: str) -> Move:
        """The next move of something of a pair; from now on it is at the other side."""
        moved = family.pair.record if operation == "transfer-holdings" else self.pick(family.pair.items)
        made = family.pair.to_the_other_side(operation, moved, self._places[operation, moved])
        self._places[operation, moved] = made.destination
        return made
