"""Makes a `holdings.metrics` of the metrics themselves, so that the two cannot differ. Publishes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias, TypeVar

from service import __version__
from service.domain.published.worker_metrics import (
    CallCount,
    CircuitState,
    DeadLetterCount,
    EventCount,
    PartitionLag,
    Quantiles,
    QuotaState,
    RetryCount,
    WorkerMetrics,
)
from service.telemetry.metrics import Metrics
from service.telemetry.metrics.counts import Counts
from service.telemetry.metrics.histograms import Histograms
from service.telemetry.metrics.standing import Standing
from service.telemetry.observing.calls import OpenCircuit
from service.telemetry.quantiles import Buckets, difference, quantile

WITH_A_DAILY_QUOTA: Final = ("eholdings", "holdingsiq")

Values: TypeAlias = tuple[str, ...]
"""Of labels, in the order of the declaration."""
Counted = TypeVar("Counted")


@dataclass(frozen=True, slots=True)
class _Reading:
    """All that is counted, at one moment."""

    at: datetime
    counts: Mapping[str, Mapping[Values, int]]
    """By the name of the metric."""
    latencies: Mapping[Values, Buckets]


class Reporter:
    """Of one worker. Each report begins where the last one has ended."""

    def __init__(
        self,
        worker: str,
        group: str,
        metrics: Metrics,
        open_circuits: Callable[[], list[OpenCircuit]],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._worker = worker
        self._group = group
        self._metrics = metrics
        self._open_circuits = open_circuits
        self._clock = clock
        self._last = self._read()
        self._started_at = self._last.at

    def report(self, *, final: bool) -> WorkerMetrics:
        """What has happened since the last report."""
        before, self._last = self._last, self._read()
        now, standing = self._last, self._metrics.standing.state
        circuits = tuple(self._circuits(standing))
        return WorkerMetrics(
            worker=self._worker,
            version=__version__,
            group=self._group,
            started_at=self._started_at,
            since=before.at,
            until=now.at,
            final=final,
            events=tuple(
                EventCount.model_validate({"type": event_type, "outcome": outcome, **counts})
                for (event_type, outcome), counts in _between(before, now, "events")
            ),
            calls=tuple(
                CallCount(
                    system=values[0],
                    operation=values[1],
                    status=int(values[2]),
                    latency_seconds=_quantiles(difference(now.latencies[values], before.latencies.get(values))),
                    **counts,
                )
                for values, counts in _between(before, now, "calls")
            ),
            retries=tuple(
                RetryCount(system=system, **counts) for (system,), counts in _between(before, now, "retries")
            ),
            dead_letters=tuple(
                DeadLetterCount(code=code, **counts) for (code,), counts in _between(before, now, "dead_letters")
            ),
            lag=_lag(standing),
            circuits=circuits,
            quotas=tuple(_quota(circuit) for circuit in circuits if circuit.system in WITH_A_DAILY_QUOTA),
        )

    def _read(self) -> _Reading:
        metrics = self._metrics
        counts = {
            "events": _counts(metrics.events.settled),
            "calls": _counts(metrics.calls.calls),
            "retries": _counts(metrics.events.retries),
            "dead_letters": _counts(metrics.events.dead_letters),
        }
        return _Reading(self._clock(), counts, _latencies(metrics.calls.seconds))

    def _circuits(self, standing: Standing) -> Iterator[CircuitState]:
        is_open = {(circuit.system, circuit.tenant): circuit for circuit in self._open_circuits()}
        keys = {(gate.system, gate.tenant) for gate in standing.worker.gates} | is_open.keys()
        for system, tenant in sorted(keys, key=lambda key: (key[0], key[1] or "")):
            circuit = is_open.get((system, tenant))
            yield CircuitState.model_validate(
                {
                    "system": system,
                    "tenant": tenant,
                    "state": "open" if circuit else "closed",
                    "reason": circuit.reason if circuit else None,
                    "since": _time(circuit.since) if circuit else None,
                }
            )


def _quota(circuit: CircuitState) -> QuotaState:
    is_spent = circuit.reason == "quota"
    return QuotaState.model_validate(
        {
            "system": circuit.system,
            "tenant": circuit.tenant,
            "left": 0 if is_spent else None,
            "spent_since": circuit.since if is_spent else None,
        }
    )


def _counts(counters: Counts) -> dict[Values, int]:
    return {
        tuple(sample.labels.values()): round(sample.value) for family in counters.collect() for sample in family.samples
    }


def _latencies(histograms: Histograms) -> dict[Values, Buckets]:
    found: dict[Values, list[tuple[float, float]]] = {}
    for family in histograms.collect():
        for sample in family.samples:
            if sample.name.endswith("_bucket"):
                labels = dict(sample.labels)
                bound = float(labels.pop("le"))
                found.setdefault(tuple(labels.values()), []).append((bound, sample.value))
    return dict(found)


def _between(before: _Reading, now: _Reading, name: str) -> Iterator[tuple[Values, dict[str, Any]]]:
    """By labels: `count` and `total`."""
    earlier = before.counts[name]
    for values, total in sorted(now.counts[name].items()):
        yield values, {"count": total - earlier.get(values, 0), "total": total}


def _quantiles(buckets: Buckets) -> Quantiles | None:
    if not buckets[-1][1]:
        return None
    p50, p95, p99 = (quantile(buckets, share) for share in (0.5, 0.95, 0.99))
    return Quantiles(p50=p50, p95=p95, p99=p99)


def _lag(standing: Standing) -> tuple[PartitionLag, ...]:
    return tuple(
        PartitionLag(
            topic=state.partition.topic,
            partition=state.partition.number,
            lag=standing.lag(state),
            oldest_unfinished_seconds=standing.oldest_seconds(state),
            paused=state.rests,
        )
        for state in sorted(standing.worker.partitions, key=lambda state: state.partition)
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
