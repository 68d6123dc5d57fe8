"""When a worker reports, and that a report which cannot be stored disturbs nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from service.domain.published.worker_metrics import WorkerMetrics
from service.engine.ports import StoreUnavailable
from service.telemetry.metrics import Metrics
from service.telemetry.reporter import Reporter
from service.telemetry.reporting import Reporting
from tests.fakes.virtual_time import VirtualTimeLoop

INTERVAL_SECONDS = 15.0


def in_virtual_time(test: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(test)


class Subject:
    """A reporting whose topic is there or `gone`."""

    def __init__(self, logged: list[Any], interval_seconds: float = INTERVAL_SECONDS) -> None:
        self.logged = logged
        self.gone = False
        self.told: list[WorkerMetrics] = []
        self.metrics = Metrics()
        reporter = Reporter("worker-1", "relay", self.metrics, list)
        self.reporting = Reporting(reporter, self._publish, interval_seconds, self.metrics.process)

    def count(self, outcome: str) -> float | None:
        return self.metrics.registry.get_sample_value("relay_metrics_events_total", {"outcome": outcome})

    async def run_for(self, seconds: float) -> None:
        running = asyncio.create_task(self.reporting.run())
        await asyncio.sleep(seconds)
        running.cancel()
        await asyncio.wait((running,))
        assert running.cancelled()

    async def run_to_its_end(self, seconds: float) -> None:
        await self.run_for(seconds)
        await self.reporting.finish()

    async def _publish(self, told: WorkerMetrics) -> None:
        if self.gone:
            raise StoreUnavailable("there is no topic")
        self.told.append(told)


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines


def test_one_report_comes_with_each_interval_and_one_at_the_end(logged: list[Any]) -> None:
    subject = Subject(logged)

    in_virtual_time(subject.run_to_its_end(3.5 * INTERVAL_SECONDS))

    assert [told.final for told in subject.told] == [False, False, False, True]
    assert subject.count("stored") == 4


def test_an_interval_of_zero_reports_nothing(logged: list[Any]) -> None:
    subject = Subject(logged, interval_seconds=0)

    in_virtual_time(subject.run_to_its_end(3600))

    assert subject.told == []


def test_a_report_that_cannot_be_stored_is_given_up_counted_and_told_once_until_one_is_stored(
    logged: list[Any],
) -> None:
    subject = Subject(logged)

    subject.gone = True
    in_virtual_time(subject.run_for(3.5 * INTERVAL_SECONDS))
    subject.gone = False
    in_virtual_time(subject.run_for(1.5 * INTERVAL_SECONDS))
    subject.gone = True
    in_virtual_time(subject.reporting.finish())

    assert (subject.count("stored"), subject.count("failed")) == (1, 4)
    assert [line["event"] for line in subject.logged] == ["metrics.not_published"] * 2
    assert subject.logged[0]["reason"] == "there is no topic"
