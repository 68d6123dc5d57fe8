"""The plan of the shared index: one instance for many institutions, found by match key.

An upsert merges identifiers into the shared instance and replaces the holdings and items of the institution that sent
it; a changed key takes the institution's identifier off the instance that had it. A deletion takes off identifier,
holdings and items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from service.sandbox.exchange import JsonValue, Reply, json_reply
from service.sandbox.inventory.execution import Execution
from service.sandbox.inventory.match_key import match_key
from service.sandbox.inventory.metrics import Metrics
from service.sandbox.inventory.records import Origin, Outcome, Planned, PlannedSet, Transaction
from service.sandbox.inventory.refusals import LookupFailure, Refusal
from service.sandbox.inventory.reports import (
    failed_deletion_report,
    not_deleted_report,
    storage_report,
    validation_report,
)
from service.sandbox.inventory.schemas import Entity
from service.sandbox.inventory.shapes import JsonObject, object_of, objects_of, text_of
from service.sandbox.inventory.storage import ONLY_INSTITUTION, TenantStorage
from service.sandbox.inventory.stored import existing_set
from service.sandbox.inventory.tables import Row
from service.sandbox.storage_text import new_id

_DELETES_FAILED = "There was a problem processing deletes - all other updates skipped."
_UPDATES_FAILED = "One or more errors occurred updating Inventory records"


@dataclass(frozen=True, slots=True)
class _Identifier:
    """What an institution calls its record: an entry in the shared instance's `identifiers`."""

    type_id: str | None
    value: str | None

    def rows(self, storage: TenantStorage) -> list[Row]:
        """The shared instances that carry it."""
        if not self.type_id or not self.value:
            return []
        found = (storage.instances.get(key) for key in storage.shared.with_identifier(self.type_id, self.value))
        return [row for row in found if row is not None]

    def taken_off(self, row: Row) -> JsonObject:
        """The instance without it, ready to be written."""
        entries: list[JsonValue] = list(objects_of(row.record.get("identifiers")))
        for entry in objects_of(row.record.get("identifiers")):
            if entry.get("identifierTypeId") == self.type_id and entry.get("value") == self.value:
                entries.remove(entry)
                break
        return {**row.record, "identifiers": entries, "_version": row.version}


class UpsertByMatchKey:
    """Implements `UpsertPlan` for the shared index."""

    def error(self, sent: Sequence[JsonObject], origins: Sequence[Origin]) -> JsonObject | None:
        """Identifiers and match keys that occur twice in a batch; they carry `requestJson` null."""
        identifiers: set[str] = set()
        keys: set[str] = set()
        for record_set in sent:
            instance, processing = object_of(record_set.get("instance")), object_of(record_set.get("processing"))
            local = _identifier(processing).value
            if local and local in identifiers:
                message = f"Local identifier {local} occurs more that once in this batch."
                short = "A local identifier is repeated in this batch"
                return validation_report(message, short, "INSTANCE", processing, None)
            key = match_key(instance)
            if key in keys:
                message = f"MatchKey {key} occurs more that once in this batch."
                return validation_report(message, "A match key is repeated in this batch", "INSTANCE", instance, None)
            identifiers.add(local or "")
            keys.add(key)
        return None

    def run(self, storage: TenantStorage, sets: Sequence[PlannedSet]) -> tuple[JsonObject | None, dict[str, Planned]]:
        """Deletes the institution's holdings and items first, then writes everything anew."""
        abandoned: list[Planned] = []
        for planned_set in sets:
            record = planned_set.instance.record
            record["matchKey"] = match_key(record)
            row = _with_key(storage, str(record["matchKey"]))
            if storage.faults.waiting:
                storage.faults.raise_on_lookup((row.hrid if row is not None else str(record.get("hrid")),))
            if row is not None:
                planned_set.existing = existing_set(storage, row)
            former = next((r for r in _identifier(planned_set.processing).rows(storage) if r is not row), None)
            institution = _institution(storage, planned_set.holdings)
            _plan(planned_set)
            if planned_set.existing is not None:
                _plan_removal(storage, planned_set.existing.holdings, institution)
            if former is not None:
                abandoned.append(_plan_abandoned(storage, former, _identifier(planned_set.processing), institution))
        return _execute(storage, sets, abandoned), {}


def delete_shared(storage: TenantStorage, request: JsonObject) -> Reply:
    """Answers DELETE /shared-inventory-upsert-matchkey."""
    identifier = _identifier(request)
    row = next(iter(identifier.rows(storage)), None)
    try:
        if storage.faults.waiting:
            storage.faults.raise_on_lookup((row.hrid if row is not None else "",))
    except LookupFailure as failure:
        return json_reply(404, not_deleted_report(failure.text))
    if row is None:
        missing = Refusal(404, {"errors": [{"message": "Record to be deleted was not found"}]})
        return json_reply(404, not_deleted_report(orjson.dumps(storage_report(missing, "", {}, None)).decode()))
    existing = existing_set(storage, row)
    _plan_removal(storage, existing.holdings, text_of(request.get("institutionId")) or "")
    frame = PlannedSet(existing.instance, [], [], False, {}, None, existing=existing)
    report = Execution(storage, [frame]).delete_omitted()
    if report is not None:
        report["shortMessage"] = _DELETES_FAILED
    else:
        report = _update_alone(storage, existing.instance, identifier.taken_off(row))
    metrics = Metrics()
    for planned in existing.records():
        metrics.count(planned.entity, planned.transaction, planned.outcome)
    body: JsonObject = {"metrics": metrics.as_json()}
    if report is None:
        return json_reply(200, body)
    body["errors"] = [failed_deletion_report(report)]
    return json_reply(207, body)


def _identifier(processing: JsonValue) -> _Identifier:
    given = object_of(processing)
    local = text_of(given.get("localIdentifier"))
    if "oaiIdentifier" in given:
        local = (text_of(given["oaiIdentifier"]) or "").rpartition(":")[2]
    return _Identifier(text_of(given.get("identifierTypeId")), local)


def _with_key(storage: TenantStorage, key: str) -> Row | None:
    record_id = storage.shared.with_match_key(key)
    return storage.instances.get(record_id) if record_id is not None else None


def _institution(storage: TenantStorage, holdings: Sequence[Planned]) -> str:
    """The institution of the first holdings record stands for all; "" without any."""
    if not holdings:
        return ""
    return storage.institution_of(str(holdings[0].record.get("permanentLocationId"))) or ""


def _plan(planned_set: PlannedSet) -> None:
    instance = planned_set.instance
    existing = planned_set.existing
    if existing is not None and existing.instance.row is not None:
        row = existing.instance.row
        merged = list(objects_of(row.record.get("identifiers")))
        merged.extend(entry for entry in objects_of(instance.record.get("identifiers")) if entry not in merged)
        instance.record["identifiers"] = [*merged]
        instance.record["hrid"] = row.hrid
        instance.identify(row.id)
        instance.record["_version"] = row.version
        instance.transaction = Transaction.UPDATE
    else:
        instance.transaction = Transaction.CREATE
        if instance.record.get("id") is None:
            instance.identify(new_id())
    for planned in planned_set.records():
        planned.transaction = Transaction.CREATE
        if planned.record.get("id") is None:
            planned.identify(new_id())


def _plan_removal(storage: TenantStorage, holdings: Sequence[Planned], institution: str) -> None:
    for planned in holdings:
        owner = storage.institution_of(str(planned.record.get("permanentLocationId")))
        removed = owner is not None and (owner == institution or (owner == ONLY_INSTITUTION and institution != ""))
        transaction = Transaction.DELETE if removed else Transaction.NONE
        for record in (planned, *planned.dependants):
            record.transaction = transaction


def _plan_abandoned(storage: TenantStorage, row: Row, identifier: _Identifier, institution: str) -> Planned:
    former = existing_set(storage, row).instance
    former.record = identifier.taken_off(row)
    former.transaction = Transaction.UPDATE
    _plan_removal(storage, former.dependants, institution)
    return former


def _execute(storage: TenantStorage, sets: Sequence[PlannedSet], abandoned: Sequence[Planned]) -> JsonObject | None:
    execution = Execution(storage, sets)
    report = execution.delete_omitted([holdings for former in abandoned for holdings in former.dependants])
    if report is not None:
        report["shortMessage"] = _DELETES_FAILED
        return report
    created = execution.create_instances_and_holdings()
    updated = execution.update_instances_and_holdings(abandoned)
    items_created = execution.write_items(Transaction.CREATE)
    report = created or updated or items_created
    if report is not None:
        report["shortMessage"] = _UPDATES_FAILED
    return report


def _update_alone(storage: TenantStorage, planned: Planned, record: JsonObject) -> JsonObject | None:
    try:
        storage.write(Entity.INSTANCE, [record], "update", batched=False)
    except Refusal as refusal:
        planned.outcome = Outcome.FAILED
        return storage_report(refusal, planned.entity, record, planned.origin())
    return None
