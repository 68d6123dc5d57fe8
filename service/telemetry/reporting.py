"""When a worker reports on `holdings.metrics`. A report that cannot be stored costs a line in the log, nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from service.domain.published.worker_metrics import WorkerMetrics
from service.engine.ports import StoreUnavailable
from service.telemetry.log_events import METRICS_NOT_PUBLISHED, Log
from service.telemetry.metrics.process import ProcessMetrics
from service.telemetry.reporter import Reporter

Publish: TypeAlias = Callable[[WorkerMetrics], Awaitable[None]]
"""Returns once it is stored. Raises `StoreUnavailable`, within a few seconds."""


class Reporting:
    """One report for each interval, and one at the end."""

    def __init__(self, reporter: Reporter, publish: Publish, interval_seconds: float, metrics: ProcessMetrics) -> None:
        """An interval of 0 means that nothing is ever reported."""
        self._reporter = reporter
        self._publish = publish
        self._interval_seconds = interval_seconds
        self._metrics = metrics
        self._log = Log()
        self._is_failing = False

    async def run(self) -> None:
        """Until cancelled. A slow broker makes an interval longer; none is left out."""
        while self._interval_seconds:
            await asyncio.sleep(self._interval_seconds)
            await self._report(final=False)
        await asyncio.Event().wait()

    async def finish(self) -> None:
        """The last report, once the worker has stopped."""
        if self._interval_seconds:
            await self._report(final=True)

    async def _report(self, *, final: bool) -> None:
        try:
            await self._publish(self._reporter.report(final=final))
        except StoreUnavailable as error:
            self._metrics.reports["failed",].inc()
            if not self._is_failing:
                self._log.say(METRICS_NOT_PUBLISHED, reason=str(error))
            self._is_failing = True
        else:
            self._metrics.reports["stored",].inc()
            self._is_failing = False
