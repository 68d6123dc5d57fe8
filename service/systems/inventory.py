"""FOLIO inventory: upserts and deletes record sets (mod-inventory-update).

Owns the sequence of calls of each step: sources resolved, the set sent, a stale source resolved anew. Writers of one
HRID must be kept apart by the caller.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, TypeAlias

import orjson

from service.domain.answers import Answer, Finding, Settled, failed
from service.domain.codes import Code
from service.domain.jsonvalue import JsonObject, JsonValue
from service.domain.operations import (
    DeleteRecordSet,
    DeleteSharedRecordSet,
    InventoryStep,
    UpsertRecordSet,
    UpsertSharedRecordSet,
)
from service.engine.batching import BatchLimits
from service.engine.ports import CallContext
from service.systems.folio import FolioGateway
from service.systems.holdings_sources import Absent, HoldingsSources
from service.systems.http import Reply, path_of
from service.systems.inventory_answers import Decision, delete_decision, names_missing_source, upsert_decision
from service.systems.inventory_batch import UpsertBatches
from service.systems.timeouts import Timeouts
from service.systems.trouble import Trouble, mapping_of, trouble_of, unreadable

_BY_HRID = "/inventory-upsert-hrid"
_BY_MATCH_KEY = "/shared-inventory-upsert-matchkey"

_PLACES_TOLD = 10
"""Of a holdings source that is missing. A record set may have thousands of holdings records."""

SourceIds: TypeAlias = dict[str, str]
_NO_IDS: Final[SourceIds] = {}


class Inventory:
    """The adapter. One for all tenants."""

    def __init__(
        self,
        gateway: FolioGateway,
        sources: HoldingsSources,
        timeouts: Timeouts,
        limits: BatchLimits | None = None,
    ) -> None:
        self._gateway = gateway
        self._sources = sources
        self._timeouts = timeouts
        self._limits = limits or BatchLimits()
        self._batches: dict[str, UpsertBatches] = {}

    async def attempt(self, step: InventoryStep, context: CallContext) -> Answer:
        """One attempt at the step; every trouble is an answer. Raises only `OwnershipLost`."""
        decision: Decision
        match step:
            case UpsertRecordSet() | UpsertSharedRecordSet():
                decision = await self._upsert(step, context)
            case DeleteRecordSet():
                body: dict[str, JsonValue] = {"hrid": step.hrid}
                if step.processing is not None:
                    body["processing"] = step.processing
                decision = await self._delete(step.tenant, "delete", _BY_HRID, body, context)
            case DeleteSharedRecordSet():
                decision = await self._delete(step.tenant, "delete-shared", _BY_MATCH_KEY, step.body, context)
        return decision.answer(step) if isinstance(decision, Trouble) else Settled((decision,))

    async def fetch(self, tenant: str, identifier: str) -> JsonObject | Decision:
        """The record set of an instance HRID or UUID, for people to look at; a failed finding or the trouble
        otherwise."""
        path = _BY_HRID + path_of("fetch", identifier)
        result = await self._gateway.send(tenant, "fetch", "GET", path, read_seconds=self._timeouts.inventory_seconds)
        trouble = trouble_of(result, changes=False)
        if trouble is not None or not isinstance(result, Reply):
            return trouble or Trouble("inventory: no answer")
        if result.status >= 400:
            return failed(Code.REFUSED, result.status, result.words)
        return mapping_of(result) or unreadable(result, self._gateway.system, changes=False)

    async def aclose(self) -> None:
        """Ends calls that are under way."""
        await asyncio.gather(*(batches.aclose() for batches in self._batches.values()))

    async def _upsert(self, step: UpsertRecordSet | UpsertSharedRecordSet, context: CallContext) -> Decision:
        """A source id that was remembered may be gone: the names are then resolved anew, once."""
        decision: Decision = Trouble("inventory: not sent")
        for _ in range(2):
            ids = await self._resolve(step, context) if step.source_names else _NO_IDS
            if not isinstance(ids, dict):
                return ids
            decision = await self._send(step, ids, context)
            if not step.source_names or not names_missing_source(decision):
                break
            for name in step.source_names:
                self._sources.forget(step.tenant, name)
        return decision

    async def _resolve(
        self, step: UpsertRecordSet | UpsertSharedRecordSet, context: CallContext
    ) -> SourceIds | Decision:
        ids: dict[str, str] = {}
        for name in sorted(step.source_names):
            found = await self._sources.resolve(step.tenant, name, context.traceparent, context.may_leave)
            match found:
                case str():
                    ids[name] = found
                case Absent():
                    return _no_such_source(step, name)
                case Finding():
                    return failed(Code.REFUSED, found.status, f"holdings source {name}: {found.message}")
                case Trouble():
                    return found
        return ids

    async def _send(
        self, step: UpsertRecordSet | UpsertSharedRecordSet, ids: SourceIds, context: CallContext
    ) -> Decision:
        match step:
            case UpsertRecordSet():
                batches = self._batches.get(step.tenant)
                if batches is None:
                    batches = UpsertBatches(self._gateway, step.tenant, self._timeouts, self._limits)
                    self._batches[step.tenant] = batches
                body = orjson.dumps(with_source_ids(step.record_set, ids))
                return await batches.upsert(
                    step.hrid,
                    body,
                    attempt=context.attempt,
                    traceparent=context.traceparent,
                    may_leave=context.may_leave,
                )
            case UpsertSharedRecordSet():
                body = orjson.dumps(with_source_ids(step.body, ids))
                result = await self._call(step.tenant, "upsert-shared", "PUT", _BY_MATCH_KEY, body, context)
                return result if isinstance(result, Trouble) else upsert_decision(result, attempt=context.attempt)

    async def _delete(self, tenant: str, operation: str, path: str, body: JsonObject, context: CallContext) -> Decision:
        result = await self._call(tenant, operation, "DELETE", path, orjson.dumps(body), context)
        if isinstance(result, Trouble):
            return result
        return delete_decision(result, attempt=context.attempt, uncertain=context.uncertain)

    async def _call(
        self, tenant: str, operation: str, method: str, path: str, body: bytes, context: CallContext
    ) -> Reply | Trouble:
        result = await self._gateway.send(
            tenant,
            operation,
            method,
            path,
            read_seconds=self._timeouts.inventory_seconds,
            body=body,
            traceparent=context.traceparent,
            may_leave=context.may_leave,
        )
        trouble = trouble_of(result, changes=True)
        if trouble is not None or not isinstance(result, Reply):
            return trouble or Trouble("inventory: no answer", uncertain=True)
        return result


def with_source_ids(record_set: JsonObject, ids: SourceIds) -> JsonObject:
    """The record set with every holdings record's `sourceName` replaced by its `sourceId`; itself when it names
    none."""
    if not ids:
        return record_set
    records = record_set.get("holdingsRecords")
    if not isinstance(records, list):
        return record_set
    return {**record_set, "holdingsRecords": [_with_source_id(record, ids) for record in records]}


def _with_source_id(record: JsonValue, ids: SourceIds) -> JsonValue:
    if not isinstance(record, Mapping) or not isinstance(name := record.get("sourceName"), str):
        return record
    kept = {field: value for field, value in record.items() if field != "sourceName"}
    return {**kept, "sourceId": ids[name]}


def _no_such_source(step: UpsertRecordSet | UpsertSharedRecordSet, name: str) -> Finding:
    content = step.record_set if isinstance(step, UpsertRecordSet) else step.body
    records = content.get("holdingsRecords")
    places = [
        f"data.inventory.holdingsRecords[{place}].sourceName"
        for place, record in enumerate(records if isinstance(records, list) else [])
        if isinstance(record, Mapping) and record.get("sourceName") == name
    ]
    told = ", ".join(places[:_PLACES_TOLD])
    more = f" and {len(places) - _PLACES_TOLD} more" if len(places) > _PLACES_TOLD else ""
    message = f"{told}{more}: there is no holdings source {name!r}, and the settings do not allow creating it"
    return failed(Code.INVALID_DATA, None, message)
