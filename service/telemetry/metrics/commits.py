"""What is stored, and what could not be."""

from __future__ import annotations

from typing import Final

from service.engine.ports import CommitFailure
from service.telemetry.metrics.declarations import Declarations

COMMIT_RECORDS: Final = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0)


class CommitMetrics:
    """One commit stores what one input partition has ready."""

    def __init__(self, declare: Declarations) -> None:
        self.commits = declare.counter("relay_commits_total", "Commits stored.")
        self.seconds = declare.histogram("relay_commit_seconds", "Duration of commits that were stored.")
        self.records = declare.histogram(
            "relay_commit_records",
            "Records published by one commit; 0 where it only marked or proved something.",
            COMMIT_RECORDS,
        )
        self.failures = declare.counters(
            "relay_commit_failures_total",
            "Commits that were not stored: `aborted` (tried again), `fenced` (another worker has the partition), "
            "`unknown` (whether it was stored cannot be told), `spoilt` (a broker refused a record; a new producer is "
            "needed), `metadata` (the position does not fit).",
            ("kind",),
        )
        self.marks = declare.counter(
            "relay_marks_total", "Marks stored before calls that must not happen twice, notes of exports included."
        )
        self.export_rows = declare.counter("relay_export_rows_total", "Rows of exports published.")
        self.metadata_damaged = declare.counter(
            "relay_commit_metadata_damaged_total",
            "Committed metadata that could not be read when a partition was taken.",
        )
        for kind in CommitFailure:
            self.failures[kind,].inc(0)
