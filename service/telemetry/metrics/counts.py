"""Counters with labels that cost next to nothing to add to, for some are added to at every call.

prometheus_client's own take a lock, which costs more than the addition. Here one thread adds to a series, nearly always
that of the loop, and any may read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector


class Count:
    """One series."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def inc(self, amount: float = 1) -> None:
        self.value += amount


class Counts(dict[tuple[str | int, ...], Count]):
    """A metric: its series by the values of its labels, made when they are first asked for."""

    def __init__(self, name: str, text: str, labels: Sequence[str]) -> None:
        super().__init__()
        self._name = name
        self._text = text
        self._labels = tuple(labels)

    def __missing__(self, values: tuple[str | int, ...]) -> Count:
        count = self[values] = Count()
        return count

    def collect(self) -> Iterable[CounterMetricFamily]:
        family = CounterMetricFamily(self._name, self._text, labels=self._labels)
        for values, count in self.copy().items():
            family.add_metric([str(value) for value in values], count.value)
        yield family


class CountCollector(Collector):
    """What a registry is given: it wants something that can be hashed."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def collect(self) -> Iterable[CounterMetricFamily]:
        return self._counts.collect()
