"""How long a call may take. Values only; who reads the settings passes them in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds per kind of call. `connect_seconds` bounds getting a connection, the others the whole answer after it.

    inventory-update has paths that never answer (an unexpected failure, a write that storage dropped), so none of
    these may be left out. One bad set makes it handle a batch record by record: its time-out grows with the batch.
    """

    connect_seconds: float = 5.0
    eholdings_seconds: float = 30.0
    inventory_seconds: float = 60.0
    inventory_seconds_per_set: float = 0.5
    holdings_sources_seconds: float = 15.0
    scsb_seconds: float = 60.0
    holdingsiq_seconds: float = 30.0
    download_seconds: float = 60.0
    """Between two pieces of a download; the whole may take as long as it takes."""
    login_seconds: float = 15.0

    def of_batch(self, sets: int) -> float:
        """Seconds that a batch of so many record sets may take."""
        return self.inventory_seconds + self.inventory_seconds_per_set * (sets - 1)
