"""The workers that are measured: how each is started, and what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Contestant:
    """`warm_up` events pass before anything is measured, twice: fewer for one that takes long."""

    name: str
    command: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    warm_up: int = 500


_RELAY: Final = ("service", "run")
AT_LEAST_ONCE: Final = Contestant("relay, at least once", _RELAY, {"RELAY_DELIVERY": "at_least_once"})
EXACTLY_ONCE: Final = Contestant("relay, exactly once", _RELAY, {"RELAY_DELIVERY": "exactly_once"})
PLAIN: Final = Contestant("plain, concurrent per key", ("bench.plain_worker", "concurrent"), warm_up=100)
GO: Final = Contestant("go, exactly once, a batch at a time", ("bench.go_worker",))
ONE_AT_A_TIME: Final = Contestant("plain, one at a time", ("bench.plain_worker", "one-at-a-time"), warm_up=50)


def relay(name: str, **settings: str) -> Contestant:
    """The relay as it is by default, but for these settings."""
    return Contestant(name, _RELAY, settings)
