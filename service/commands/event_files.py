"""Files of events: read, validated, and made ready to publish. Says of every fault which file, line and path it is
about."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from service.domain.operations import Plan, asked_of
from service.domain.outcomes import Rejection
from service.domain.record import Partition, Record
from service.engine.ports import Outgoing
from service.routes import ROUTES, interpret

TOPICS = {route.event_type: route.topic for route in ROUTES}
CONTENT_TYPE = ("content-type", b"application/cloudevents+json; charset=UTF-8")


@dataclass(frozen=True, slots=True)
class EventFile:
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ReadyEvent:
    """A valid event. `where` is the file and line that it came from."""

    where: str
    id: str
    type: str
    outgoing: Outgoing


class InvalidEvents(Exception):
    """One line for each fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def read_events(file: EventFile, default_tenant: str | None, max_bytes: int) -> list[ReadyEvent]:
    """Every event of the file, in order. Raises `InvalidEvents` with every fault of every event."""
    events: list[ReadyEvent] = []
    faults: list[str] = []
    for where, value in _split(file):
        record = Record(Partition(file.name, 0), 0, None, value, (CONTENT_TYPE,), 0, time.time())
        plan = interpret(record, default_tenant=default_tenant, max_bytes=max_bytes)
        if isinstance(plan, Rejection):
            faults += _describe(where, plan)
        else:
            events.append(_ready(where, value, plan))
    if not events and not faults:
        faults.append(f"{file.name}: there is no event in it")
    if faults:
        raise InvalidEvents(faults)
    return events


def _split(file: EventFile) -> Iterator[tuple[str, bytes]]:
    """The events' bytes: of the whole file where it is one JSON value, else of each line that is not blank."""
    try:
        whole = orjson.loads(file.content)
    except orjson.JSONDecodeError:
        for number, line in enumerate(file.content.splitlines(), 1):
            if line.strip():
                yield f"{file.name}:{number}", line
        return
    if isinstance(whole, list):
        for index, event in enumerate(whole):
            yield f"{file.name}[{index}]", orjson.dumps(event)
    else:
        yield file.name, file.content.strip()


def _describe(where: str, rejection: Rejection) -> list[str]:
    if not rejection.faults:
        return [f"{where}: {rejection.code}: {rejection.message}"]
    return [f"{where}: {rejection.code}: {fault.path}: {fault.message}" for fault in rejection.faults]


def _ready(where: str, value: bytes, plan: Plan) -> ReadyEvent:
    key = orjson.loads(value).get("partitionkey")
    if not isinstance(key, str):
        key = next(asked.target for step in plan.steps for asked in asked_of(step))
    event_type = plan.event.type or ""
    outgoing = Outgoing(TOPICS[event_type], str(key).encode(), value, (CONTENT_TYPE,))
    return ReadyEvent(where, plan.event.id or "", event_type, outgoing)
