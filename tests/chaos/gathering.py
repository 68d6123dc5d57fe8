"""Reads what a run has left behind into evidence: topics, the sandbox's ledger, and what its systems hold."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import orjson
from aiokafka import ConsumerRecord

from service.sandbox.ledger import Entry
from service.sandbox.server import Sandbox
from tests.chaos.entities import INSTITUTION
from tests.chaos.events import INDEX_HEADER, Event, index_in
from tests.chaos.evidence import Call, Letter, Operation, Place, Placed, Result, Row

NOBODYS = -1
"""The index of the event of a call that no event asks for."""

LifeAt = Callable[[str, float], int]
"""The index of the life that called through a door (its host and port) at a time."""


def placed_of(records: Iterable[ConsumerRecord], prefix: str, events: Sequence[Event]) -> list[Placed]:
    """The events that lie in the topics in."""
    return [
        Placed(
            Place(record.topic.removeprefix(prefix), record.partition, record.offset),
            events[int(dict(record.headers)[INDEX_HEADER])],
        )
        for record in records
    ]


def result_of(record: ConsumerRecord, prefix: str) -> Result:
    data = orjson.loads(record.value)["data"]
    told = data["event"]
    return Result(
        Place(told["topic"].removeprefix(prefix), told["partition"], told["offset"]),
        told["id"],
        data["outcome"],
        data["code"],
        tuple(
            Operation(
                entry["system"],
                entry["operation"],
                entry["target"],
                entry["outcome"],
                entry["message"],
                entry.get("export", {}).get("rows"),
            )
            for entry in data["operations"]
        ),
        record.timestamp / 1000,
        data["message"],
    )


def letter_of(record: ConsumerRecord, prefix: str) -> Letter:
    headers = dict(record.headers)
    topic, partition, offset = (headers[f"relay-{name}"].decode() for name in ("topic", "partition", "offset"))
    return Letter(Place(topic.removeprefix(prefix), int(partition), int(offset)), record.key, record.value)


def row_of(record: ConsumerRecord, prefix: str) -> Row:
    event = orjson.loads(record.value)
    topic, partition, offset, number = event["id"].rsplit("/", 3)
    place = Place(topic.removeprefix(prefix), int(partition), int(offset))
    return Row(place, int(number), event["data"]["row"], event["data"]["exportId"])


def calls_of(ledger: Iterable[Entry], events: Sequence[Event], life_at: LifeAt) -> list[Call]:
    """Every call of a system, oldest first; logins are about no event, and are left out."""
    titles = {
        (entity.removeprefix("inventory:"), str(number)): event.index
        for event in events
        for entity, number in event.entities.items()
        if entity.startswith("inventory:")
    }
    updates = _updates_of(events)
    return [
        Call(
            entry.system,
            entry.method,
            entry.started_at,
            math.inf if entry.finished_at is None else entry.finished_at,
            entry.applied,
            life_at(entry.call.header("host") or "", entry.started_at),
            tuple(_events_of(entry, titles, updates)),
            entry.body if entry.system == "scsb" else None,
            entry.path,
        )
        for entry in ledger
        if entry.system != "login"
    ]


def _updates_of(events: Iterable[Event]) -> dict[str, list[tuple[int, str]]]:
    """The updates of each eholdings resource in their order: index, and the statement that it leaves."""
    updates: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for event in events:
        for entity, statement in event.leaves.items():
            if entity.startswith("eholdings:"):
                updates[entity.removeprefix("eholdings:")].append((event.index, statement))
    return updates


def _events_of(
    entry: Entry, titles: Mapping[tuple[str, str], int], updates: Mapping[str, Sequence[tuple[int, str]]]
) -> Iterator[int]:
    """By the trace that a call carries on; where several record sets share a call, by what each says. A PUT of
    eholdings is for the event whose trace it has and, where they have left together, for those behind it up to the one
    whose statement it has."""
    if entry.system != "inventory":
        index = index_in(entry.call.header("traceparent"))
        yield NOBODYS if index is None else index
        if index is not None and entry.system == "eholdings" and entry.method == "PUT":
            yield from _taken_along(index, entry.body, updates.get(entry.path.rpartition("/")[2], ()))
        return
    body: Any = entry.body
    for record_set in body["inventoryRecordSets"]:
        instance = record_set["instance"]
        yield titles.get((instance["hrid"], instance["title"]), NOBODYS)


def _taken_along(first: int, body: Any, updates: Sequence[tuple[int, str]]) -> list[int]:
    statement = body["data"]["attributes"].get("coverageStatement")
    last = max((index for index, left in updates if left == statement), default=first)
    return [index for index, _ in updates if first < index <= last]


def state_of(sandbox: Sandbox) -> dict[str, str]:
    """What the systems of FOLIO hold, by entity, in the words of `Event.leaves`. What is not there is left out."""
    return dict(chain(_resources(sandbox), _record_sets(sandbox), _sources(sandbox)))


def places_of(sandbox: Sandbox, things: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, str]]:
    """Where things are in SCSB: bib and holdings."""
    wanted = set(things)
    snapshot: Any = sandbox.systems["scsb"].snapshot()
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for bib_id, bib in snapshot["institutions"][INSTITUTION]["bibs"].items():
        for holdings_id, holdings in bib["holdings"].items():
            names = [("transfer-holdings", holdings_id), *(("transfer-item", name) for name in holdings["items"])]
            found |= {name: (bib_id, holdings_id) for name in names if name in wanted}
    return found


def _resources(sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    snapshot: Any = sandbox.systems["eholdings"].snapshot()
    for found in snapshot["tenants"]["diku"]["resources"]:
        yield f"eholdings:{found['id']}", str(found["attributes"].get("coverageStatement"))


def _record_sets(sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    snapshot: Any = sandbox.systems["inventory"].snapshot()
    for hrid, found in snapshot["tenants"].get("diku", {}).get("recordSets", {}).items():
        items = [len(holdings["items"]) for holdings in found["holdingsRecords"]]
        title = str(found["instance"]["title"])
        yield f"inventory:{hrid}", title if items == [1] else f"{title} without its item"


def _sources(sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    snapshot: Any = sandbox.systems["holdings-sources"].snapshot()
    for found in snapshot["tenants"]["diku"].values():
        yield f"holdings-sources:{found['name']}", found["source"]
