"""Every metric, declared once, by concern. `docs/metrics.md` is made from these declarations.

Labels have few values: never an id, an entity, a tenant or a message.
"""

from __future__ import annotations

from service.telemetry.metrics.calls import CallMetrics
from service.telemetry.metrics.commits import CommitMetrics
from service.telemetry.metrics.declarations import Declarations
from service.telemetry.metrics.events import EventMetrics
from service.telemetry.metrics.ownership import OwnershipMetrics
from service.telemetry.metrics.process import ProcessMetrics
from service.telemetry.metrics.standing import Standing, declare_standing

__all__ = ["Metrics"]


class Metrics:
    """The worker's metrics, in a registry of their own."""

    def __init__(self) -> None:
        declare = Declarations()
        self.registry = declare.registry
        self.declared = declare.declared
        self.events = EventMetrics(declare)
        self.calls = CallMetrics(declare)
        self.commits = CommitMetrics(declare)
        self.ownership = OwnershipMetrics(declare)
        self.standing = declare.sampled(Standing())
        declare_standing(self.standing)
        self.process = ProcessMetrics(declare)
