"""The kinds of events of a workload, one function each: what is asked for, and what it should come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson

from service.domain.codes import Code
from service.engine.ports import Outgoing
from service.kafka.topics import CHANGES, EXPORT_REQUESTS, TRANSFER_REQUESTS
from tests.builders.inventory import holdings, instance, item
from tests.chaos.entities import ABSENT, EXPORT_ROWS, INSTITUTION, Family
from tests.chaos.events import Event, Fate, Move, traceparent_of
from tests.chaos.world import World
from tests.support.relay import STRUCTURED, changed, export_requested, transfer_requested


class Kind(NamedTuple):
    """`needs` is the member that a family must have for it; calm kinds ask for nothing that is refused."""

    make: Callable[[World, Family], Event]
    weight: int
    needs: str = "resource"
    calm: bool = False


def update(world: World, family: Family) -> Event:
    """An eholdings resource gets its number as coverage statement."""
    asked = _Asked(world, family)
    asked.resource()
    return asked.changed()


def upsert(world: World, family: Family) -> Event:
    """A record set gets its number as title."""
    asked = _Asked(world, family)
    asked.record_set()
    return asked.changed()


def turn(world: World, family: Family) -> Event:
    """A holdings source changes, or is made or deleted."""
    asked = _Asked(world, family)
    asked.source()
    return asked.changed()


def update_and_upsert(world: World, family: Family) -> Event:
    """Two entities in one event."""
    asked = _Asked(world, family)
    asked.resource()
    asked.record_set()
    return asked.changed()


def turn_and_upsert(world: World, family: Family) -> Event:
    """A holdings source, and a record set that may name it."""
    asked = _Asked(world, family)
    asked.source()
    asked.record_set()
    return asked.changed()


def move(world: World, family: Family) -> Event:
    """An item, or a holdings record, or both move; some with an operation on inventory behind."""
    asked = _Asked(world, family)
    operations = world.pick((("transfer-item",), ("transfer-holdings",), ("transfer-holdings", "transfer-item")))
    asked.moves = tuple(world.move(family, operation) for operation in operations)
    if world.chance(0.3):
        asked.moved_record_set()
    return asked.transfer()


def move_in_part(world: World, family: Family) -> Event:
    """One entry that is carried out and one that is refused; what comes behind is not attempted."""
    asked = _Asked(world, family)
    asked.moves = (world.move(family, "transfer-item"), _refused_move(world, family))
    asked.fate, asked.code = Fate.PARTIAL, Code.REFUSED
    asked.inventory = [_upsert(f"mv{family.number}", "never")] if world.chance(0.5) else []
    return asked.transfer()


def refused_move(world: World, family: Family) -> Event:
    """From a bib that SCSB does not have, or of a deaccessioned item. Never from a wrong place: SCSB's answer to
    that is the one that it gives to a repetition, so that after a lost answer nobody could tell them apart."""
    asked = _Asked(world, family)
    asked.moves = (_refused_move(world, family),)
    asked.fate, asked.code = Fate.REFUSED, Code.REFUSED
    return asked.transfer()


def unknown_resource(world: World, family: Family) -> Event:
    """An update of a resource that eholdings does not have."""
    asked = _Asked(world, family)
    asked.unknown_resource()
    return asked.changed()


def update_and_refused_upsert(world: World, family: Family) -> Event:
    """A resource that is updated, and a record set that storage refuses: an instance without its type."""
    asked = _Asked(world, family)
    asked.resource()
    asked.refused_record_set()
    return asked.changed()


def update_again(world: World, family: Family) -> Event:
    """An event that was sent before, byte for byte but for its trace, and by its id. Of one resource, right behind."""
    asked = _Asked(world, family)
    asked.resource_again()
    return asked.changed()


def export(world: World, family: Family) -> Event:
    """All holdings of a customer, row by row."""
    asked = _Asked(world, family)
    asked.rows = EXPORT_ROWS
    return asked.export(f"holdingsiq:{family.customer}", {"custId": family.customer, "type": "KBART2"})


def unknown_export(world: World, family: Family) -> Event:
    """An export that HoldingsIQ does not have."""
    asked = _Asked(world, family)
    asked.fate, asked.code = Fate.REFUSED, Code.REFUSED
    return asked.export(f"holdingsiq:{family.customer}/never", {"custId": family.customer, "exportId": "never"})


def rejected(world: World, family: Family) -> Event:
    """What is refused before any call: it cannot be read, is of no known type, or breaks its schema."""
    topic, key = world.pick(tuple(_INVALID)), family.key
    invalid = _INVALID[topic]
    event_id = f"#{world.made}"
    choices: tuple[tuple[Outgoing, str | None, Code], ...] = (
        (Outgoing(topic, key.encode(), b'{"specversion": "1.0", "id": "cut off', STRUCTURED), None, Code.UNREADABLE),
        (Outgoing(topic, key.encode(), None), None, Code.UNREADABLE),
        (Outgoing(topic, key.encode(), b"\xff\xfe\x00 no text", ()), None, Code.UNREADABLE),
        (_of_unknown_type(topic, key, event_id), event_id, Code.UNKNOWN_TYPE),
        (invalid(event_id, key), event_id, Code.INVALID_DATA),
    )
    outgoing, told_id, code = world.pick(choices)
    return Event(world.made, told_id, outgoing, Fate.REJECTED, code)


KINDS = (
    Kind(update, 30, calm=True),
    Kind(upsert, 15, "record set", calm=True),
    Kind(turn, 7, "source", calm=True),
    Kind(update_and_upsert, 8, "record set", calm=True),
    Kind(turn_and_upsert, 4, "source", calm=True),
    Kind(move, 16, "pair of bibs", calm=True),
    Kind(move_in_part, 3, "pair of bibs"),
    Kind(refused_move, 2, "pair of bibs"),
    Kind(export, 3, "customer"),
    Kind(unknown_export, 1, "customer"),
    Kind(unknown_resource, 2),
    Kind(update_and_refused_upsert, 3),
    Kind(update_again, 4),
    Kind(rejected, 6),
)


class _Asked:
    """What one event asks for, put together part by part."""

    def __init__(self, world: World, family: Family) -> None:
        self._world, self._family = world, family
        self._entities: dict[str, int] = {}
        self._leaves: dict[str, str] = {}
        self._data: dict[str, Any] = {}
        self._again = False
        self.rows: int | None = None
        self._id = f"#{world.made}"
        self.moves: tuple[Move, ...] = ()
        self.inventory: list[Mapping[str, Any]] = []
        self.fate = Fate.DONE
        self.code: Code | None = None

    def resource(self) -> None:
        resource_id = self._world.pick(self._family.resources)
        number = self._count(f"eholdings:{resource_id}")
        self._leaves[f"eholdings:{resource_id}"] = str(number)
        self._data["eholdings"] = _statement(resource_id, str(number))
        self._world.last_update[self._family.number] = (resource_id, str(number), self._id)

    def resource_again(self) -> None:
        last = self._world.last_update.pop(self._family.number, None)
        if last is None:
            self.resource()
            return
        resource_id, statement, self._id = last
        self._count(f"eholdings:{resource_id}")
        self._leaves[f"eholdings:{resource_id}"] = statement
        self._data["eholdings"] = _statement(resource_id, statement)
        self._again = True

    def unknown_resource(self) -> None:
        resource_id = f"99-{1000 + self._family.number}-1"
        self._count(f"eholdings:{resource_id}")
        self._data["eholdings"] = _statement(resource_id, "never")
        self.fate, self.code = Fate.REFUSED, Code.REFUSED

    def record_set(self) -> None:
        self._world.last_update.pop(self._family.number, None)
        number = self._count(f"inventory:{self._family.instance}")
        self._leaves[f"inventory:{self._family.instance}"] = str(number)
        source = self._family.source if self._family.source_is_named else None
        self._data["inventory"] = _upsert(self._family.instance, str(number), source)

    def refused_record_set(self) -> None:
        self._world.last_update.pop(self._family.number, None)
        number = self._count(f"inventory:bad{self._family.number}")
        bad = instance(f"bad{self._family.number}", title=str(number), instanceTypeId=...)
        self._data["inventory"] = {"action": "upsert", "instance": bad}
        self.fate, self.code = Fate.PARTIAL, Code.REFUSED

    def moved_record_set(self) -> None:
        hrid = f"mv{self._family.number}"
        number = self._count(f"inventory:{hrid}")
        self._leaves[f"inventory:{hrid}"] = str(number)
        self.inventory = [_upsert(hrid, str(number))]

    def source(self) -> None:
        self._count(f"holdings-sources:{self._family.source}")
        kind = self._world.turn(self._family)
        self._leaves[f"holdings-sources:{self._family.source}"] = kind
        if kind == ABSENT:
            self._data["holdingsSource"] = {"action": "delete", "name": self._family.source}
        else:
            self._data["holdingsSource"] = {"action": "upsert", "name": self._family.source, "source": kind}

    def changed(self) -> Event:
        trace = traceparent_of(self._world.made)
        return self._event(changed(self._id, self._family.key, self._data, tenant="diku", traceparent=trace))

    def transfer(self) -> Event:
        self._count(f"scsb:{self._family.pair.name}")
        data: dict[str, Any] = {"institution": INSTITUTION}
        for operation, name in (("transfer-holdings", "holdingTransfers"), ("transfer-item", "itemTransfers")):
            if entries := [_entry(entry) for entry in self.moves if entry.operation == operation]:
                data[name] = entries
        if self.inventory:
            data["inventory"] = self.inventory
        trace = traceparent_of(self._world.made)
        return self._event(transfer_requested(self._id, self._family.key, data, tenant="diku", traceparent=trace))

    def export(self, entity: str, data: Mapping[str, Any]) -> Event:
        self._count(entity)
        trace = traceparent_of(self._world.made)
        return self._event(export_requested(self._id, self._family.key, data, tenant="diku", traceparent=trace))

    def _count(self, entity: str) -> int:
        self._entities |= self._world.count(entity)
        return self._entities[entity]

    def _event(self, outgoing: Outgoing) -> Event:
        return Event(
            self._world.made,
            self._id,
            outgoing,
            self.fate,
            self.code,
            self._entities,
            self._leaves,
            self.moves,
            self.rows,
            self._again,
        )


def _statement(resource_id: str, statement: str) -> Mapping[str, Any]:
    return {"action": "update", "resourceId": resource_id, "attributes": {"coverageStatement": statement}}


def _upsert(hrid: str, title: str, source_name: str | None = None) -> Mapping[str, Any]:
    named = {} if source_name is None else {"sourceName": source_name, "sourceId": ...}
    shelf = holdings(f"ho-{hrid}", item(f"it-{hrid}"), **named)
    return {"action": "upsert", "instance": instance(hrid, title=title), "holdingsRecords": [shelf]}


def _refused_move(world: World, family: Family) -> Move:
    here, there = family.pair.places
    nowhere = (f"{family.pair.name}none", f"{family.pair.name}hnone")
    source, moved = world.pick(((nowhere, f"{family.pair.name}never"), (here, family.pair.withdrawn)))
    return Move("transfer-item", moved, source, there, refused=True)


def _entry(asked: Move) -> Mapping[str, Any]:
    of_item = {"owningInstitutionItemId": asked.moved} if asked.operation == "transfer-item" else {}
    return {
        side: {"owningInstitutionBibId": place[0], "owningInstitutionHoldingsId": place[1], **of_item}
        for side, place in (("source", asked.source), ("destination", asked.destination))
    }


def _of_unknown_type(topic: str, key: str, event_id: str) -> Outgoing:
    value = {"specversion": "1.0", "id": event_id, "source": "/tests", "type": "holdings.borrowed", "data": {}}
    return Outgoing(topic, key.encode(), orjson.dumps(value), STRUCTURED)


def _invalid_change(event_id: str, key: str) -> Outgoing:
    return changed(event_id, key, {"eholdings": _statement("22-1-1", "x" * 251)})


def _invalid_transfer(event_id: str, key: str) -> Outgoing:
    return transfer_requested(event_id, key, {"institution": INSTITUTION, "boundWith": True, "itemTransfers": []})


def _invalid_export(event_id: str, key: str) -> Outgoing:
    return export_requested(event_id, key, {"custId": "c0", "type": "EVERYTHING"})


_INVALID = {CHANGES: _invalid_change, TRANSFER_REQUESTS: _invalid_transfer, EXPORT_REQUESTS: _invalid_export}
