"""Every metric, declared once. `docs/metrics.md` is checked against this list."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LATENCY_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600)


class Metrics:
    """The worker's metrics in a registry of their own. Labels have few values: never an id, a tenant or a message."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.events = Counter(
            "relay_events", "Events settled, by type and outcome.", ("event_type", "outcome"), registry=self.registry
        )
        self.dead_letters = Counter(
            "relay_dead_letters",
            "Dead letters stored, by the code of the first failure.",
            ("code",),
            registry=self.registry,
        )
        self.event_seconds = Histogram(
            "relay_event_seconds",
            "From the receipt of an event to its stored result.",
            ("event_type",),
            buckets=LATENCY_SECONDS,
            registry=self.registry,
        )
        self.calls = Counter(
            "relay_calls",
            "Calls of the systems; status 0 is no answer.",
            ("system", "operation", "status"),
            registry=self.registry,
        )
        self.call_seconds = Histogram(
            "relay_call_seconds", "Duration of calls.", ("system",), buckets=LATENCY_SECONDS, registry=self.registry
        )
        self.retries = Counter(
            "relay_retries", "Attempts put off for later, by system.", ("system",), registry=self.registry
        )
        self.commits = Counter("relay_commits", "Commits stored.", registry=self.registry)
        self.commit_failures = Counter(
            "relay_commit_failures", "Commits that could not be stored.", registry=self.registry
        )
        self.commit_seconds = Histogram(
            "relay_commit_seconds", "Duration of commits.", buckets=LATENCY_SECONDS, registry=self.registry
        )
        self.circuits_open = Gauge(
            "relay_circuits_open",
            "Tenants for which a system is not asked.",
            ("system", "reason"),
            registry=self.registry,
        )
        self.suspensions = Counter(
            "relay_suspensions", "Times at which the worker found that it had been suspended.", registry=self.registry
        )
        self.stalls = Counter(
            "relay_stalls",
            "Times at which the loop was blocked, or the engine did not move on.",
            registry=self.registry,
        )
        self.held = Counter(
            "relay_outcomes_held",
            "Times at which an outcome could not be stored: its topic refused its records, or is gone.",
            registry=self.registry,
        )
        self.in_work = Gauge(
            "relay_records_in_work", "Records that wait in lanes or are worked on.", registry=self.registry
        )
        self.partitions = Gauge(
            "relay_partitions_owned", "Input partitions that this worker owns.", registry=self.registry
        )
        self.metadata_damaged = Counter(
            "relay_commit_metadata_damaged", "Committed metadata that could not be read.", registry=self.registry
        )
