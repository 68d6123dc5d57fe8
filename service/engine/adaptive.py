"""How many calls one system is given at a time, found out from how long it takes. Pure: the time is handed in.

A system that is asked for more than it can do at once puts the rest into a queue of its own: each call takes longer,
and no more are done. So what calls take now is held against what they took at their best lately. As long as that is not
much more, the limit grows; when it is, or when calls stumble, the limit shrinks in proportion. The square root by which
it grows is let into the system's queue, so that a system that has become faster shows it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass
from statistics import median

SHORTEST_SECONDS = 0.001
"""What is below differs by nothing but our own clock."""


@dataclass(frozen=True, slots=True)
class AdaptivePolicy:
    """When and by how much the limit moves."""

    tolerance: float = 2.0
    """Calls that take so many times their best are well; beyond, the limit shrinks in proportion."""
    most_shrinking: float = 0.5
    """At the most to so much of what it was, in one window."""
    stumbling_share: float = 0.1
    """Of the calls of a window: when more than so many stumble, the limit shrinks."""
    stumbling_factor: float = 0.75
    """To so much of what it was."""
    window_seconds: float = 0.5
    window_calls: int = 10
    """A window ends when both are over."""
    probe_seconds: float = 300.0
    """So often the limit falls to the least for a moment, to find out anew what calls take at their best: the system
    may have become another for good, and where it is never idle its queue would be taken for a part of it."""
    least: int = 4


class AdaptiveLimit:
    """Of one system, as one tenant sees it. `limit` begins with the least of the policy, and is never over `most`.

    starting ──first sign of a queue──▶ following ──time for a probe──▶ draining ──a window──▶ measuring ──a window──┐
     (doubles)                              ▲                       (both with the least)                            │
                                            └────────────────────────────────────────────────────────────────────────┘
    """

    def __init__(self, policy: AdaptivePolicy, most: int, now: float) -> None:
        self._policy = policy
        self._most = most
        self._least = min(policy.least, most)
        self._exact = float(self._least)
        self._starting = True
        self._draining = False
        self._before_probe: float | None = None
        """The limit to go back to, while a probe drains or measures."""
        self._probe_at = now + policy.probe_seconds
        self._best: dict[Hashable, float] = {}
        self._begin_window(now)

    @property
    def limit(self) -> int:
        """Calls that may be under way now."""
        return int(self._exact)

    def answered(self, kind: Hashable, seconds: float, in_flight: int, now: float) -> None:
        """A call was answered. Calls of one `kind` are alike in what they cost the system; `in_flight` were under way,
        this one among them."""
        self._taken[kind].append(seconds)
        self._count(in_flight, now)

    def stumbled(self, in_flight: int, now: float) -> None:
        """A call came to nothing."""
        self._stumbles += 1
        self._count(in_flight, now)

    def _begin_window(self, now: float) -> None:
        self._began_at = now
        self._taken: defaultdict[Hashable, list[float]] = defaultdict(list)
        self._calls = self._stumbles = self._peak = 0

    def _count(self, in_flight: int, now: float) -> None:
        self._calls += 1
        self._peak = max(self._peak, in_flight)
        if self._calls >= self._policy.window_calls and now - self._began_at >= self._policy.window_seconds:
            self._end_window(now)
            self._begin_window(now)

    def _end_window(self, now: float) -> None:
        if self._draining:
            self._draining = False
        elif self._before_probe is not None:
            self._best |= self._typical()
            self._exact, self._before_probe = self._before_probe, None
            self._probe_at = now + self._policy.probe_seconds
        elif now >= self._probe_at:
            self._exact, self._before_probe, self._draining = float(self._least), self._exact, True
        else:
            self._exact = max(float(self._least), min(float(self._most), self._next()))

    def _next(self) -> float:
        share = self._policy.tolerance / self._slowness()
        if self._stumbles > self._calls * self._policy.stumbling_share:
            self._starting = False
            return self._exact * min(share, self._policy.stumbling_factor)
        if share < 1:
            self._starting = False
            return self._exact * max(share, self._policy.most_shrinking) + math.sqrt(self._exact)
        if self._peak * 2 < self.limit:  # who does not use what it has learns nothing about more of it
            return self._exact
        return self._exact * 2 if self._starting else self._exact + math.sqrt(self._exact)

    def _slowness(self) -> float:
        """How many times their best calls have taken, over all kinds; 1 where there is nothing to compare."""
        weighed = 0.0
        for kind, seconds in self._typical().items():
            self._best[kind] = best = min(seconds, self._best.get(kind, seconds))
            weighed += len(self._taken[kind]) * seconds / best
        answered = self._calls - self._stumbles
        return weighed / answered if answered else 1.0

    def _typical(self) -> dict[Hashable, float]:
        """What a call of each kind took in this window."""
        return {kind: max(median(seconds), SHORTEST_SECONDS) for kind, seconds in self._taken.items()}
