"""What a worker tells about itself on `holdings.metrics`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service.domain.published.worker_metrics import (
    CallCount,
    CircuitState,
    DeadLetterCount,
    EventCount,
    PartitionLag,
    QuotaState,
    RetryCount,
    WorkerMetrics,
)
from service.domain.record import Partition
from service.engine.circuit import Reason
from service.engine.state import GateState, PartitionState, WorkerState
from service.telemetry.metrics import Metrics
from service.telemetry.metrics.standing import Standing
from service.telemetry.observing import Telemetry
from service.telemetry.reporter import Reporter
from tests.builders.outcomes import REFUSED, operation, outcome, record
from tests.fakes.processing import plan

START = datetime(2026, 1, 1, tzinfo=UTC)
INTERVAL = timedelta(seconds=15)


class Subject:
    """A reporter by a clock that goes on by an interval at each report."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.telemetry = Telemetry(self.metrics)
        self.now = START
        self.reporter = Reporter(
            "worker-1", "relay", self.metrics, lambda: self.telemetry.open_circuits, lambda: self.now
        )

    def report(self, *, final: bool = False) -> WorkerMetrics:
        self.now += INTERVAL
        return self.reporter.report(final=final)


def gate(system: str, tenant: str | None) -> GateState:
    return GateState(system, tenant, None, 0, 100.0, 0, 240)


def test_a_report_says_whose_it_is_and_of_which_interval() -> None:
    subject = Subject()
    first, second = subject.report(), subject.report(final=True)

    assert (first.worker, first.group, first.started_at) == ("worker-1", "relay", START)
    assert (first.since, first.until, first.final) == (START, START + INTERVAL, False)
    assert (second.since, second.until, second.final) == (first.until, first.until + INTERVAL, True)
    assert (second.started_at, second.events, second.calls, second.lag) == (START, (), (), ())


def test_counts_are_of_the_interval_and_totals_since_the_start() -> None:
    subject = Subject()
    for _ in range(3):
        subject.telemetry.settled(outcome())
    first = subject.report()
    subject.telemetry.settled(outcome())
    subject.telemetry.settled(outcome(operation(REFUSED)))
    subject.telemetry.retrying(record(), plan(), "scsb", 1, 1.0, "HTTP 503")
    second = subject.report()

    assert first.events == (EventCount(type="holdings.changed", outcome="succeeded", count=3, total=3),)
    assert second.events == (
        EventCount(type="holdings.changed", outcome="failed", count=1, total=1),
        EventCount(type="holdings.changed", outcome="succeeded", count=1, total=4),
    )
    assert second.dead_letters == (DeadLetterCount(code="refused", count=1, total=1),)
    assert second.retries == (RetryCount(system="scsb", count=1, total=1),)


def test_calls_have_quantiles_of_the_interval_and_none_without_a_call() -> None:
    subject = Subject()
    for seconds in (0.02, 0.02, 0.02, 4.0):
        subject.telemetry.call_finished("eholdings", "put", 200, seconds)
    subject.telemetry.call_finished("eholdings", "put", None, 30.0)
    (no_answer, first), (_, second) = subject.report().calls, subject.report().calls

    assert (no_answer.status, no_answer.count) == (0, 1)
    assert (first.system, first.operation, first.status, first.count, first.total) == ("eholdings", "put", 200, 4, 4)
    assert first.latency_seconds is not None
    assert 0.01 < first.latency_seconds.p50 <= 0.025
    assert 2.5 < first.latency_seconds.p95 <= first.latency_seconds.p99 <= 5
    assert second == CallCount(system="eholdings", operation="put", status=200, count=0, total=4, latency_seconds=None)


def test_partitions_are_told_with_their_lag() -> None:
    subject = Subject()
    one, two = (PartitionState(Partition("changes", n), 40, 90.0, 3, 300, 17, 0, n == 1) for n in (0, 1))
    subject.metrics.standing.state = Standing(WorkerState((two, one)), {one.partition: 45}, 100.0)

    assert subject.report().lag == (
        PartitionLag(topic="changes", partition=0, lag=5, oldest_unfinished_seconds=10, paused=False),
        PartitionLag(topic="changes", partition=1, lag=None, oldest_unfinished_seconds=10, paused=True),
    )


def test_every_system_that_was_asked_has_its_circuit_and_those_with_a_daily_quota_tell_of_it() -> None:
    subject = Subject()
    gates = (gate("scsb", None), gate("eholdings", "b"), gate("eholdings", "a"))
    subject.metrics.standing.state = Standing(WorkerState(gates=gates))
    subject.telemetry.circuit_opened("eholdings", "b", Reason.QUOTA, "Limit Exceeded")
    report = subject.report()
    since = report.circuits[1].since

    assert since is not None
    assert report.circuits == (
        CircuitState(system="eholdings", tenant="a", state="closed", reason=None, since=None),
        CircuitState(system="eholdings", tenant="b", state="open", reason="quota", since=since),
        CircuitState(system="scsb", tenant=None, state="closed", reason=None, since=None),
    )
    assert report.quotas == (
        QuotaState(system="eholdings", tenant="a", left=None, spent_since=None),
        QuotaState(system="eholdings", tenant="b", left=0, spent_since=since),
    )


@pytest.mark.parametrize("reason", Reason)
def test_a_circuit_may_be_open_for_every_reason(reason: Reason) -> None:
    subject = Subject()
    subject.telemetry.circuit_opened("scsb", None, reason, "no")

    assert [circuit.reason for circuit in subject.report().circuits] == [reason]


def test_a_record_that_was_refused_unread_is_counted_under_no_type() -> None:
    subject = Subject()
    subject.telemetry.settled(replace(outcome(operation(REFUSED)), rejected=True))

    assert [event.type for event in subject.report().events] == ["none"]
