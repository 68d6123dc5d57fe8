"""Carrying out a plan in storage, in the module's order, with the module's idea of what a failure stops.

Instances and holdings records are created first and updated next, then items are updated, whether or not the step
before failed. Relations, deletions and new items follow only where nothing they stand on failed. Must not decide
transactions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from service.sandbox.inventory.records import Outcome, Planned, PlannedSet, Transaction
from service.sandbox.inventory.refusals import Refusal
from service.sandbox.inventory.relations import Provisionals
from service.sandbox.inventory.reports import (
    CREATING_PROVISIONALS_FAILED,
    CREATING_RELATIONS_FAILED,
    storage_report,
)
from service.sandbox.inventory.schemas import Entity
from service.sandbox.inventory.shapes import JsonObject
from service.sandbox.inventory.storage import TenantStorage
from service.sandbox.inventory.stored import view


class Execution:
    """One run of the planned sets of one request through storage. Every step gives back its error report, None when it
    went well.

    All steps raise NoAnswer when storage drops a write.
    """

    def __init__(self, storage: TenantStorage, sets: Sequence[PlannedSet]) -> None:
        self._storage = storage
        self._sets = sets

    def upsert(self, provisionals: Provisionals) -> JsonObject | None:
        """All steps of the upsert by HRID; the report is the one that the module answers with."""
        created = self.create_instances_and_holdings()
        updated = self.update_instances_and_holdings()
        items_updated = self.write_items(Transaction.UPDATE)
        if created is not None:
            return created
        related = self._create_relations(provisionals)
        if updated is not None or items_updated is not None:
            return updated or items_updated
        deleted = self.delete_omitted()
        if deleted is not None:
            return deleted
        return self.write_items(Transaction.CREATE) or related

    def create_instances_and_holdings(self) -> JsonObject | None:
        """Creates instances, then holdings records unless an instance failed."""
        instances = [planned.instance for planned in self._sets]
        return self._write(instances, Transaction.CREATE) or self._write(self._every_holdings(), Transaction.CREATE)

    def update_instances_and_holdings(self, others: Sequence[Planned] = ()) -> JsonObject | None:
        """Updates instances (`others` too), then holdings records unless an instance failed."""
        instances = [*(planned.instance for planned in self._sets), *others]
        return self._write(instances, Transaction.UPDATE) or self._write(self._every_holdings(), Transaction.UPDATE)

    def write_items(self, transaction: Transaction) -> JsonObject | None:
        """Creates or updates items, those marked as skipped included."""
        return self._write((item for planned in self._sets for item in planned.items), transaction)

    def delete_omitted(self, others: Sequence[Planned] = ()) -> JsonObject | None:
        """Deletes relations and items, then holdings records unless one of those failed; marks what was protected.

        `others` are stored holdings records with their items, outside the sets' own.
        """
        stored = [planned.existing for planned in self._sets if planned.existing is not None]
        holdings = [*(record for existing in stored for record in existing.holdings), *others]
        items = [*(item for existing in stored for item in existing.items), *(i for h in others for i in h.dependants)]
        failures = [self._delete_relations(existing) for existing in stored]
        failures.extend(self.delete(item) for item in items)
        first = next((report for report in failures if report is not None), None)
        if first is not None:
            return first
        failures = [self.delete(record) for record in holdings]
        return next((report for report in failures if report is not None), None)

    def delete(self, planned: Planned) -> JsonObject | None:
        """Deletes a stored record that is planned to go, or marks it with its codes when it is protected."""
        row = planned.row
        if not planned.deletes or row is None:
            return None
        if planned.outcome is Outcome.SKIPPED:
            if planned.codes:
                self._storage.mark(planned.entity, row, planned.codes)
            return None
        try:
            self._storage.delete(planned.entity, row)
        except Refusal as refusal:
            planned.outcome = Outcome.FAILED
            entity = view(self._storage, planned.entity, row)
            planned.report = storage_report(refusal, planned.entity, entity, planned.origin())
            return planned.report
        planned.outcome = Outcome.COMPLETED
        return None

    def _delete_relations(self, existing: PlannedSet) -> JsonObject | None:
        first: JsonObject | None = None
        for relation in existing.all_relations():
            if relation.deletes and relation.outcome is not Outcome.SKIPPED:
                try:
                    self._storage.delete_link(relation.entity, relation.record)
                except Refusal as refusal:
                    report = _failed(relation, refusal)
                    first = first or report
                else:
                    relation.outcome = Outcome.COMPLETED
        return first

    def _create_relations(self, provisionals: Provisionals) -> JsonObject | None:
        failures = [self._create_provisional(planned) for planned in provisionals.values()]
        first = next((report for report in failures if report is not None), None)
        if first is not None:
            first["shortMessage"] = CREATING_PROVISIONALS_FAILED
            return first
        for planned_set in self._sets:
            for relation in planned_set.all_relations():
                if relation.transaction is Transaction.CREATE:
                    report = self._create_relation(relation)
                    first = first or report
        if first is not None:
            first["shortMessage"] = CREATING_RELATIONS_FAILED
        return first

    def _create_provisional(self, planned: Planned) -> JsonObject | None:
        try:
            self._storage.write(Entity.INSTANCE, [planned.record], "create", batched=False)
        except Refusal as refusal:
            return _failed(planned, refusal)
        planned.outcome = Outcome.COMPLETED
        return None

    def _create_relation(self, relation: Planned) -> JsonObject | None:
        try:
            self._storage.write_link(relation.entity, relation.record)
        except Refusal as refusal:
            return _failed(relation, refusal)
        relation.outcome = Outcome.COMPLETED
        return None

    def _every_holdings(self) -> Iterable[Planned]:
        return (holdings for planned in self._sets for holdings in planned.holdings)

    def _write(self, candidates: Iterable[Planned], transaction: Transaction) -> JsonObject | None:
        records = [planned for planned in candidates if planned.transaction is transaction]
        if not records:
            return None
        entity = records[0].entity
        try:
            self._storage.write(entity, [planned.record for planned in records], transaction.value.lower())
        except Refusal as refusal:
            for planned in records:
                planned.outcome = Outcome.FAILED
                planned.skip_dependants()
            return _failed(records[0], refusal, batch=len(records) > 1)
        for planned in records:
            planned.outcome = Outcome.COMPLETED
        return None


def _failed(planned: Planned, refusal: Refusal, *, batch: bool = False) -> JsonObject:
    planned.outcome = Outcome.FAILED
    planned.report = storage_report(refusal, planned.entity, planned.record, planned.origin(), batch=batch)
    return planned.report
