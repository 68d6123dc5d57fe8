"""DELETE of a record set by HRID: items, holdings records and the instance, as far as nothing protects them.

Owns that endpoint's answers: a protected record is 200 with SKIPPED, every failed look-up is 404.
"""

from __future__ import annotations

from service.sandbox.exchange import Reply, json_reply
from service.sandbox.inventory.execution import Execution
from service.sandbox.inventory.instructions import PO_LINE_REFERENCE, Processing
from service.sandbox.inventory.metrics import Metrics
from service.sandbox.inventory.planning import protect_circulating, protect_matching
from service.sandbox.inventory.records import Outcome, Planned, PlannedSet, Transaction
from service.sandbox.inventory.refusals import LookupFailure
from service.sandbox.inventory.reports import failed_deletion_report, not_deleted_report
from service.sandbox.inventory.shapes import JsonObject, text_of
from service.sandbox.inventory.storage import TenantStorage
from service.sandbox.inventory.stored import existing_set

NOT_FOUND = "Instance to delete not found"
"""The one text of a 404 that means that nothing is left to delete."""


def delete_by_hrid(storage: TenantStorage, request: JsonObject) -> Reply:
    """Answers DELETE /inventory-upsert-hrid."""
    hrid = text_of(request.get("hrid")) or ""
    try:
        if storage.faults.waiting:
            storage.faults.raise_on_lookup((hrid,))
    except LookupFailure as failure:
        return json_reply(404, not_deleted_report(failure.text))
    row = storage.instances.first_asked_for(hrid)
    if row is None:
        return json_reply(404, not_deleted_report(NOT_FOUND))
    existing = existing_set(storage, row)
    existing.instance.transaction = Transaction.DELETE
    _plan(existing, Processing(request.get("processing")), ordered=row.id in storage.ordered_instances)
    report = _delete(storage, existing)
    body: JsonObject = {"metrics": _counted(existing)}
    if report is None:
        return json_reply(200, body)
    body["errors"] = [failed_deletion_report(report)]
    return json_reply(207, body)


def _plan(existing: PlannedSet, rules: Processing, *, ordered: bool) -> None:
    instance = existing.instance
    if ordered:
        _protect(instance, [PO_LINE_REFERENCE], rules)
    for holdings in existing.holdings:
        holdings.transaction = Transaction.DELETE
        protect_matching(holdings, rules)
        _protect(instance, holdings.constraints, rules)
        for item in holdings.dependants:
            item.transaction = Transaction.DELETE
            protect_matching(item, rules)
            protect_circulating(item, rules)
            _protect(holdings, item.constraints, rules)
            _protect(instance, item.constraints, rules)
    for relation in existing.all_relations():
        relation.transaction = Transaction.DELETE
        if instance.outcome is Outcome.SKIPPED:
            relation.outcome = Outcome.SKIPPED


def _protect(planned: Planned, constraints: list[str], rules: Processing) -> None:
    for constraint in constraints:
        rules.protect(planned, constraint)
        planned.outcome = Outcome.SKIPPED


def _delete(storage: TenantStorage, existing: PlannedSet) -> JsonObject | None:
    frame = PlannedSet(existing.instance, [], [], False, {}, None, existing=existing)
    execution = Execution(storage, [frame])
    report = execution.delete_omitted()
    if report is not None:
        return report
    instance = existing.instance
    if instance.outcome is Outcome.SKIPPED and instance.row is not None:
        # A kept instance is written back, which counts its version up, with or without a code.
        storage.mark(instance.entity, instance.row, instance.codes)
        return None
    return execution.delete(instance)


def _counted(existing: PlannedSet) -> JsonObject:
    metrics = Metrics()
    for planned in (existing.instance, *existing.records(), *existing.all_relations()):
        metrics.count(planned.entity, planned.transaction, planned.outcome)
    return metrics.as_json()
