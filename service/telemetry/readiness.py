"""Whether the worker is ready, and why not. Pure; what it is made of is handed in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from service.engine.state import Membership
from service.telemetry.observing.calls import OpenCircuit

CREDENTIALS = "credentials"


@dataclass(frozen=True, slots=True)
class Readiness:
    """What `/readyz` answers."""

    membership: Membership
    open_circuits: tuple[OpenCircuit, ...]

    @property
    def ready(self) -> bool:
        return not self.reasons

    @property
    def reasons(self) -> list[str]:
        """Why it is not ready, for people. A system that fails or whose quota is spent is no reason: events for it
        wait, and the others go on."""
        return [*_of_membership(self.membership), *_of_credentials(self.open_circuits)]

    def to_json(self) -> dict[str, object]:
        return {
            "ready": self.ready,
            "reasons": self.reasons,
            "stopping": self.membership.stopping,
            "partitions": [str(partition) for partition in self.membership.partitions],
            "claiming": [str(partition) for partition in self.membership.claims],
            "openCircuits": [
                {
                    "system": circuit.system,
                    "tenant": circuit.tenant,
                    "reason": circuit.reason,
                    "since": datetime.fromtimestamp(circuit.since, UTC).isoformat(timespec="seconds"),
                }
                for circuit in self.open_circuits
            ],
        }


def _of_membership(membership: Membership) -> list[str]:
    if membership.stopping:
        return ["the worker stops"]
    if membership.rejoining:
        return ["the worker joins its consumer group anew"]
    if not membership.joined:
        return ["the worker is not a member of its consumer group yet"]
    return [f"{partition} is being claimed" for partition in membership.claims]


def _of_credentials(circuits: Iterable[OpenCircuit]) -> list[str]:
    return [
        f"{circuit.system} refuses our credentials" + (f" for {circuit.tenant}" if circuit.tenant else "")
        for circuit in circuits
        if circuit.reason == CREDENTIALS
    ]
