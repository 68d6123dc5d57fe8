"""How a system may be troubled for a while: each kind as faults of the sandbox, for so many calls. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from service.sandbox.faults import Fault

SYSTEMS: Final = ("eholdings", "inventory", "holdings-sources", "scsb")


class Trouble(StrEnum):
    """What a call meets."""

    ERROR = "500"
    UNAVAILABLE = "503"
    TOO_MANY = "429 with Retry-After"
    REFUSED_CREDENTIALS = "401"
    SLOW = "a slow answer"
    DROPPED = "connection dropped before it is applied"
    LOST = "connection dropped after it is applied"
    MISTOLD = "503 after it is applied"
    UNREADABLE = "an unreadable answer after it is applied"


SLOW_SECONDS: Final = 2.5
"""Of the answer, not of what is carried out: a call that is carried out long after its worker has died cannot be told
from one that somebody else makes. Longer than a session."""

_EFFECTS: Final[Mapping[Trouble, Mapping[str, Any]]] = MappingProxyType(
    {
        Trouble.ERROR: {"status": 500, "body": "Internal Server Error"},
        Trouble.UNAVAILABLE: {"status": 503, "body": "Service Unavailable"},
        Trouble.TOO_MANY: {"status": 429, "headers": (("Retry-After", "1"),)},
        Trouble.REFUSED_CREDENTIALS: {"status": 401, "body": "Unauthorized"},
        Trouble.SLOW: {"stage": "after", "delay_seconds": SLOW_SECONDS},
        Trouble.DROPPED: {"drop": "before"},
        Trouble.LOST: {"drop": "after"},
        Trouble.MISTOLD: {"status": 503, "stage": "after", "body": "Service Unavailable"},
        Trouble.UNREADABLE: {"body": "<html>maintenance</html>", "content_type": "text/html"},
    }
)


def fault_of(system: str, trouble: Trouble, times: int) -> Fault:
    """What the next calls of a system meet."""
    return Fault(system=system, times=times, **_EFFECTS[trouble])
