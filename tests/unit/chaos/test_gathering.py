"""From topics and ledger to evidence."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from aiokafka import ConsumerRecord

from service.domain.answers import failed, succeeded
from service.domain.codes import Code
from service.domain.exports import ExportRow
from service.domain.operations import Asked, EventIdentity, Plan
from service.domain.outcomes import OperationOutcome, Outcome
from service.domain.record import Partition, Record
from service.engine.ports import Outgoing
from service.kafka.records_out import RecordsOut
from service.sandbox.exchange import Call as HttpCall
from service.sandbox.ledger import Ledger
from service.sandbox.server import Sandbox
from service.sandbox.systems import default_systems
from tests.chaos.entities import ABSENT
from tests.chaos.events import Event, traceparent_of
from tests.chaos.evidence import Life, Operation, Place, Row
from tests.chaos.gathering import NOBODYS, calls_of, letter_of, placed_of, places_of, result_of, row_of, state_of
from tests.chaos.workers import Lives
from tests.chaos.workload import Workload

PREFIX = "run."
WHERE = Partition(PREFIX + "holdings.changes", 3)


def consumed(sent: Outgoing, *, topic: str, partition: int = 0, offset: int = 0) -> ConsumerRecord:
    return ConsumerRecord(
        topic, partition, offset, 1_700_000_000_250, 0, sent.key, sent.value, None, 0, 0, tuple(sent.headers)
    )


def outcome() -> Outcome:
    record = Record(WHERE, 42, b"key", b"value", (), 1, 0.0)
    operations = (
        OperationOutcome(Asked("scsb", "transfer-item", "b/h/i"), succeeded(200, "Successfully relinked")),
        OperationOutcome(Asked("scsb", "transfer-item", "b/h/j"), failed(Code.REFUSED, 200, "no")),
    )
    return Outcome(record, EventIdentity("e1", "/tests", "holdings.changed"), "diku", None, operations, 0.0)


def enter(  # type: ignore[no-untyped-def]
    ledger: Ledger,
    system: str,
    method: str,
    *,
    host: str = "a:1",
    path: str = "/somewhere",
    index: int | None = None,
    body: Any = None,
):
    headers = [("Host", host)]
    if index is not None:
        headers.append(("traceparent", traceparent_of(index)))
    content = b"" if body is None else orjson.dumps(body)
    return ledger.open(system, HttpCall(method, path, {}, tuple(headers), content, "diku"))


def test_results_and_dead_letters_are_read_as_the_relay_writes_them() -> None:
    result, letter = (consumed(sent, topic=PREFIX + sent.topic) for sent in RecordsOut("/relay")(outcome()))

    found = result_of(result, PREFIX)

    place = Place("holdings.changes", 3, 42)
    assert (found.place, found.event_id, found.outcome, found.code) == (place, "e1", "partial", "refused")
    assert found.operations == (
        Operation("scsb", "transfer-item", "b/h/i", "succeeded", "Successfully relinked"),
        Operation("scsb", "transfer-item", "b/h/j", "failed", "no"),
    )
    assert found.sent_at == 1_700_000_000.25
    buried = letter_of(letter, PREFIX)
    assert (buried.place, buried.key, buried.value) == (place, b"key", b"value")


def test_rows_are_read_as_the_relay_writes_them() -> None:
    record = Record(Partition(PREFIX + "holdings.export-requests", 3), 42, b"key", b"value", (), 1, 0.0)
    plan = Plan(EventIdentity("e1", "/tests", "holdings.export.requested"), "diku", None, (), frozenset())
    row = ExportRow("1-2-3", 6, {"row": 5, "exportId": "x"})
    (sent,) = RecordsOut("/relay").rows(record, plan, [row], 5)

    found = row_of(consumed(sent, topic=PREFIX + sent.topic), PREFIX)

    assert found == Row(Place("holdings.export-requests", 3, 42), 5, 5, "x")


def test_what_lies_in_the_topics_in_is_found_by_its_index() -> None:
    workload = Workload(30, 1)
    events = [workload.next() for _ in range(3)]
    record = consumed(events[2].outgoing, topic=PREFIX + "holdings.changes", partition=4, offset=17)

    (placed,) = placed_of([record], PREFIX, events)

    assert placed.event is events[2]
    assert str(placed.place) == "holdings.changes/4@17"


def test_a_call_is_about_the_event_whose_trace_it_carries_and_logins_are_left_out() -> None:
    ledger = Ledger()
    enter(ledger, "login", "POST")
    ledger.close(enter(ledger, "eholdings", "GET", index=5), 200)
    enter(ledger, "scsb", "POST", index=6, body={"institution": "PUL"})
    enter(ledger, "holdings-sources", "GET")

    first, second, third = calls_of(ledger, [], lambda host, when: 0)

    assert (first.system, first.events, first.writes, first.body) == ("eholdings", (5,), False, None)
    assert first.began_at <= first.ended_at < math.inf
    assert (second.events, second.ended_at, second.body) == ((6,), math.inf, {"institution": "PUL"})
    assert third.events == (NOBODYS,)


def test_a_put_of_eholdings_is_about_the_event_of_its_trace_and_those_up_to_its_statement() -> None:
    workload = Workload(30, 1)
    for _ in range(200):
        workload.next()
    (entity,) = next(event.leaves for event in workload.events if len(event.leaves) == 1 and _resource_of(event))
    mine = [event for event in workload.events if entity in event.leaves]
    ledger = Ledger()
    path = "/eholdings/resources/" + entity.removeprefix("eholdings:")
    body = {"data": {"attributes": {"coverageStatement": mine[2].leaves[entity]}}}
    for first in mine[0], mine[2]:
        enter(ledger, "eholdings", "PUT", path=path, index=first.index, body=body)

    three, one = calls_of(ledger, workload.events, lambda host, when: 0)

    assert three.events == tuple(event.index for event in mine[: 3 + mine[3].again])
    assert one.events == tuple(event.index for event in mine[2 : 3 + mine[3].again])


def _resource_of(event: Event) -> bool:
    return next(iter(event.leaves)).startswith("eholdings:")


def test_a_call_of_several_record_sets_is_about_the_event_of_each() -> None:
    workload = Workload(30, 1)
    while sum("inventory:in0" in event.leaves or "inventory:in1" in event.leaves for event in workload.events) < 2:
        workload.next()
    events = [e for e in workload.events if "inventory:in0" in e.leaves or "inventory:in1" in e.leaves]
    sets = [
        {"instance": {"hrid": entity.partition(":")[2], "title": str(number)}}
        for event in events
        for entity, number in event.entities.items()
        if entity.startswith("inventory:")
    ]
    ledger = Ledger()
    unknown = {"instance": {"hrid": "in0", "title": "never"}}
    enter(ledger, "inventory", "PUT", index=0, body={"inventoryRecordSets": [*sets, unknown]})

    (call,) = calls_of(ledger, workload.events, lambda host, when: 0)

    assert call.events == (*(event.index for event in events), NOBODYS)


@dataclass
class HiredWorker:
    host: str
    lives: list[Life] = field(default_factory=list)


def test_a_call_belongs_to_the_life_that_its_worker_was_in() -> None:
    first = HiredWorker("a:1", [Life(0, 10.0), Life(0, 20.0)])
    second = HiredWorker("b:2", [Life(1, 10.0)])

    lives = Lives([first, second])  # type: ignore[list-item]

    assert [lives.at("a:1", when) for when in (9.9, 10.0, 19.9, 20.0, 99.0)] == [0, 0, 0, 1, 1]
    assert lives.at("b:2", 50.0) == 2
    assert lives.all[lives.at("a:1", 30.0)].began_at == 20.0


def test_a_worker_that_never_lived_has_no_life() -> None:
    assert Lives([HiredWorker("a:1"), HiredWorker("b:2", [Life(1, 1.0)])]).at("b:2", 2.0) == 0  # type: ignore[list-item]


def test_the_state_of_the_systems_is_read_in_the_words_of_the_events() -> None:
    workload = Workload(10, 1)
    sandbox = Sandbox(default_systems())
    sandbox.load(workload.seeds())

    state = state_of(sandbox)

    assert state["eholdings:22-1000-5000"] == "None"
    assert state["holdings-sources:Source 0"] == "consortium"
    assert state.get("holdings-sources:Source 1", ABSENT) == ABSENT
    places = workload.first_places()
    assert places_of(sandbox, places) == places


@pytest.mark.parametrize(("items", "value"), [(1, "4"), (0, "4 without its item")])
def test_a_record_set_that_has_lost_its_item_is_not_what_was_asked_for(items: int, value: str) -> None:
    sandbox = Sandbox(default_systems())
    holdings: Any = {"hrid": "ho", "items": [{"hrid": f"it{number}"} for number in range(items)]}
    instance = {"hrid": "in0", "title": "4"}
    stored: Any = {"in0": {"instance": instance, "holdingsRecords": [holdings]}}
    sandbox.load({"inventory": {"tenants": {"diku": {"recordSets": stored}}}})

    sandbox.load({"holdings-sources": {"tenants": {"diku": {}}}, "eholdings": {"tenants": {"diku": {}}}})

    assert state_of(sandbox)["inventory:in0"] == value
