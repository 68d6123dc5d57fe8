"""How a metric is declared: once, with its kind, help and labels, so that documents can be made from the declarations.

Owns the registry. It must not know what is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeAlias, TypeVar

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from service.telemetry.metrics.counts import Count, CountCollector, Counts
from service.telemetry.metrics.histograms import HistogramCollector, Histograms, Tally

LATENCY_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0)
"""Buckets of everything that takes time."""

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]
Labels: TypeAlias = tuple[str, ...]
Samples: TypeAlias = Iterable[tuple[Labels, float]]

State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a metric is called on `/metrics`, and what it says."""

    name: str
    kind: Kind
    text: str
    labels: Labels = ()


class Gauges(dict[tuple[str | int, ...], Gauge]):
    """A gauge by the values of its labels."""

    def __init__(self, gauge: Gauge) -> None:
        super().__init__()
        self._gauge = gauge

    def __missing__(self, values: tuple[str | int, ...]) -> Gauge:
        child = self[values] = self._gauge.labels(*values)
        return child


class Declarations:
    """A registry, and what was declared in it, in that order."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.declared: list[Declaration] = []

    def counter(self, name: str, text: str) -> Count:
        return self.counters(name, text, ())[()]

    def counters(self, name: str, text: str, labels: Labels) -> Counts:
        """`name` ends in `_total`."""
        self._note(name, "counter", text, labels)
        counts = Counts(name, text, labels)
        self.registry.register(CountCollector(counts))
        return counts

    def gauge(self, name: str, text: str) -> Gauge:
        self._note(name, "gauge", text)
        return Gauge(name, text, registry=self.registry)

    def gauges(self, name: str, text: str, labels: Labels) -> Gauges:
        self._note(name, "gauge", text, labels)
        return Gauges(Gauge(name, text, labels, registry=self.registry))

    def histogram(self, name: str, text: str, buckets: Sequence[float] = LATENCY_SECONDS) -> Tally:
        return self.histograms(name, text, (), buckets)[()]

    def histograms(
        self, name: str, text: str, labels: Labels, buckets: Sequence[float] = LATENCY_SECONDS
    ) -> Histograms:
        self._note(name, "histogram", text, labels)
        histograms = Histograms(name, text, labels, buckets)
        self.registry.register(HistogramCollector(histograms))
        return histograms

    def sampled(self, initial: State) -> Sampled[State]:
        """Gauges that are read off a state when somebody asks for them."""
        sampled = Sampled(initial, self._note)
        self.registry.register(sampled)
        return sampled

    def _note(self, name: str, kind: Kind, text: str, labels: Labels = ()) -> None:
        self.declared.append(Declaration(name, kind, text, labels))


class Sampled(Collector, Generic[State]):
    """Gauges of one state. What is gone from the state is gone from the gauges too."""

    def __init__(self, initial: State, note: Callable[[str, Kind, str, Labels], None]) -> None:
        self.state = initial
        """Immutable, and replaced as a whole: another thread reads it."""
        self._note = note
        self._gauges: list[tuple[str, str, Labels, Callable[[State], Samples]]] = []

    def gauge(self, name: str, text: str, read: Callable[[State], float]) -> None:
        self.gauges(name, text, (), lambda state: [((), read(state))])

    def gauges(self, name: str, text: str, labels: Labels, read: Callable[[State], Samples]) -> None:
        self._note(name, "gauge", text, labels)
        self._gauges.append((name, text, labels, read))

    def collect(self) -> Iterable[GaugeMetricFamily]:
        state = self.state
        for name, text, labels, read in self._gauges:
            family = GaugeMetricFamily(name, text, labels=labels)
            for values, value in read(state):
                family.add_metric(values, value)
            yield family
