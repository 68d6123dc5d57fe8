"""Collects what may go out together, while slots are taken. Pure: it decides what leaves next, and sends nothing.

Owns the order of what waits. An item waits only while every slot is taken, so a quiet stream pays no delay and a busy
one leaves in full batches.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """What one batch may hold, and how many may be under way."""

    items: int = 100
    size_bytes: int = 8 << 20
    slots: int = 8


@dataclass(frozen=True, slots=True)
class Waiting(Generic[T]):
    """An item that waits. Items of one key never share a batch, and leave one after the other in the order of arrival.
    `alone` keeps it from sharing a batch with anything."""

    item: T
    key: Hashable
    size_bytes: int
    alone: bool = False


class Collector(Generic[T]):
    """What waits and what is under way. Every batch that `take` gave must be given back to `finish`."""

    def __init__(self, limits: BatchLimits) -> None:
        self._limits = limits
        self._waiting: OrderedDict[int, Waiting[T]] = OrderedDict()
        self._number = 0
        self._keys_under_way: set[Hashable] = set()
        self._batches_under_way = 0

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def add(self, waiting: Waiting[T]) -> int:
        """Puts an item at the end; returns its ticket for `withdraw`."""
        self._number += 1
        self._waiting[self._number] = waiting
        return self._number

    def withdraw(self, ticket: int) -> bool:
        """Takes an item out again; False when it has left already."""
        return self._waiting.pop(ticket, None) is not None

    def take(self) -> tuple[Waiting[T], ...]:
        """The next batch, whose slot it takes; empty when no slot is free or nothing may leave.

        The oldest item that may leave opens the batch; later ones join while they fit.
        """
        if self._batches_under_way >= self._limits.slots:
            return ()
        tickets = self._choose()
        if not tickets:
            return ()
        batch = tuple(self._waiting.pop(ticket) for ticket in tickets)
        self._keys_under_way.update(waiting.key for waiting in batch)
        self._batches_under_way += 1
        return batch

    def finish(self, batch: tuple[Waiting[T], ...]) -> None:
        """Frees the slot and the keys of a batch."""
        self._batches_under_way -= 1
        self._keys_under_way.difference_update(waiting.key for waiting in batch)

    def _choose(self) -> list[int]:
        tickets: list[int] = []
        size_bytes = 0
        passed = set(self._keys_under_way)
        for ticket, waiting in self._waiting.items():
            fits = not tickets or (not waiting.alone and size_bytes + waiting.size_bytes <= self._limits.size_bytes)
            if waiting.key not in passed and fits:
                tickets.append(ticket)
                size_bytes += waiting.size_bytes
                if waiting.alone or len(tickets) >= self._limits.items:
                    break
            passed.add(waiting.key)
        return tickets
