"""Whether a system is asked at all. Pure: the time is handed in, and so is the randomness.

        closed ──stumbles of many records, or a denial──▶ open ──its time has come──▶ probing ──┐
          ▲                                                ▲                            │      │
          └──────────── the probe was answered ────────────┼────────────────────────────┘      │
                                                           └──── the probe failed too ─────────┘

While it is open nobody asks, and nobody spends an attempt by waiting. One real record probes; the others go on waiting.
Records take turns at probing, so that a long outage does not use up the attempts of one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from service.domain.answers import Denial
from service.engine.retry import Uniform


class Reason(StrEnum):
    """Why a circuit is open."""

    FAILING = "failing"
    QUOTA = "quota"
    CREDENTIALS = "credentials"


@dataclass(frozen=True, slots=True)
class CircuitPolicy:
    """When a circuit opens, and how long it waits between probes."""

    failing_records: int = 10
    """So many different records must have stumbled, and none been answered, before a system counts as failing."""
    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 60.0
    quota_pause_seconds: float = 120.0
    """A daily quota does not come back in seconds, and a probe costs part of it."""


class Circuit:
    """One system, as one tenant sees it."""

    def __init__(self, policy: CircuitPolicy, uniform: Uniform) -> None:
        self._policy = policy
        self._uniform = uniform
        self._stumbled: set[object] = set()
        self._pauses = 0
        self.probing = False
        """Whether a probe is out."""
        self.reason: Reason | None = None
        """None while the circuit is closed."""
        self.probe_at = 0.0
        """When the next probe is due; without meaning while the circuit is closed."""

    def admit(self, now: float) -> bool:
        """Whether a call may go out now. While the circuit is open, the one who is told so is the probe."""
        if self.reason is None:
            return True
        if self.probing or now < self.probe_at:
            return False
        self.probing = True
        return True

    def answered(self) -> bool:
        """The system gave a final answer, be it a refusal. Whether that has closed the circuit."""
        was_open = self.reason is not None
        self._stumbled.clear()
        self._pauses = 0
        self.probing = False
        self.reason = None
        return was_open

    def stumbled(self, record: object, now: float, retry_after_seconds: float | None) -> bool:
        """A record's call came to nothing. Whether that has opened the circuit."""
        if self.reason is not None:
            self._postpone(now, self._pause(retry_after_seconds))
            return False
        self._stumbled.add(record)
        if len(self._stumbled) < self._policy.failing_records:
            return False
        self.reason = Reason.FAILING
        self._postpone(now, self._pause(retry_after_seconds))
        return True

    def denied(self, denial: Denial, now: float, retry_after_seconds: float | None) -> bool:
        """The system takes nothing from us for now. Whether that has opened the circuit, or given it another reason."""
        opened = self.reason != Reason(denial)
        self.reason = Reason(denial)
        pause = self._pause(retry_after_seconds)
        if self.reason is Reason.QUOTA and retry_after_seconds is None:
            pause = max(pause, self._policy.quota_pause_seconds)
        self._postpone(now, pause)
        return opened

    def abandoned(self) -> None:
        """The call was given up without an answer: if it was the probe, another takes its turn."""
        self.probing = False

    def _pause(self, retry_after_seconds: float | None) -> float:
        ceiling = min(self._policy.longest_pause_seconds, self._policy.first_pause_seconds * 2 ** min(self._pauses, 16))
        self._pauses += 1
        return max(self._uniform(ceiling / 2, ceiling), retry_after_seconds or 0.0)

    def _postpone(self, now: float, pause_seconds: float) -> None:
        self.probing = False
        self.probe_at = max(self.probe_at, now + pause_seconds)
