"""Calls of the systems, and the circuits in front of them."""

from __future__ import annotations

from typing import Final

from service.telemetry.metrics.declarations import Declarations

SYSTEMS: Final = ("eholdings", "inventory", "holdings-sources", "scsb", "holdingsiq")
REASONS: Final = ("failing", "quota", "credentials")
BATCH_RECORDS: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)


class CallMetrics:
    """`system` is also `login` for logins at FOLIO. `status` is that of HTTP; 0 is no answer."""

    def __init__(self, declare: Declarations) -> None:
        self.calls = declare.counters(
            "relay_calls_total",
            "Calls of the systems, by status; 0 is no answer, and a status that HTTP does not know counts as the round "
            "one below it.",
            ("system", "operation", "status"),
        )
        self.seconds = declare.histograms("relay_call_seconds", "Duration of calls.", ("system", "operation", "status"))
        self.saved = declare.counters(
            "relay_calls_saved_total",
            "Calls that were not made: what they would have written was there already, or another call did for them.",
            ("system", "operation"),
        )
        self.batch_records = declare.histograms(
            "relay_batch_records",
            "Record sets, or updates of one resource, that left in one call.",
            ("system",),
            BATCH_RECORDS,
        )
        self.circuits_open = declare.gauges(
            "relay_circuits_open", "Tenants for which a system is not asked.", ("system", "reason")
        )
        self.circuit_openings = declare.counters(
            "relay_circuit_openings_total",
            "Times at which a circuit opened, or changed its reason.",
            ("system", "reason"),
        )
        for system in SYSTEMS:
            for reason in REASONS:
                self.circuits_open[system, reason].set(0)
                self.circuit_openings[system, reason].inc(0)
