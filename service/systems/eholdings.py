"""FOLIO eholdings: selects, describes, tags, adds and removes electronic resources (mod-kb-ebsco-java,
/eholdings/resources).

Owns the sequence of calls of each step and what it comes to. What a PUT carries is decided in `eholdings_overlay`.
Writers of one resource must be kept apart by the caller: the system has no versions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from service.domain.answers import Answer, Finding, Joint, Settled, failed, succeeded
from service.domain.codes import Code
from service.domain.jsonvalue import JsonObject
from service.domain.operations import AddResource, DeselectResource, EholdingsStep, RemoveResource, UpdateResource
from service.engine.ports import CallContext, MayLeave, freely
from service.systems.eholdings_calls import BulkFetched, Decision, EholdingsCalls
from service.systems.eholdings_changes import (
    GONE,
    after_a_change,
    as_applied_before,
    bring_to,
    deselects,
    is_missing,
    message_of,
)
from service.systems.eholdings_overlay import Canonical, Resource, read_resource, wanted
from service.systems.eholdings_together import update_together
from service.systems.folio import FolioGateway
from service.systems.http import Reply
from service.systems.trouble import Trouble, mapping_of, unreadable

_DESELECTED: Final[Mapping[str, Canonical]] = {"isSelected": False}


class Eholdings:
    """The adapter. One for all tenants."""

    def __init__(self, gateway: FolioGateway, read_seconds: float) -> None:
        self._gateway = gateway
        self._read_seconds = read_seconds

    async def attempt(self, step: EholdingsStep, context: CallContext) -> Answer:
        """One attempt at the step; every trouble is an answer. Raises only `OwnershipLost`."""
        calls = self._calls(step.tenant, context.traceparent, context.may_leave)
        decision: Decision
        match step:
            case UpdateResource():
                decision = await _update(calls, step.resource_id, wanted(step.attributes), step.tags, context)
            case DeselectResource():
                decision = await _update(calls, step.resource_id, _DESELECTED, None, context)
            case AddResource():
                decision = await _add(calls, step, context)
            case RemoveResource():
                decision = await _remove(calls, step.resource_id, context)
        return decision.answer(step) if isinstance(decision, Trouble) else Settled((decision,))

    async def attempt_together(self, steps: Sequence[UpdateResource], context: CallContext) -> Joint:
        """One attempt at several updates of one resource, in their order. Raises only `OwnershipLost`."""
        return await update_together(self._calls(steps[0].tenant, context.traceparent, context.may_leave), steps)

    async def fetch(self, tenant: str, resource_id: str) -> JsonObject | Decision:
        """The resource as GET answers it, for people to look at; a failed finding or the trouble otherwise."""
        reply = await self._calls(tenant, None).get(resource_id)
        if not isinstance(reply, Reply):
            return reply
        return mapping_of(reply) or unreadable(reply, self._gateway.system, changes=False)

    async def fetch_many(self, tenant: str, ids: Sequence[str]) -> BulkFetched | Decision:
        """See `EholdingsCalls.fetch_many`."""
        return await self._calls(tenant, None).fetch_many(ids)

    def _calls(self, tenant: str, traceparent: str | None, may_leave: MayLeave = freely) -> EholdingsCalls:
        return EholdingsCalls(self._gateway, tenant, traceparent, self._read_seconds, may_leave)


async def _update(
    calls: EholdingsCalls,
    resource_id: str,
    want: Mapping[str, Canonical],
    tags: tuple[str, ...] | None,
    context: CallContext,
) -> Decision:
    """Read, then send what differs."""
    resource = await calls.read(resource_id)
    match resource:
        case Resource():
            decision = await bring_to(calls, resource_id, resource, want, tags)
            return as_applied_before(decision) if context.uncertain else decision
        case Finding(status=404) if context.uncertain and deselects(want):
            return succeeded(404, GONE)
        case Finding() | Trouble():
            return resource


async def _add(calls: EholdingsCalls, step: AddResource, context: CallContext) -> Decision:
    """POST, then as an update. A title that is in the package already was put there by an attempt whose answer was
    lost, or by someone else: either way the rest of the intent is still to be brought about."""
    want = wanted({"url": step.url, **step.attributes} if step.url else step.attributes)
    posted = await calls.post(step.package_id, step.title_id, step.url)
    match posted:
        case Reply():
            state = read_resource(posted.json()) or await calls.read(step.resource_id)
            if isinstance(state, Resource):
                state = await bring_to(calls, step.resource_id, state, want, step.tags)
            return after_a_change(state, "the title was added")
        case Finding(status=422, message=str(words)) if "already" in words.lower():
            state = await calls.read(step.resource_id)
            if not isinstance(state, Resource):
                return state if isinstance(state, Trouble) else posted
            if not state.is_selected:
                return posted
            decision = await bring_to(calls, step.resource_id, state, want, step.tags)
            return as_applied_before(decision) if context.uncertain else decision
        case Finding() | Trouble():
            return posted


async def _remove(calls: EholdingsCalls, resource_id: str, context: CallContext) -> Decision:
    removed = await calls.delete(resource_id)
    match removed:
        case Reply():
            return succeeded(removed.status)
        case Finding(status=404) if context.uncertain:
            return succeeded(404, removed.message)
        case Trouble(status=500):
            # mod-kb-ebsco-java: also the answer when the package has lost the title already
            state = await calls.read(resource_id)
            if not is_missing(state):
                return removed
            return succeeded(404, GONE) if context.uncertain else failed(Code.REFUSED, 404, message_of(state))
        case Finding() | Trouble():
            return removed
