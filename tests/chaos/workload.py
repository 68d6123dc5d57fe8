"""Events over a fixed number of entities, each of which counts: the n-th event of an entity leaves the number n behind.

So the ledger of the sandbox shows in which order they were carried out, and the sandbox's state how they ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from service.engine.ports import Outgoing
from service.kafka.topics import CHANGES, TRANSFER_REQUESTS
from service.sandbox.eholdings.seeds import eholdings_state, resource
from service.sandbox.ledger import Entry
from service.sandbox.scsb.seeds import bib, holdings, institution, item, scsb_state

JSON = ("content-type", b"application/cloudevents+json")
LOCATION, SOURCE_ID, TYPE_ID = (f"{n}0000000-0000-4000-8000-000000000000" for n in (1, 2, 3))
MARC_SOURCE_ID = "036ee84a-6afd-4c3c-9ad3-4a12ab875f59"


@dataclass(frozen=True, slots=True)
class Numbered:
    """One event: the `number`-th of its entity, from 1."""

    id: str
    entity: str
    number: int
    outgoing: Outgoing


class Workload:
    """`count` events over `entities` entities: six in ten are eholdings resources, three record sets, one SCSB bibs."""

    def __init__(self, count: int, entities: int) -> None:
        self.entities = [self._name(index) for index in range(entities)]
        self.events = [self._event(index, entities) for index in range(count)]

    def seeds(self) -> Mapping[str, Any]:
        """State for the sandbox: every resource selected, every item of every transfer at its first place."""
        resources = [resource(e.split(":")[1]) for e in self.entities if e.startswith("eholdings:")]
        movers: dict[str, list[str]] = defaultdict(list)
        for event in self.events:
            if event.entity.startswith("scsb:"):
                movers[event.entity].append(f"{event.entity[5:]}-{event.number}")
        bibs = [
            bib(entity[5:], holdings(f"{entity[5:]}-h", item("stays-" + entity[5:]), *(item(i) for i in items)))
            for entity, items in movers.items()
        ]
        return {"eholdings": eholdings_state(*resources), "scsb": scsb_state(PUL=institution(*bibs))}

    def outgoing(self, first: int, end: int) -> list[Outgoing]:
        """The records of some of the events."""
        return [event.outgoing for event in self.events[first:end]]

    @staticmethod
    def _name(index: int) -> str:
        kind = index % 10
        if kind < 6:
            return f"eholdings:22-{1000 + index}-{5000 + index}"
        return f"inventory:in{index:06}" if kind < 9 else f"scsb:b{index}"

    def _event(self, index: int, entities: int) -> Numbered:
        entity, number = self.entities[index % entities], index // entities + 1
        system, _, name = entity.partition(":")
        event_id = f"{entity}#{number}"
        match system:
            case "eholdings":
                data = _eholdings(name, number)
            case "inventory":
                data = _inventory(name, number)
            case _:
                data = _transfer(name, number)
        kind = "holdings.transfer.requested" if system == "scsb" else "holdings.changed"
        value = {
            "specversion": "1.0",
            "id": event_id,
            "source": "/workload",
            "type": kind,
            "tenant": "diku",
            "data": data,
        }
        topic = CHANGES if kind == "holdings.changed" else TRANSFER_REQUESTS
        return Numbered(event_id, entity, number, Outgoing(topic, entity.encode(), orjson.dumps(value), (JSON,)))


def _eholdings(resource_id: str, number: int) -> dict[str, Any]:
    return {
        "eholdings": {"action": "update", "resourceId": resource_id, "attributes": {"coverageStatement": str(number)}}
    }


def _inventory(hrid: str, number: int) -> dict[str, Any]:
    instance = {"hrid": hrid, "source": "workload", "title": str(number), "instanceTypeId": TYPE_ID}
    return {"inventory": {"action": "upsert", "instance": instance}}


def _transfer(bib_id: str, number: int) -> dict[str, Any]:
    moving = {"owningInstitutionBibId": bib_id, "owningInstitutionHoldingsId": f"{bib_id}-h"}
    target = {"owningInstitutionBibId": f"{bib_id}-to", "owningInstitutionHoldingsId": f"{bib_id}-to-h"}
    item_id = {"owningInstitutionItemId": f"{bib_id}-{number}"}
    return {"institution": "PUL", "itemTransfers": [{"source": moving | item_id, "destination": target | item_id}]}


def applied_numbers(ledger: Iterable[Entry]) -> Mapping[str, list[tuple[int, float, float]]]:
    """For each entity the writing calls in the order in which they began: number, begin and end."""
    seen: dict[str, list[tuple[int, float, float]]] = defaultdict(list)
    for entry in ledger:
        for entity, number in _writes(entry):
            seen[entity].append((number, entry.started_at, entry.finished_at or entry.started_at))
    return seen


def _writes(entry: Entry) -> Iterator[tuple[str, int]]:
    body: Any = entry.body
    if entry.system == "eholdings" and entry.method == "PUT":
        yield f"eholdings:{entry.path.rsplit('/', 1)[1]}", int(body["data"]["attributes"]["coverageStatement"])
    elif entry.system == "inventory" and entry.method == "PUT":
        for record_set in body["inventoryRecordSets"]:
            yield f"inventory:{record_set['instance']['hrid']}", int(record_set["instance"]["title"])
    elif entry.system == "scsb":
        for moved in body["itemTransfers"]:
            bib_id, number = moved["source"]["owningInstitutionItemId"].rsplit("-", 1)
            yield f"scsb:{bib_id}", int(number)
