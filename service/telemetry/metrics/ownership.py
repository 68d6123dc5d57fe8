"""Partitions that come and go, and Kafka that is away."""

from __future__ import annotations

from service.telemetry.metrics.declarations import Declarations


class OwnershipMetrics:
    """Of one member of the consumer group."""

    def __init__(self, declare: Declarations) -> None:
        self.taken = declare.counter("relay_partitions_taken_total", "Input partitions claimed.")
        self.lost = declare.counter(
            "relay_partitions_lost_total",
            "Input partitions lost, or not to be claimed: the worker joins its group anew.",
        )
        self.kafka_failures = declare.counter("relay_kafka_failures_total", "Times at which Kafka could not be had.")
        self.silences = declare.counter(
            "relay_silences_total", "Times at which the group was not heard of for so long that calls had to wait."
        )
        self.suspensions = declare.counter(
            "relay_suspensions_total", "Times at which the worker found that it had been suspended."
        )
