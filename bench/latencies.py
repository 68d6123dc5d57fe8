"""From moments to the latency that a worker adds. Pure.

An event's latency counts from the moment at which it was *meant* to be published, so that a publisher that is held up
hides nothing (coordinated omission), to the moment at which a reader of committed records has its result. What its
calls took is subtracted: a worker has no part in that.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Latencies:
    """In seconds."""

    p50: float
    p99: float
    longest: float


def percentile(ascending: Sequence[float], share: float) -> float:
    """The smallest of the values that so large a share of them does not exceed (nearest rank). Raises ValueError where
    there is none, or for a share that is not above 0 and at most 1."""
    if not ascending or not 0 < share <= 1:
        raise ValueError(f"no percentile {share} of {len(ascending)} values")
    return ascending[math.ceil(share * len(ascending)) - 1]


def added(
    intended: Mapping[int, float], seen: Mapping[int, float], call_seconds: float, left_out: Collection[int] = ()
) -> Latencies:
    """What was added to `call_seconds` of calls, over the events of `intended` but those `left_out`. Raises
    KeyError for an event without a result: it must not be passed over."""
    values = sorted(seen[event] - moment - call_seconds for event, moment in intended.items() if event not in left_out)
    return Latencies(percentile(values, 0.5), percentile(values, 0.99), values[-1])
