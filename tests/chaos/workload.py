"""The events that are sent, drawn one by one by a seed: of all kinds, over a limited number of entities.

Each event that is done leaves something behind which the next one of its entity does not, so that calls and state tell
how far an entity has come.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from tests.chaos.entities import families, seeds
from tests.chaos.events import Event
from tests.chaos.kinds import KINDS
from tests.chaos.world import World


class Workload:
    """Makes events without end. A `calm` one asks for nothing that is refused."""

    def __init__(self, entities: int, seed: int, *, calm: bool = False) -> None:
        self.events: list[Event] = []
        self._families = families(entities)
        self._world = World(self._families, Random(seed))
        self._kinds = [kind for kind in KINDS if kind.calm or not calm]

    def seeds(self) -> Mapping[str, Any]:
        """The sandbox's state before the first event."""
        return seeds(self._families)

    def first_places(self) -> Mapping[tuple[str, str], tuple[str, str]]:
        """Where in SCSB things are before the first event, by operation and id."""
        return {
            thing: place
            for family in self._families
            if "pair of bibs" in family.members
            for thing, place in family.pair.first_places().items()
        }

    def next(self) -> Event:
        """One more event, which is added to `events`."""
        family = self._world.pick(self._families)
        fitting = [kind for kind in self._kinds if kind.needs in family.members]
        (kind,) = self._world.random.choices(fitting, [kind.weight for kind in fitting])
        event = kind.make(self._world, family).numbered()
        self.events.append(event)
        self._world.made += 1
        return event
