"""Stretches of numbers that grow together as numbers are added. Pure; knows nothing of offsets' meaning."""

from __future__ import annotations

from typing import TypeAlias

Run: TypeAlias = tuple[int, int]
"""From the first (inclusive) to the second (exclusive)."""


class Runs:
    """No two of them touch. To add one costs the same however many there are."""

    def __init__(self) -> None:
        self._ends: dict[int, int] = {}
        """By their starts."""
        self._starts: dict[int, int] = {}
        """By their ends."""

    def add(self, start: int, end: int) -> None:
        """Of these numbers none was added before."""
        start = self._starts.pop(start, start)
        end = self._ends.pop(end, end)
        self._ends[start] = end
        self._starts[end] = start

    def beyond(self, number: int) -> list[Run]:
        """Those that begin behind `number`, ascending."""
        return sorted([run for run in self._ends.items() if run[0] > number])
