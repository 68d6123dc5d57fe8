"""Turns what the engine and the systems report into metrics and log lines, by concern. Decides nothing."""

from __future__ import annotations

from service.telemetry.log_events import Log
from service.telemetry.metrics import Metrics
from service.telemetry.observing.calls import ObservedCalls
from service.telemetry.observing.commits import ObservedCommits
from service.telemetry.observing.events import ObservedEvents
from service.telemetry.observing.ownership import ObservedOwnership

__all__ = ["Telemetry"]


class Telemetry(ObservedEvents, ObservedCalls, ObservedCommits, ObservedOwnership):
    """Implements `engine.ports.Observer`, and the observers of calls, of metadata and of stalls."""

    def __init__(self, metrics: Metrics) -> None:
        log = Log()
        ObservedEvents.__init__(self, metrics.events, log)
        ObservedCalls.__init__(self, metrics.calls, log)
        ObservedCommits.__init__(self, metrics.commits, log)
        ObservedOwnership.__init__(self, metrics.ownership, metrics.process, log)
