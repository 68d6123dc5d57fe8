"""The upsert of one record set, or of a batch that goes to storage as a whole and falls back to one set after the
other.

Owns the answers of the PUT endpoints: 200, 207, 422 and failed look-ups. How sets are found and written is the plan's
part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from service.sandbox.exchange import JsonValue, Reply, json_reply
from service.sandbox.inventory.metrics import Metrics
from service.sandbox.inventory.records import (
    Origin,
    Outcome,
    Planned,
    PlannedSet,
    RequestOrigin,
    Transaction,
    incoming_set,
)
from service.sandbox.inventory.refusals import LookupFailure
from service.sandbox.inventory.reports import http_status, lookup_report
from service.sandbox.inventory.schemas import Entity
from service.sandbox.inventory.shapes import JsonObject
from service.sandbox.inventory.storage import TenantStorage


class UpsertPlan(Protocol):
    """How sets are recognised and written: by HRID, or by match key."""

    def error(self, sent: Sequence[JsonObject], origins: Sequence[Origin]) -> JsonObject | None:
        """The report of the first fault in the sets as sent, None when there is none."""
        ...

    def run(self, storage: TenantStorage, sets: Sequence[PlannedSet]) -> tuple[JsonObject | None, dict[str, Planned]]:
        """Looks up, plans and writes; the report of what failed, and provisional instances by HRID.

        Raises LookupFailure before anything is written, NoAnswer when storage drops a write.
        """
        ...


@dataclass(frozen=True, slots=True)
class Upserted:
    """What became of one set or of a batch. `body` answers with 200 and 207, `report` is the one error there can be."""

    status: int
    body: JsonObject
    report: JsonObject | None
    metrics: Metrics | None

    def reply(self) -> Reply:
        """The answer to the client."""
        if self.status in (200, 207):
            return json_reply(self.status, self.body)
        return json_reply(http_status(self.report or {}), self.report)


class _RefusedAsWhole(Exception):
    """A batch of several sets failed as one; the module tries them one by one."""


def upsert_single(storage: TenantStorage, plan: UpsertPlan, sent: JsonObject, origin: Origin) -> Upserted:
    """One record set; the module treats it as a batch of one."""
    return _upsert(storage, plan, [sent], [origin])


def upsert_batch(
    storage: TenantStorage, plan: UpsertPlan, decode: Callable[[], list[JsonObject]], body: bytes
) -> Upserted:
    """Several sets. `decode` gives them afresh, because a failed attempt leaves its marks on them.

    None refused as a whole is retried: one bad set among many turns the call into as many single upserts.
    """
    sent = decode()
    origins: list[Origin] = [RequestOrigin(body, index) for index in range(len(sent))]
    try:
        return _upsert(storage, plan, sent, origins)
    except _RefusedAsWhole:
        return _one_by_one(storage, plan, decode(), origins)


def _one_by_one(
    storage: TenantStorage, plan: UpsertPlan, sent: Sequence[JsonObject], origins: Sequence[Origin]
) -> Upserted:
    total = Metrics()
    errors: list[JsonValue] = []
    for record_set, origin in zip(sent, origins, strict=True):
        upserted = _upsert(storage, plan, [record_set], [origin])
        if upserted.metrics is not None:
            total.add(upserted.metrics)
        if upserted.report is not None:
            errors.append(upserted.report)
    body: JsonObject = {"metrics": total.as_json(), "errors": errors}
    return Upserted(207 if errors else 200, body, None, total)


def _upsert(
    storage: TenantStorage, plan: UpsertPlan, sent: Sequence[JsonObject], origins: Sequence[Origin]
) -> Upserted:
    single = len(sent) == 1
    report = plan.error(sent, origins)
    if report is not None:
        if not single:
            raise _RefusedAsWhole
        metrics = Metrics()
        metrics.count(Entity.INSTANCE, Transaction.CREATE, Outcome.SKIPPED)
        return Upserted(422, {}, report, metrics)
    sets = [incoming_set(record_set, origin) for record_set, origin in zip(sent, origins, strict=True)]
    try:
        report, provisionals = plan.run(storage, sets)
    except LookupFailure as failure:
        return Upserted(failure.status, {}, lookup_report(failure), None)
    if report is not None and report["category"] == "BATCH_STORAGE" and not single:
        raise _RefusedAsWhole
    body = sets[0].as_json() if single else {}
    if report is not None:
        body["errors"] = [report]
    metrics = _counted(sets, provisionals)
    body["metrics"] = metrics.as_json()
    return Upserted(200 if report is None else 207, body, report, metrics)


def _counted(sets: Sequence[PlannedSet], provisionals: dict[str, Planned]) -> Metrics:
    metrics = Metrics()
    for planned_set in sets:
        for planned in (planned_set.instance, *planned_set.records()):
            metrics.count(planned.entity, planned.transaction, planned.outcome)
        for relation in planned_set.all_relations():
            metrics.count(relation.entity, relation.transaction, relation.outcome)
            provisional = provisionals.get(relation.reference_hrid or "")
            if relation.transaction is Transaction.CREATE and provisional is not None:
                metrics.count_provisional(relation.entity, provisional.outcome)
    existing = sets[0].existing if sets else None
    if existing is not None:
        # Deletions are counted for the first set alone, however many there are.
        for planned in (*existing.records(), *existing.all_relations()):
            if planned.deletes:
                metrics.count(planned.entity, planned.transaction, planned.outcome)
    return metrics
