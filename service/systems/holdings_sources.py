"""FOLIO holdings sources: names resolved to ids, sources created, changed and deleted (mod-inventory-storage,
/holdings-sources).

Owns the calls, what their answers mean, and what is remembered of names. A name is the same to the system whatever its
case and accents.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Final, TypeAlias

import orjson

from service.domain.answers import Answer, Finding, Settled, failed, succeeded, unchanged
from service.domain.codes import Code
from service.domain.folding import fold
from service.domain.jsonvalue import JsonObject, JsonValue
from service.domain.operations import DeleteHoldingsSource, HoldingsSourceStep, UpsertHoldingsSource
from service.engine.ports import CallContext, MayLeave, OwnershipLost, freely
from service.systems.folio import FolioGateway
from service.systems.http import Clocks, Reply, path_of, query_of
from service.systems.messages import tidy
from service.systems.trouble import Trouble, mapping_of, trouble_of, unreadable

CACHE_SECONDS: Final = 300.0
"""How long a resolved id is believed. A name that was not found is asked for again each time."""

_MAX_FOUND: Final = 100
"""Sources of one answer that are looked at; it was asked for ten."""

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
"""What may be put in a path: an empty id, or dots, would make it the path of all sources."""

_SYSTEM_SOURCE: Final = "folio"
_CREATED_AS: Final = "local"

Decision: TypeAlias = Finding | Trouble


@dataclass(frozen=True, slots=True)
class HoldingsSource:
    """A source as the system has it."""

    id: str
    name: str
    source: str | None


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no source of that name."""


class HoldingsSources:
    """The adapter, and the directory of names that inventory upserts ask. One for all tenants."""

    def __init__(self, gateway: FolioGateway, *, read_seconds: float, create_missing: bool, clocks: Clocks) -> None:
        self._gateway = gateway
        self._read_seconds = read_seconds
        self._create_missing = create_missing
        self._clocks = clocks
        self._known: dict[tuple[str, str], tuple[str, float]] = {}
        self._asking: dict[tuple[str, str], asyncio.Task[str | Absent | Decision]] = {}

    async def attempt(self, step: HoldingsSourceStep, context: CallContext) -> Answer:
        """One attempt at the step; every trouble is an answer. Raises only `OwnershipLost`. What was remembered of the
        name is forgotten."""
        self.forget(step.tenant, step.name)
        decision: Decision
        match step:
            case UpsertHoldingsSource():
                decision = await self._upsert(step, context)
            case DeleteHoldingsSource():
                decision = await self._delete(step, context)
        self.forget(step.tenant, step.name)
        return decision.answer(step) if isinstance(decision, Trouble) else Settled((decision,))

    async def resolve(
        self, tenant: str, name: str, traceparent: str | None, may_leave: MayLeave = freely
    ) -> str | Absent | Decision:
        """The id of a source, remembered for `CACHE_SECONDS`; created when the setting allows it. However many ask for
        one name, one call is under way, and a caller that is cancelled does not end it. Raises only `OwnershipLost`,
        and only for the caller's own partition."""
        key = (tenant, fold(name))
        known = self._known.get(key)
        if known is not None and self._clocks.monotonic() < known[1]:
            return known[0]
        while True:
            if key not in self._asking:
                asking = asyncio.create_task(self._resolve(key, name, traceparent, may_leave))
                asking.add_done_callback(_heard)
                self._asking[key] = asking
            try:
                return await asyncio.shield(self._asking[key])
            except OwnershipLost:
                await may_leave()  # who had asked has lost its partition; whoever has kept its own asks again

    def forget(self, tenant: str, name: str) -> None:
        """The name is looked up again when it is asked for next; an answer on its way is not remembered."""
        key = (tenant, fold(name))
        self._known.pop(key, None)
        self._asking.pop(key, None)

    async def look_up(
        self, tenant: str, name: str, traceparent: str | None, may_leave: MayLeave = freely
    ) -> HoldingsSource | Absent | Decision:
        """The source of exactly this name, asked for anew."""
        query = query_of({"query": f'name=="{escaped(name)}"', "limit": "10"})
        reply = await self._send(tenant, "look-up", "GET", query, traceparent=traceparent, may_leave=may_leave)
        if not isinstance(reply, Reply):
            return reply
        sources = (mapping_of(reply) or {}).get("holdingsRecordsSources")
        if not isinstance(sources, list):
            return unreadable(reply, self._gateway.system, changes=False)
        found = [source for entry in sources[:_MAX_FOUND] if (source := _source_of(entry)) is not None]
        if sources and not found:
            return unreadable(reply, self._gateway.system, changes=False)
        same = [source for source in found if source.name == name]
        return next(iter(same or found), Absent())

    async def aclose(self) -> None:
        """Ends look-ups that are under way."""
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _resolve(
        self, key: tuple[str, str], name: str, traceparent: str | None, may_leave: MayLeave
    ) -> str | Absent | Decision:
        task = asyncio.current_task()
        try:
            found = await self._find_or_create(key[0], name, traceparent, may_leave)
            if isinstance(found, str) and self._asking.get(key) is task:
                self._known[key] = (found, self._clocks.monotonic() + CACHE_SECONDS)
        finally:
            if self._asking.get(key) is task:
                del self._asking[key]
        return found

    async def _find_or_create(
        self, tenant: str, name: str, traceparent: str | None, may_leave: MayLeave
    ) -> str | Absent | Decision:
        found = await self.look_up(tenant, name, traceparent, may_leave)
        if isinstance(found, Absent) and self._create_missing:
            created = await self._create(tenant, name, _CREATED_AS, traceparent, may_leave)
            if isinstance(created, Reply):
                source = _source_of(created.json())
                return source.id if source else unreadable(created, self._gateway.system, changes=True)
            if not _is_duplicate(created):
                return created
            found = await self.look_up(tenant, name, traceparent, may_leave)
        return found.id if isinstance(found, HoldingsSource) else found

    async def _upsert(self, step: UpsertHoldingsSource, context: CallContext) -> Decision:
        existing = await self.look_up(step.tenant, step.name, context.traceparent, context.may_leave)
        if isinstance(existing, Absent):
            created = await self._create(step.tenant, step.name, step.source, context.traceparent, context.may_leave)
            if isinstance(created, Reply):
                return succeeded(created.status)
            if not _is_duplicate(created):
                return created
            existing = await self.look_up(step.tenant, step.name, context.traceparent, context.may_leave)
        match existing:
            case HoldingsSource():
                return await self._bring_to(step, existing, context)
            case Absent():
                return Trouble(f"{self._gateway.system}: refused as a duplicate, yet not to be found: {step.name}", 422)
            case Finding() | Trouble():
                return existing

    async def _bring_to(self, step: UpsertHoldingsSource, existing: HoldingsSource, context: CallContext) -> Decision:
        if existing.source == step.source:
            return _done_before(context, 200)
        if existing.source == _SYSTEM_SOURCE:
            message = tidy(f"{existing.name} is a source of the system itself (source: folio) and is left as it is")
            return failed(Code.REFUSED, None, message)
        content = {"id": existing.id, "name": step.name, "source": step.source}
        path = path_of(existing.id)
        reply = await self._send(
            step.tenant,
            "put",
            "PUT",
            path,
            content,
            traceparent=context.traceparent,
            may_leave=context.may_leave,
        )
        if isinstance(reply, Reply):
            return succeeded(reply.status)
        if isinstance(reply, Finding) and reply.status == 404:
            return Trouble(f"{self._gateway.system}: the source was deleted between look-up and change", 404)
        return reply

    async def _delete(self, step: DeleteHoldingsSource, context: CallContext) -> Decision:
        """Looked up first: mod-inventory-storage 29.0.23 never answers the DELETE of an unknown id."""
        existing = await self.look_up(step.tenant, step.name, context.traceparent, context.may_leave)
        match existing:
            case Absent():
                return _done_before(context, 200)
            case Finding() | Trouble():
                return existing
            case HoldingsSource():
                pass
        path = path_of(existing.id)
        reply = await self._send(
            step.tenant, "delete", "DELETE", path, traceparent=context.traceparent, may_leave=context.may_leave
        )
        if isinstance(reply, Reply):
            return succeeded(reply.status)
        if isinstance(reply, Finding) and reply.status == 404:
            return _done_before(context, 404)
        return reply

    async def _create(
        self, tenant: str, name: str, source: str, traceparent: str | None, may_leave: MayLeave
    ) -> Reply | Decision:
        content = {"name": name, "source": source}
        return await self._send(tenant, "post", "POST", "", content, traceparent=traceparent, may_leave=may_leave)

    async def _send(
        self,
        tenant: str,
        operation: str,
        method: str,
        path: str,
        content: JsonObject | None = None,
        *,
        traceparent: str | None,
        may_leave: MayLeave,
    ) -> Reply | Decision:
        """A `Reply` of 2xx, a failed finding for a final refusal, or trouble."""
        changes = method != "GET"
        result = await self._gateway.send(
            tenant,
            operation,
            method,
            "/holdings-sources" + path,
            read_seconds=self._read_seconds,
            body=None if content is None else orjson.dumps(content),
            traceparent=traceparent,
            may_leave=may_leave,
        )
        trouble = trouble_of(result, changes=changes)
        if trouble is not None or not isinstance(result, Reply):
            return trouble or Trouble(f"{self._gateway.system}: no answer", uncertain=changes)
        return failed(Code.REFUSED, result.status, result.words) if result.status >= 400 else result


def _heard(asking: asyncio.Task[str | Absent | Decision]) -> None:
    """Whoever waited for it may be gone: then nobody else hears of its error."""
    if not asking.cancelled():
        asking.exception()


def escaped(name: str) -> str:
    """A name between the quotes of a CQL term, nothing in it a wildcard or an anchor."""
    return "".join("\\" + letter if letter in '\\"*?^' else letter for letter in name)


def _source_of(content: JsonValue) -> HoldingsSource | None:
    match content:
        case {"id": str(identifier), "name": str(name), **others} if _ID.fullmatch(identifier):
            source = others.get("source")
            return HoldingsSource(identifier, name, source if isinstance(source, str) else None)
        case _:
            return None


def _is_duplicate(decision: Decision) -> bool:
    """Someone else created it since the look-up."""
    return isinstance(decision, Finding) and decision.status == 422 and "already exists" in (decision.message or "")


def _done_before(context: CallContext, status: int) -> Finding:
    """Nothing to do: after an attempt whose answer was lost, that attempt did it."""
    if context.uncertain:
        return succeeded(status, "applied by an earlier attempt whose answer was lost")
    return unchanged(status)
