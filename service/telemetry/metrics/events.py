"""What becomes of events, and where their time goes."""

from __future__ import annotations

from typing import Final

from service.telemetry.metrics.declarations import Declarations

END_TO_END_SECONDS: Final = (
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 14400.0, 86400.0,
)  # fmt: skip
"""An event may have waited in Kafka for long."""


class EventMetrics:
    """`event_type` is `none` for records that could not be read or were refused before anything was called."""

    def __init__(self, declare: Declarations) -> None:
        self.received = declare.counter("relay_records_received_total", "Records received and not seen before.")
        self.settled = declare.counters(
            "relay_events_total", "Events settled, by type and outcome.", ("event_type", "outcome")
        )
        self.dead_letters = declare.counters(
            "relay_dead_letters_total", "Dead letters stored, by the code of the first failure.", ("code",)
        )
        self.end_to_end_seconds = declare.histograms(
            "relay_event_end_to_end_seconds",
            "From the timestamp of the record in Kafka to the stored result.",
            ("event_type",),
            END_TO_END_SECONDS,
        )
        self.handling_seconds = declare.histograms(
            "relay_event_handling_seconds", "From the receipt of an event to its stored result.", ("event_type",)
        )
        self.phase_seconds = declare.histograms(
            "relay_event_phase_seconds",
            "Where the time of one event went: `lane` (behind earlier events of the same entities), `gate` (for a "
            "slot, for an open circuit, or for its turn to repeat), `call`, `pause` (until the next attempt, or the "
            "next look at an export), `commit` (from the outcome to the stored result).",
            ("event_type", "phase"),
        )
        self.retries = declare.counters(
            "relay_retries_total", "Attempts that came to nothing and are repeated, by system.", ("system",)
        )
        self.dropped = declare.counter(
            "relay_records_dropped_total",
            "Records given up without an outcome: the next owner of their partition does them.",
        )
        self.holds = declare.counter(
            "relay_outcome_holds_total",
            "Times at which an outcome could not be stored: its topic refused its records, or is gone.",
        )
        self.defects = declare.counter(
            "relay_call_defects_total", "Attempts in which the relay itself failed: a defect; the log has the place."
        )

    def settled_by_outcome(self) -> dict[str, int]:
        """Events settled since the start, for each outcome that there was. May be asked from another thread."""
        counted: dict[str, int] = {}
        for family in self.settled.collect():
            for sample in family.samples:
                outcome = sample.labels["outcome"]
                counted[outcome] = counted.get(outcome, 0) + round(sample.value)
        return counted
