"""The events of a workload: what is sent, what it should come to, and what it leaves behind. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from service.engine.ports import Outgoing

INDEX_HEADER = "chaos-index"
"""Tells every record in, even one that cannot be read, from all others."""


class Fate(StrEnum):
    """What an event should come to."""

    DONE = "done"
    REFUSED = "refused by its system"
    PARTIAL = "done in part"
    REJECTED = "rejected before any call"


class Move(NamedTuple):
    """One entry of a transfer. Places are bib and holdings; of a holdings record the second half is its own id."""

    operation: str
    """`transfer-item` or `transfer-holdings`, as in a result."""
    moved: str
    source: tuple[str, str]
    destination: tuple[str, str]
    refused: bool = False

    @property
    def target(self) -> str:
        """What a result calls it."""
        return "/".join((*self.source, self.moved) if self.operation == "transfer-item" else self.source)


@dataclass(frozen=True, slots=True)
class Event:
    """One record in.

    `entities` are those whose order it keeps, each with the number of the event among the entity's events, from 1.
    `leaves` is what it should leave behind, by entity; empty where it is refused.
    """

    index: int
    id: str | None
    """As a result names it; None for a record that cannot be read."""
    outgoing: Outgoing
    fate: Fate
    code: str | None = None
    """Of the result, where it is not done."""
    entities: Mapping[str, int] = field(default_factory=dict)
    leaves: Mapping[str, str] = field(default_factory=dict)
    moves: tuple[Move, ...] = ()
    rows: int | None = None
    """Of the export that it asks for; None where it asks for none."""
    again: bool = False
    """Whether it repeats the one before, so that nothing is left to do."""

    def numbered(self) -> Event:
        """The same event with its index in a header."""
        header = (INDEX_HEADER, str(self.index).encode())
        return replace(self, outgoing=self.outgoing._replace(headers=(*self.outgoing.headers, header)))


def traceparent_of(index: int) -> str:
    """By which a call tells for which event it is made."""
    return f"00-{index + 1:032x}-{index + 1:016x}-01"


def index_in(traceparent: str | None) -> int | None:
    """The index of the event that a call carries on; None when it carries none."""
    return int(traceparent.split("-")[1], 16) - 1 if traceparent else None
