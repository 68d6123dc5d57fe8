"""From record sets sent and stored to what is to happen to each record: the omission rules of the upsert by HRID.

Decides and writes nothing. A listed record is created, updated or moved here; a stored one that is not listed is
deleted unless instructions or circulation protect it; relations are planned in `relations`.
"""

from __future__ import annotations

from service.sandbox.inventory.instructions import CIRCULATING, ITEM_STATUS, PATTERN_MATCHES, Processing
from service.sandbox.inventory.records import Outcome, Planned, PlannedSet, Transaction
from service.sandbox.inventory.refusals import NoAnswer
from service.sandbox.inventory.schemas import Entity
from service.sandbox.inventory.shapes import JsonObject, object_of, text_of
from service.sandbox.inventory.storage import TenantStorage
from service.sandbox.inventory.stored import view
from service.sandbox.storage_text import new_id

_NOT_IN_PUT = ("permanentLocation", "illPolicy", "holdingsItems", "bareHoldingsItems", "holdingsInstance")


def plan_records(storage: TenantStorage, planned_set: PlannedSet) -> None:
    """Decides the transactions of a set's instance, holdings records and items, and gives ids to those to be created.

    Raises NoAnswer where the module fails in the middle of planning.
    """
    rules = Processing(planned_set.processing)
    existing = planned_set.existing
    if existing is None:
        _plan_creation(planned_set.instance)
    else:
        _plan_update(storage, planned_set.instance, existing.instance, rules)
        if not planned_set.keeps_holdings:
            _plan_listed_and_omitted(storage, planned_set, existing, rules)
    for planned in planned_set.records():
        if planned.transaction is Transaction.UNKNOWN:
            elsewhere = storage.tables[planned.entity].with_hrid(planned.hrid or "")
            if elsewhere is None:
                _plan_creation(planned)
            else:
                _plan_update(storage, planned, Planned(planned.entity, elsewhere.record, row=elsewhere), rules)


def protect_circulating(item: Planned, rules: Processing) -> bool:
    """Keeps a stored item whose status says that it is in circulation; whether it was."""
    status = object_of(item.record.get("status")).get("name")
    if status in CIRCULATING:
        rules.protect(item, ITEM_STATUS)
        item.outcome = Outcome.SKIPPED
        return True
    return False


def protect_matching(planned: Planned, rules: Processing) -> bool:
    """Keeps a stored record that matches the pattern of its instructions; whether it did."""
    if rules.of(planned.entity).protects(planned.record):
        rules.protect(planned, PATTERN_MATCHES[planned.entity])
        planned.outcome = Outcome.SKIPPED
        return True
    return False


def _plan_listed_and_omitted(
    storage: TenantStorage, planned_set: PlannedSet, existing: PlannedSet, rules: Processing
) -> None:
    listed_holdings: dict[str, Planned] = {}
    for holdings in planned_set.holdings:
        listed_holdings.setdefault(holdings.hrid or "", holdings)
    listed_items: dict[str | None, Planned] = {item.hrid: item for item in planned_set.items if item.hrid}
    for stored_holdings in existing.holdings:
        listed = listed_holdings.get(stored_holdings.hrid or "")
        if listed is None:
            stored_holdings.transaction = Transaction.DELETE
            protect_matching(stored_holdings, rules)
        else:
            _plan_update(storage, listed, stored_holdings, rules)
        for stored_item in stored_holdings.dependants:
            item = listed_items.get(stored_item.hrid)
            if item is None:
                _plan_omitted_item(stored_item, stored_holdings, rules)
            else:
                # Possibly listed under another holdings record: then the item moves.
                _plan_update(storage, item, stored_item, rules)


def _plan_omitted_item(item: Planned, holdings: Planned, rules: Processing) -> None:
    item.transaction = Transaction.DELETE
    protections = [protect_matching(item, rules), protect_circulating(item, rules)]
    if any(protections):
        for constraint in item.constraints:
            rules.protect(holdings, constraint)
        holdings.outcome = Outcome.SKIPPED


def _plan_creation(planned: Planned) -> None:
    planned.transaction = Transaction.CREATE
    if planned.record.get("id") is None:
        planned.identify(new_id())


def _plan_update(storage: TenantStorage, planned: Planned, stored: Planned, rules: Processing) -> None:
    row = stored.row
    if row is None:
        raise ValueError("a stored record has its row")
    planned.transaction = Transaction.UPDATE
    instructions = rules.of(planned.entity)
    record = planned.record
    if planned.entity is Entity.ITEM:
        stored_status = text_of(object_of(row.record.get("status")).get("name"))
        if instructions.keeps_status(stored_status):
            status = record.get("status")
            if not isinstance(status, dict):
                raise NoAnswer
            status["name"] = stored_status
    planned.identify(row.id)
    record["_version"] = row.version
    if instructions.keeps_omitted_values:
        planned.record = _merged(view(storage, planned.entity, row), record, instructions.kept_properties)
    elif instructions.kept_properties:
        kept = view(storage, planned.entity, row)
        for name in instructions.kept_properties:
            if name in kept:
                record[name] = kept[name]


def _merged(stored: JsonObject, sent: JsonObject, kept: tuple[str, ...]) -> JsonObject:
    for name in _NOT_IN_PUT:
        stored.pop(name, None)
    return {**stored, **{name: value for name, value in sent.items() if name not in kept}}
