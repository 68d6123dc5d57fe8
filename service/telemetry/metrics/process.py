"""The process itself: its build, its event loop, its memory and processor time."""

from __future__ import annotations

import platform
from typing import Final

from prometheus_client import GCCollector, ProcessCollector

from service import __version__
from service.telemetry.metrics.declarations import Declarations

LOOP_DELAY_SECONDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0)


class ProcessMetrics:
    """The client's own `process_…` and `python_gc_…` are in the registry too, under their usual names."""

    def __init__(self, declare: Declarations) -> None:
        build = declare.gauges("relay_build_info", "Always 1; the labels say what runs.", ("version", "python"))
        build[__version__, platform.python_version()].set(1)
        self.loop_delay_seconds = declare.histogram(
            "relay_loop_delay_seconds",
            "How much later than asked for the event loop woke a task that slept, four times a second.",
            LOOP_DELAY_SECONDS,
        )
        self.stalls = declare.counter(
            "relay_stalls_total", "Times at which the loop was blocked, or the engine did not move on."
        )
        self.reports = declare.counters(
            "relay_metrics_events_total",
            "Events on `holdings.metrics`: `stored`, or `failed` and given up.",
            ("outcome",),
        )
        for outcome in ("stored", "failed"):
            self.reports[outcome,].inc(0)
        ProcessCollector(registry=declare.registry)
        GCCollector(registry=declare.registry)
