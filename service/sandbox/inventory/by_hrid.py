"""The plan of the upsert by HRID: records are recognised by exactly their HRID, wherever they are stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from service.sandbox.inventory.execution import Execution
from service.sandbox.inventory.planning import plan_records
from service.sandbox.inventory.records import Origin, Planned, PlannedSet, RelationKind
from service.sandbox.inventory.relations import plan_relations
from service.sandbox.inventory.shapes import JsonObject, object_of, objects_of
from service.sandbox.inventory.storage import TenantStorage
from service.sandbox.inventory.stored import existing_set
from service.sandbox.inventory.validation import hrid_error


class UpsertByHrid:
    """Implements `UpsertPlan` for /inventory-upsert-hrid and /inventory-batch-upsert-hrid."""

    def error(self, sent: Sequence[JsonObject], origins: Sequence[Origin]) -> JsonObject | None:
        """Missing or repeated HRIDs."""
        return hrid_error(sent, origins)

    def run(self, storage: TenantStorage, sets: Sequence[PlannedSet]) -> tuple[JsonObject | None, dict[str, Planned]]:
        """All look-ups come before all planning, all planning before all writing."""
        if storage.faults.waiting:
            storage.faults.raise_on_lookup(_looked_up(sets))
        for planned_set in sets:
            row = storage.instances.with_hrid(planned_set.instance.hrid or "")
            if row is not None:
                planned_set.existing = existing_set(storage, row)
        for planned_set in sets:
            plan_records(storage, planned_set)
        provisionals = plan_relations(storage, sets)
        return Execution(storage, sets).upsert(provisionals), provisionals


def _looked_up(sets: Sequence[PlannedSet]) -> Iterator[str]:
    for planned_set in sets:
        for planned in (planned_set.instance, *planned_set.records()):
            yield planned.hrid or ""
        for kind in RelationKind:
            for reference in objects_of(planned_set.sent_relations.get(kind.value)):
                yield str(object_of(reference.get("instanceIdentifier")).get("hrid"))
