"""Histograms that cost next to nothing to add to: some are added to several times for every event.

prometheus_client's own take a lock for each of two values and walk through the buckets. Here one thread adds, that of
the loop, and any may read: what it reads may be one observation apart in count and sum, never torn.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class Tally:
    """One series: how many observations fell into each bucket, and their sum."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        """`bounds` ascend; a bucket takes what is up to its bound, and one more takes the rest."""
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, amount: float) -> None:
        self._counts[bisect_left(self._bounds, amount)] += 1
        self._sum += amount

    def read(self) -> tuple[list[tuple[str, float]], float]:
        """The buckets as Prometheus wants them, each with all below it, and the sum."""
        names = [str(floatToGoString(bound)) for bound in (*self._bounds, math.inf)]  # type: ignore[no-untyped-call]
        return list(zip(names, map(float, accumulate(self._counts.copy())), strict=True)), self._sum


class Histograms(dict[tuple[str | int, ...], Tally]):
    """A metric: its series by the values of its labels, made when they are first asked for."""

    def __init__(self, name: str, text: str, labels: Sequence[str], bounds: Sequence[float]) -> None:
        super().__init__()
        self._name = name
        self._text = text
        self._labels = tuple(labels)
        self._bounds = tuple(bounds)

    def __missing__(self, values: tuple[str | int, ...]) -> Tally:
        tally = self[values] = Tally(self._bounds)
        return tally

    def collect(self) -> Iterable[HistogramMetricFamily]:
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        for values, tally in self.copy().items():
            buckets, total = tally.read()
            family.add_metric([str(value) for value in values], buckets, total)
        yield family


class HistogramCollector(Collector):
    """What a registry is given: it wants something that can be hashed."""

    def __init__(self, histograms: Histograms) -> None:
        self._histograms = histograms

    def collect(self) -> Iterable[HistogramMetricFamily]:
        return self._histograms.collect()
