"""Several updates of one eholdings resource, laid over each other so that one PUT does for all of them. Pure.

Carried out one after the other, in their order, they leave the resource as the one PUT does, and each has the same
fate. That is why an update stays behind, and those after it with it, when
- it would overwrite a value that only the system can judge: the value might have been refused;
- the title is not in the holdings after it, for then the system drops or refuses what describes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from service.systems.eholdings_overlay import Canonical, Resource, differing, tags_differ

JUDGED_BY_THE_SYSTEM: Final = ("url", "proxyId", "accessTypeId")
"""Attributes whose values may be well formed and yet refused. All others are checked in full before anything is
called."""


@dataclass(frozen=True, slots=True)
class Update:
    """What one event wants of the resource, in canonical form."""

    want: Mapping[str, Canonical]
    tags: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Merged:
    """What the first so many updates want together."""

    want: Mapping[str, Canonical]
    tags: tuple[str, ...] | None
    changes: tuple[bool, ...]
    """Of each update, whether it changes what the one before it leaves."""

    @property
    def count(self) -> int:
        """How many updates there are in it."""
        return len(self.changes)


def merge(resource: Resource, updates: Sequence[Update]) -> Merged:
    """As many of the updates as may leave together, the first in any case."""
    state, want, changes = resource, dict[str, Canonical](), list[bool]()
    tags: tuple[str, ...] | None = None
    for update in updates:
        after = _laid_over(state, update)
        if changes and not (state.is_selected and after.is_selected and _leaves_judged(want, update)):
            break
        changes.append(bool(differing(state, update.want)) or _changes_tags(state, update))
        want |= update.want
        tags = tags if update.tags is None else update.tags
        state = after
    return Merged(want, tags, tuple(changes))


def _laid_over(resource: Resource, update: Update) -> Resource:
    tags = resource.tags if update.tags is None else update.tags
    return resource._replace(attributes={**resource.attributes, **update.want}, tags=tags)


def _leaves_judged(want: Mapping[str, Canonical], update: Update) -> bool:
    """Whether what the system has to judge of the earlier updates reaches it."""
    return all(want[name] == update.want[name] for name in JUDGED_BY_THE_SYSTEM if name in want and name in update.want)


def _changes_tags(resource: Resource, update: Update) -> bool:
    return update.tags is not None and tags_differ(resource, update.tags)
