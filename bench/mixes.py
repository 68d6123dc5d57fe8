"""What a benchmark sends, and to whom: one entry for each mix of events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from service.engine.ports import Outgoing
from service.kafka.topics import CHANGES

BURST = 10
"""Updates of one resource that come right after one another."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A worker to measure: how it is started, with what share of the events (slow ones would take minutes)."""

    name: str
    command: tuple[str, ...]
    settings: Mapping[str, str]
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Mix:
    """`events(count, keys)` of `keys` different resources; ratios are to the contestant of the name `base`."""

    events: Callable[[int, int], list[Outgoing]]
    contestants: tuple[Contestant, ...]
    base: str
    stub_slots: int = 0
    """Calls that the stub serves at a time; 0 is as many as come."""
    milliseconds: float = 5.0
    """That the stub takes for each."""


def removals(count: int, keys: int) -> list[Outgoing]:
    """Each asks for one DELETE; two of one resource are far apart."""
    return [_event(index, f"1-1-{index % keys}", action="remove") for index in range(count)]


def bursts(count: int, keys: int) -> list[Outgoing]:
    """Updates, each of which changes something: one read and one PUT when it is carried out by itself."""
    return [
        _event(
            index,
            f"1-1-{index // BURST % keys}",
            action="update",
            attributes={"coverageStatement": f"as of {index}"},
        )
        for index in range(count)
    ]


def _event(index: int, resource_id: str, **operation: Any) -> Outgoing:
    data = {"eholdings": {"resourceId": resource_id, **operation}}
    event = {"specversion": "1.0", "id": str(index), "source": "/bench", "type": "holdings.changed", "data": data}
    return Outgoing(CHANGES, resource_id.encode(), orjson.dumps(event))


_RELAY = ("service", "run")
_ALONE, _TOGETHER = "relay, each update by itself", "relay, updates together"

_FIXED = "relay, fixed bulkhead"

MIXES: Mapping[str, Mix] = {
    "spread": Mix(
        removals,
        (
            Contestant("plain, one at a time", ("bench.plain_worker", "one-at-a-time"), {}, 0.1),
            Contestant("plain, concurrent per key", ("bench.plain_worker", "concurrent"), {}, 0.5),
            Contestant("relay, at least once", _RELAY, {"RELAY_DELIVERY": "at_least_once"}),
            Contestant("relay, exactly once", _RELAY, {"RELAY_DELIVERY": "exactly_once"}),
        ),
        "plain, concurrent per key",
    ),
    "bursty": Mix(
        bursts,
        (
            Contestant(_ALONE, _RELAY, {"RELAY_LIMITS__UPDATES_TOGETHER": "1"}),
            Contestant(_TOGETHER, _RELAY, {}),
        ),
        _ALONE,
    ),
    "queueing": Mix(
        removals,
        (
            Contestant(_FIXED, _RELAY, {}),
            Contestant("relay, adaptive bulkhead", _RELAY, {"RELAY_LIMITS__ADAPTIVE": "true"}),
        ),
        _FIXED,
        stub_slots=8,
        milliseconds=50.0,
    ),
}
