"""What a run without any fault leaves behind, and ways to spoil it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import orjson

from tests.chaos.events import Event, Fate
from tests.chaos.evidence import Call, Evidence, Letter, Life, Operation, Place, Placed, Result, Row
from tests.chaos.workload import Workload

STEP_SECONDS = 10.0
"""From the beginning of one event to that of the next."""
CALL_SECONDS = 1.0
RESULT_AFTER_SECONDS = 5.0
WORKER_LIFE, OTHER_LIFE = 0, 1


def flawless(events: int = 300, seed: int = 7) -> Evidence:
    """Events of all kinds, carried out one after the other by one worker; another one looks on."""
    workload = Workload(30, seed)
    for _ in range(events):
        workload.next()
    moved_from = workload.first_places()
    moved_to = dict(moved_from)
    state: dict[str, str] = {}
    for event in workload.events:
        state |= event.leaves
        moved_to |= {(m.operation, m.moved): m.destination for m in event.moves if not m.refused}
    return Evidence(
        placed=[Placed(place_of(event), event) for event in workload.events],
        results=[_result(event) for event in workload.events],
        letters=[letter(event) for event in workload.events if event.fate is not Fate.DONE],
        calls=[call for event in workload.events for call in _calls(event)],
        lives=[Life(0, 0.0), Life(1, 0.0)],
        outages=[],
        state=state,
        moved_from=moved_from,
        moved_to=moved_to,
        rows=[row for event in workload.events for row in rows_of(event)],
    )


def place_of(event: Event) -> Place:
    return Place(event.outgoing.topic, 0, event.index)


def rows_of(event: Event) -> list[Row]:
    """All rows of the export that it asks for."""
    return [Row(place_of(event), number, number, f"export-{event.index}") for number in range(1, (event.rows or 0) + 1)]


def began_at(event: Event) -> float:
    return (event.index + 1) * STEP_SECONDS


def letter(event: Event) -> Letter:
    return Letter(place_of(event), event.outgoing.key, event.outgoing.value)


def call(event: Event, system: str, method: str = "PUT", **others: Any) -> Call:
    """A call for an event, by default when its turn is."""
    began = others.pop("began_at", began_at(event))
    ended = others.pop("ended_at", began + CALL_SECONDS)
    body = orjson.loads(event.outgoing.value or b"{}")["data"] if system == "scsb" else None
    made = Call(system, method, began, ended, applied=True, life=WORKER_LIFE, events=(event.index,), body=body)
    return replace(made, **others)


def an_event(evidence: Evidence, which: Callable[[Event], bool], number: int = 0) -> Event:
    """The first event of a kind, or a later one."""
    return [placed.event for placed in evidence.placed if which(placed.event)][number]


def is_update(event: Event) -> bool:
    """Of one eholdings resource, and nothing else."""
    return not event.again and len(event.leaves) == 1 and next(iter(event.leaves)).startswith("eholdings:")


def follows(event: Event) -> Callable[[Event], bool]:
    """Whether another event touches an entity of this one later."""
    return lambda other: other.index > event.index and bool(other.entities.keys() & event.entities.keys())


def with_result(evidence: Evidence, event: Event, **changes: Any) -> Evidence:
    """The result of an event, changed."""
    mine = place_of(event)
    return replace(evidence, results=[replace(r, **changes) if r.place == mine else r for r in evidence.results])


def with_calls(evidence: Evidence, *more: Call) -> Evidence:
    return replace(evidence, calls=[*evidence.calls, *more])


def without_calls(evidence: Evidence, event: Event) -> Evidence:
    return replace(evidence, calls=[made for made in evidence.calls if event.index not in made.events])


def _result(event: Event) -> Result:
    outcome = {Fate.DONE: "unchanged" if event.again else "succeeded", Fate.PARTIAL: "partial"}.get(
        event.fate, "failed"
    )
    operations = tuple(
        Operation("scsb", move.operation, move.target, "failed" if move.refused else "succeeded")
        for move in event.moves
    )
    if event.rows is not None:
        operations = (Operation("holdingsiq", "export", f"export-{event.index}", "succeeded", rows=event.rows),)
    sent_at = began_at(event) + RESULT_AFTER_SECONDS
    return Result(place_of(event), event.id, outcome, event.code, operations, sent_at)


def _calls(event: Event) -> Iterator[Call]:
    """One after the other, in the order of the entities."""
    when = began_at(event)
    for entity in event.entities:
        system = entity.partition(":")[0]
        yield call(event, system, "POST" if system in ("scsb", "holdingsiq") else "PUT", began_at=when)
        when += CALL_SECONDS
