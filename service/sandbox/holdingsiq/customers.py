"""A customer of HoldingsIQ: the quota, the exports, and what is planned for those that are yet to be asked for.

Owns the order in which exports are planned and named. It must not know requests.
"""

from __future__ import annotations

import uuid
from collections import deque
from dataclasses import dataclass, field

from service.sandbox.holdingsiq.exports import Export
from service.sandbox.holdingsiq.plans import Plan
from service.sandbox.quota import Quota


@dataclass(slots=True)
class Customer:
    """One customer id. `upcoming` plans are for the next exports, one each; after them every export gets `plan`."""

    id: str
    quota: Quota
    plan: Plan = field(default_factory=Plan)
    upcoming: deque[Plan] = field(default_factory=deque)
    exports: dict[str, Export] = field(default_factory=dict)

    def create(self, export_type: str, export_format: str, now: float) -> Export:
        """A new export, as it was planned."""
        plan = self.upcoming.popleft() if self.upcoming else self.plan
        export = Export(self._new_id(), self.id, export_type, export_format, now, plan)
        self.exports[export.id] = export
        return export

    def newest_first(self) -> list[Export]:
        """Every export; of those made at one moment the later one first."""
        return sorted(self.exports.values(), key=lambda export: export.created)[::-1]

    def _new_id(self) -> str:
        # Two digits short of a UUID, as the id of the published sample is. The same calls make the same ids.
        number = len(self.exports)
        while (name := str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.id}/{number}"))[:-2]) in self.exports:
            number += 1
        return name
