"""What a run has left behind, as the judge reads it. Values only: where they come from is not known here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from tests.chaos.events import Event


class Place(NamedTuple):
    """Where a record in lies; results and dead letters name it."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}@{self.offset}"


@dataclass(frozen=True, slots=True)
class Placed:
    """An event that was published."""

    place: Place
    event: Event


class Operation(NamedTuple):
    """One entry of `operations` in a result."""

    system: str | None
    operation: str | None
    target: str | None
    outcome: str
    message: str | None = None
    rows: int | None = None
    """That it counts, of an export that came to its end."""


class Row(NamedTuple):
    """One row of an export that a reader sees."""

    place: Place
    """Of the event that asked for it."""
    number: int
    """By the id of its record."""
    told: int
    """By its data."""
    export_id: str


@dataclass(frozen=True, slots=True)
class Result:
    """One `holdings.result` that a reader sees. `sent_at` is in epoch seconds: when it was handed to Kafka."""

    place: Place
    event_id: str | None
    outcome: str
    code: str | None
    operations: tuple[Operation, ...]
    sent_at: float
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter that a reader sees."""

    place: Place
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Call:
    """One call that reached a system. Times are epoch seconds; `ended_at` is infinite while it runs.

    `life` is the index of the worker's life in which it was made; `events` are those that it is about.
    """

    system: str
    method: str
    began_at: float
    ended_at: float
    applied: bool
    life: int
    events: tuple[int, ...]
    body: Any = None
    """Of a transfer, as it was sent."""
    path: str = ""

    @property
    def writes(self) -> bool:
        return self.method != "GET"


class Blow(StrEnum):
    """What befell a worker."""

    KILLED = "killed"
    SUSPENDED = "suspended"


class Struck(NamedTuple):
    """A blow, from `at` to `until`; a killed worker stays so for ever."""

    blow: Blow
    at: float
    until: float = math.inf


@dataclass(slots=True)
class Life:
    """A worker process from its start to its end, and what befell it."""

    worker: int
    began_at: float
    blows: list[Struck] = field(default_factory=list)


class Outage(NamedTuple):
    """The broker was to stop at `at`, was gone at `gone_at`, and was there again at `until`."""

    at: float
    gone_at: float
    until: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything. `state` is, by entity, what the systems hold at the end; `moved` where things are in SCSB, by
    operation and id, and `moved_from` where they were at the beginning."""

    placed: Sequence[Placed]
    results: Sequence[Result]
    letters: Sequence[Letter]
    calls: Sequence[Call]
    lives: Sequence[Life]
    outages: Sequence[Outage]
    state: Mapping[str, str]
    moved_from: Mapping[tuple[str, str], tuple[str, str]]
    moved_to: Mapping[tuple[str, str], tuple[str, str]]
    rows: Sequence[Row] = ()

    def events(self) -> dict[int, Event]:
        """Published events by index."""
        return {placed.event.index: placed.event for placed in self.placed}
