"""Planning the relations of record sets: which other instance is meant, which one is made up for it, what is new, what
goes.

Decides and writes nothing. All records of a batch must be planned before, so that a relation can point at an instance
that the same batch creates.
"""

from __future__ import annotations

from collections.abc import Sequence

from service.sandbox.inventory.records import Outcome, Planned, PlannedRelation, PlannedSet, RelationKind, Transaction
from service.sandbox.inventory.schemas import Entity
from service.sandbox.inventory.shapes import JsonObject, object_of, objects_of, text_of
from service.sandbox.inventory.storage import TenantStorage
from service.sandbox.storage_text import new_id

Provisionals = dict[str, Planned]
"""Instances that are made up for relations, by the HRID that the relation named."""


def plan_relations(storage: TenantStorage, sets: Sequence[PlannedSet]) -> Provisionals:
    """Decides the relations to create and to delete, and gives back the provisional instances to create before them."""
    created = {
        planned.instance.hrid: planned.instance
        for planned in reversed(sets)
        if planned.instance.transaction is Transaction.CREATE
    }
    provisionals: Provisionals = {}
    for planned_set in sets:
        for kind in RelationKind:
            listed = planned_set.sent_relations.get(kind.value)
            if listed is not None:
                references = objects_of(listed)
                _plan_listed(storage, planned_set, kind, references, created, provisionals)
                _plan_omitted(storage, planned_set, kind, emptied=listed == [])
    return provisionals


def _plan_listed(
    storage: TenantStorage,
    planned_set: PlannedSet,
    kind: RelationKind,
    references: Sequence[JsonObject],
    created: dict[str | None, Planned],
    provisionals: Provisionals,
) -> None:
    links = storage.links[kind.entity]
    own_id = text_of(planned_set.instance.record.get("id"))
    for reference in references:
        identifier = object_of(reference.get("instanceIdentifier"))
        hrid, uuid = text_of(identifier.get("hrid")), text_of(identifier.get("uuid"))
        if "hrid" not in identifier and "uuid" not in identifier:
            continue  # Silently ignored by the module.
        if hrid is not None:
            other_id = _referenced_id(storage, reference, hrid, created, provisionals)
        else:
            row = storage.instances.get(uuid) if uuid is not None else None
            other_id = row.id if row is not None else None
        type_id = text_of(reference.get("instanceRelationshipTypeId"))
        ends = (own_id, other_id) if kind.upwards else (other_id, own_id)
        relation = PlannedRelation(kind.entity, links.record_of(*ends, type_id), kind=kind, reference_hrid=hrid)
        stored = other_id is not None and links.has(links.key_of(relation.record))
        if stored and planned_set.existing is not None:
            relation.outcome = Outcome.SKIPPED
        else:
            relation.transaction = Transaction.CREATE
            if other_id is None:
                relation.outcome = Outcome.FAILED
        planned_set.relations.setdefault(kind, []).append(relation)


def _plan_omitted(storage: TenantStorage, planned_set: PlannedSet, kind: RelationKind, *, emptied: bool) -> None:
    if planned_set.existing is None:
        return
    planned = planned_set.relations.get(kind)
    if planned is None and not emptied:
        return
    links = storage.links[kind.entity]
    kept = {links.key_of(relation.record) for relation in planned or ()}
    for relation in planned_set.existing.relations.get(kind, ()):
        omitted = links.key_of(relation.record) not in kept
        relation.transaction = Transaction.DELETE if omitted else Transaction.NONE


def _referenced_id(
    storage: TenantStorage,
    reference: JsonObject,
    hrid: str,
    created: dict[str | None, Planned],
    provisionals: Provisionals,
) -> str | None:
    row = storage.instances.with_hrid(hrid)
    if row is not None:
        return row.id
    planned = created.get(hrid) or provisionals.get(hrid)
    if planned is None:
        planned = _provisional(reference, hrid)
        provisionals[planned.hrid or hrid] = planned
    return text_of(planned.record.get("id"))


def _provisional(reference: JsonObject, hrid: str) -> Planned:
    record = dict(object_of(reference.get("provisionalInstance")))
    record.setdefault("hrid", hrid)
    planned = Planned(Entity.INSTANCE, record)
    if all(record.get(name) is not None for name in ("title", "source", "instanceTypeId")):
        if "id" not in record:
            record["id"] = new_id()
    else:
        # Sent to storage all the same, whose refusal is then reported.
        planned.outcome = Outcome.FAILED
    return planned
