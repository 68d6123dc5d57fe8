"""What a workload's events are about: a limited number of entities in families, and the state they begin in.

The members of a family are sent under one key, so that events which touch two of them keep the order of one partition.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from service.sandbox.eholdings.seeds import eholdings_state, resource
from service.sandbox.holdingsiq.csv_file import CsvFile
from service.sandbox.holdingsiq.plans import Plan
from service.sandbox.holdingsiq.seeds import customer, holdingsiq_state
from service.sandbox.scsb.seeds import bib, holdings, institution, item, scsb_state
from tests.chaos.events import Move

MEMBERS = ("resource", "resource", "record set", "source", "pair of bibs", "customer")
"""Of a family, in the order in which entities are counted."""

INSTITUTION = "PUL"
EXPORT_ROWS = 300
"""Of every export, two to a title."""
ABSENT = "absent"
"""How a holdings source is that nobody has made, or that was deleted."""


@dataclass(frozen=True, slots=True)
class Family:
    """Up to two eholdings resources, a record set, a holdings source, a pair of bibs in SCSB, and a customer of
    HoldingsIQ.

    The source of an even family is named by its record set, and changes between local and consortium; that of an odd
    one is nobody's, and is made and deleted.
    """

    number: int
    members: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"family-{self.number}"

    @property
    def resources(self) -> tuple[str, ...]:
        return tuple(f"22-{1000 + self.number}-{5000 + n}" for n in range(self.members.count("resource")))

    @property
    def instance(self) -> str:
        return f"in{self.number}"

    @property
    def source(self) -> str:
        return f"Source {self.number}"

    @property
    def source_is_named(self) -> bool:
        return self.number % 2 == 0 and "source" in self.members

    @property
    def customer(self) -> str:
        return f"c{self.number}"

    @property
    def pair(self) -> Pair:
        return Pair(f"p{self.number}")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two bibs between which items and a holdings record move to and fro."""

    name: str

    @property
    def places(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Of items: bib and holdings."""
        return (f"{self.name}a", f"{self.name}ha"), (f"{self.name}b", f"{self.name}hb")

    @property
    def items(self) -> tuple[str, ...]:
        return tuple(f"{self.name}i{n}" for n in range(3))

    @property
    def record(self) -> str:
        """The holdings record that moves."""
        return f"{self.name}hm"

    @property
    def withdrawn(self) -> str:
        """An item that cannot be transferred: it is deaccessioned."""
        return f"{self.name}gone"

    def first_places(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Where what moves is at the beginning, by operation and id."""
        here, _ = self.places
        return {
            **{("transfer-item", moved): here for moved in self.items},
            ("transfer-holdings", self.record): (here[0], self.record),
        }

    def to_the_other_side(self, operation: str, moved: str, source: tuple[str, str]) -> Move:
        here, there = self.places
        place = there if source[0] == here[0] else here
        return Move(operation, moved, source, place if operation == "transfer-item" else (place[0], moved))

    def seed(self) -> Iterable[tuple[str, dict[str, Any]]]:
        """Both bibs. In each an item stays for ever: a bib without any would be deaccessioned."""
        here, there = self.places
        yield bib(
            here[0],
            holdings(
                here[1],
                item(f"{self.name}stays-a"),
                item(self.withdrawn, deleted=True),
                *(item(moved) for moved in self.items),
            ),
            holdings(self.record, item(f"{self.name}stays-m")),
        )
        yield bib(there[0], holdings(there[1], item(f"{self.name}stays-b")))


def families(entities: int) -> list[Family]:
    """Families that have so many members together; the last may lack some."""
    size = len(MEMBERS)
    return [Family(first // size, MEMBERS[: entities - first][:size]) for first in range(0, entities, size)]


def seeds(members: Iterable[Family]) -> Mapping[str, Any]:
    """The sandbox's state before the first event."""
    known = list(members)
    sources = {
        str(uuid.uuid5(uuid.NAMESPACE_URL, family.source)): {"name": family.source, "source": "consortium"}
        for family in known
        if family.source_is_named
    }
    plan = Plan(after_polls=2, file=CsvFile(rows=EXPORT_ROWS, coverages=2))
    customers: dict[str, Any] = {family.customer: customer(plan=plan, quota_limit=None) for family in known}
    pairs = [family.pair for family in known if "pair of bibs" in family.members]
    return {
        "eholdings": eholdings_state(*(resource(r) for family in known for r in family.resources)),
        "holdings-sources": {"tenants": {"diku": sources}},
        "holdingsiq": holdingsiq_state(**customers),
        "scsb": scsb_state(**{INSTITUTION: institution(*(entry for pair in pairs for entry in pair.seed()))}),
    }
