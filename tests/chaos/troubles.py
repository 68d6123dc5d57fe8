"""How a system may be troubled for a while: each kind as faults of the sandbox, for so many calls. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from service.sandbox.faults import Fault
from service.sandbox.holdingsiq.links import BUCKET

SYSTEMS: Final = ("eholdings", "inventory", "holdings-sources", "scsb", "holdingsiq")


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
    CUT = "a download that is cut off"
    TRICKLING = "a download that comes slowly"
    EXPIRED = "a link that has expired"


OF_DOWNLOADS: Final = frozenset({Trouble.CUT, Trouble.TRICKLING, Trouble.EXPIRED})
"""They befall HoldingsIQ alone, and all others only its API: a store of files has other words for its troubles."""

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
        Trouble.CUT: {"cut_after_bytes": 40_000},
        Trouble.TRICKLING: {"bytes_per_second": 30_000},
        Trouble.EXPIRED: {
            "status": 403,
            "body": "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
            "content_type": "application/xml",
        },
    }
)


def fault_of(system: str, trouble: Trouble, times: int) -> Fault:
    """What the next calls of a system meet."""
    path = None
    if system == "holdingsiq":
        path = BUCKET if trouble in OF_DOWNLOADS else "/exports"
    return Fault(system=system, times=times, path_contains=path, **_EFFECTS[trouble])


def pairs(systems: Sequence[str] = SYSTEMS, troubles: Sequence[Trouble] = tuple(Trouble)) -> list[tuple[str, Trouble]]:
    """Every system with every trouble that may befall it, in an order by which few of them already have every system
    and every trouble."""
    turned = [
        (systems[(turn + place) % len(systems)], trouble)
        for turn in range(len(systems))
        for place, trouble in enumerate(troubles)
        if trouble not in OF_DOWNLOADS
    ]
    rest = [("holdingsiq", trouble) for trouble in troubles if trouble in OF_DOWNLOADS]
    return turned[: len(troubles)] + rest + turned[len(troubles) :]
