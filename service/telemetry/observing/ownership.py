"""Partitions that come and go, Kafka that is away, and a worker that sleeps or stands still."""

from __future__ import annotations

from service.domain.record import Partition
from service.engine.offsets import Position
from service.telemetry.log_events import (
    KAFKA_UNAVAILABLE,
    PARTITION_LOST,
    PARTITION_RELEASED,
    PARTITION_TAKEN,
    WORKER_IN_TOUCH,
    WORKER_OUT_OF_TOUCH,
    WORKER_STALLED,
    WORKER_SUSPENDED,
    Log,
)
from service.telemetry.metrics.ownership import OwnershipMetrics
from service.telemetry.metrics.process import ProcessMetrics


class ObservedOwnership:
    """Of one member of the consumer group."""

    def __init__(self, metrics: OwnershipMetrics, process: ProcessMetrics, log: Log) -> None:
        self._ownership_metrics = metrics
        self._process_metrics = process
        self._ownership_log = log

    def partition_taken(self, partition: Partition, position: Position) -> None:
        self._ownership_metrics.taken.inc()
        self._ownership_log.say(
            PARTITION_TAKEN,
            topic=partition.topic,
            partition=partition.number,
            offset=position.frontier,
            finished_beyond=sum(end - start for start, end in position.completed),
        )

    def partition_released(self, partition: Partition, reason: str) -> None:
        self._ownership_log.say(PARTITION_RELEASED, topic=partition.topic, partition=partition.number, reason=reason)

    def partition_lost(self, partition: Partition, message: str) -> None:
        self._ownership_metrics.lost.inc()
        self._ownership_log.say(PARTITION_LOST, topic=partition.topic, partition=partition.number, reason=message)

    def source_failed(self, message: str) -> None:
        self._ownership_metrics.kafka_failures.inc()
        self._ownership_log.say(KAFKA_UNAVAILABLE, reason=message)

    def suspended(self, seconds: float) -> None:
        self._ownership_metrics.suspensions.inc()
        self._ownership_log.say(WORKER_SUSPENDED, seconds=round(seconds, 3))

    def out_of_touch(self, seconds: float) -> None:
        self._ownership_metrics.silences.inc()
        self._ownership_log.say(WORKER_OUT_OF_TOUCH, seconds=round(seconds, 3))

    def in_touch_again(self) -> None:
        self._ownership_log.say(WORKER_IN_TOUCH)

    def stalled(self, trouble: str, stacks: list[str]) -> None:
        """The worker is not alive. Called from the watchdog's thread, once for each stall."""
        self._process_metrics.stalls.inc()
        self._ownership_log.say(WORKER_STALLED, trouble=trouble, stacks=stacks)
