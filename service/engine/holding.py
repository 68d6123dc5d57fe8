"""Outcomes that cannot be stored for now, and those that must not be stored before them. Pure.

What comes behind a held outcome and touches the same entity is held with it. Stored before, it would count as finished,
and whoever goes on after a crash would repeat the calls of the held one after its own: an old state over a newer one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from service.domain.operations import EntityKey, Plan
from service.domain.outcomes import Outcome


class Ended(NamedTuple):
    """A record that has come to its outcome. `plan` is None when nothing was called for it."""

    outcome: Outcome
    plan: Plan | None


class Holding:
    """What is held of one partition, in the order in which it came."""

    def __init__(self) -> None:
        self._held: list[Ended] = []
        self._writes: set[EntityKey] = set()
        self._reads: set[EntityKey] = set()

    def __len__(self) -> int:
        return len(self._held)

    @property
    def outcomes(self) -> Sequence[Outcome]:
        return [ended.outcome for ended in self._held]

    def holds_back(self, plan: Plan | None) -> bool:
        """Whether an outcome of this plan has to wait behind what is held. Readers of an entity do not wait for each
        other."""
        if plan is None or not self._held:
            return False
        return not (
            self._writes.isdisjoint(plan.writes)
            and self._writes.isdisjoint(plan.reads)
            and self._reads.isdisjoint(plan.writes)
        )

    def hold(self, ended: Ended) -> None:
        """At the end."""
        self._held.append(ended)
        if ended.plan is not None:
            self._writes |= ended.plan.writes
            self._reads |= ended.plan.reads

    def release(self) -> Sequence[Ended]:
        """Everything, in order; nothing is held any more."""
        held, self._held = self._held, []
        self._writes.clear()
        self._reads.clear()
        return held
