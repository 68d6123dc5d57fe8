"""What was stored, and what was not."""

from __future__ import annotations

from service.domain.record import Partition
from service.engine.ports import Commit, CommitFailure
from service.telemetry.log_events import COMMIT_FAILED, METADATA_DAMAGED, Log
from service.telemetry.metrics.commits import CommitMetrics


class ObservedCommits:
    """Of all partitions of a worker."""

    def __init__(self, metrics: CommitMetrics, log: Log) -> None:
        self._commit_metrics = metrics
        self._commit_log = log

    def committed(self, partition: Partition, commit: Commit) -> None:
        metrics = self._commit_metrics
        metrics.commits.inc()
        metrics.seconds.observe(commit.seconds)
        metrics.records.observe(commit.records)
        metrics.marks.inc(commit.marks)
        metrics.export_rows.inc(commit.rows)

    def commit_failed(self, partition: Partition, failure: CommitFailure, message: str) -> None:
        self._commit_metrics.failures[failure,].inc()
        self._commit_log.say(
            COMMIT_FAILED, topic=partition.topic, partition=partition.number, kind=failure, reason=message
        )

    def metadata_damaged(self, partition: Partition, message: str) -> None:
        self._commit_metrics.metadata_damaged.inc()
        self._commit_log.say(METADATA_DAMAGED, topic=partition.topic, partition=partition.number, reason=message)
