"""The calls of HoldingsIQ's exports: POST, list, and the record of one (`/rm/rmaccounts/{custid}/exports`).

Owns paths, bodies and what an answer means for a single call. A quota is per customer and day, and a spent one is told
by a 429 with no time in it: no pause of seconds clears it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import orjson

from service.domain.answers import Denial, Finding, failed
from service.domain.codes import Code
from service.domain.operations import ExportHoldings
from service.engine.ports import CallContext
from service.systems.holdingsiq_records import ExportRecord, record_of, records_of
from service.systems.http import Headers, HttpClient, Reply, Result, path_of
from service.systems.trouble import Trouble, trouble_of, unreadable

Records: TypeAlias = list[ExportRecord]


def holdingsiq_headers(api_key: str) -> Headers:
    """Headers of every call of the API; a download gets none of them."""
    return (("x-api-key", api_key), ("Content-Type", "application/json"), ("Accept", "application/json"))


class ExportCalls:
    """Each call gives what was asked for, the finding of a refusal, or the trouble. Raises only `OwnershipLost`."""

    def __init__(self, http: HttpClient, read_seconds: float) -> None:
        """`http` carries `holdingsiq_headers`."""
        self._http = http
        self._read_seconds = read_seconds

    async def create(self, step: ExportHoldings, context: CallContext) -> str | Finding | Trouble:
        """The id of a new export. Must not happen twice: the caller has left a mark.

        The format goes out in small letters, as other clients of HoldingsIQ are seen to send it.
        """
        result = await self._http.send(
            "export-create",
            "POST",
            _path(step.cust_id),
            body=orjson.dumps({"type": step.kind, "format": step.format.lower()}),
            read_seconds=self._read_seconds,
            traceparent=context.traceparent,
            fresh_connection=True,
            may_leave=context.may_leave,
        )
        reply = decided(result, changes=True)
        if not isinstance(reply, Reply):
            return reply
        record = record_of(reply.json())
        if record is None or record.id is None:
            return unreadable(reply, self._http.system, changes=True)
        return record.id

    async def list(self, step: ExportHoldings, context: CallContext) -> Records | Finding | Trouble:
        """Every export of the customer."""
        reply = await self._get("export-list", _path(step.cust_id), context)
        if not isinstance(reply, Reply):
            return reply
        records = records_of(reply.json())
        return unreadable(reply, self._http.system, changes=False) if records is None else records

    async def read(self, step: ExportHoldings, context: CallContext) -> ExportRecord | Finding | Trouble:
        """The record of the export that the step names."""
        reply = await self._get("export-read", _path(step.cust_id, step.export_id or ""), context)
        if not isinstance(reply, Reply):
            return reply
        record = record_of(reply.json())
        if record is None or not record.status:
            return unreadable(reply, self._http.system, changes=False)
        return record

    async def _get(self, operation: str, path: str, context: CallContext) -> Reply | Finding | Trouble:
        result = await self._http.send(
            operation,
            "GET",
            path,
            read_seconds=self._read_seconds,
            traceparent=context.traceparent,
            may_leave=context.may_leave,
        )
        return decided(result, changes=False)


def _path(cust_id: str, *more: str) -> str:
    return path_of("rm", "rmaccounts", cust_id, "exports", *more)


def decided(result: Result, *, changes: bool) -> Reply | Finding | Trouble:
    """An answer of 2xx, the finding of a refusal, or the trouble; a 429 is the daily quota."""
    trouble = trouble_of(result, changes=changes)
    if trouble is not None or not isinstance(result, Reply):
        spent = isinstance(result, Reply) and result.status == 429
        trouble = trouble or Trouble("holdingsiq: no answer", uncertain=changes)
        return replace(trouble, denial=Denial.QUOTA) if spent else trouble
    if result.status >= 400:
        return failed(Code.REFUSED, result.status, result.words)
    return result
