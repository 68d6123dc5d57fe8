"""An observer of calls that keeps what it is told."""

from __future__ import annotations


class RecordingCalls:
    """Implements `systems.http.CallObserver`."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, int | None]] = []
        self.saved: list[tuple[str, str]] = []
        self.batches: list[tuple[str, int]] = []

    def call_finished(self, system: str, operation: str, status: int | None, seconds: float) -> None:
        assert seconds >= 0
        self.told.append((system, operation, status))

    def call_saved(self, system: str, operation: str) -> None:
        self.saved.append((system, operation))

    def batch_sent(self, system: str, records: int) -> None:
        self.batches.append((system, records))
