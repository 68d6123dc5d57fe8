"""FOLIO eholdings: selects, describes, tags, adds and removes electronic resources (mod-kb-ebsco-java,
/eholdings/resources).

Owns the sequence of calls of each step and what it comes to. What a PUT carries is decided in `eholdings_overlay`.
Writers of one resource must be kept apart by the caller: the system has no versions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from service.domain.answers import Answer, Finding, Settled, Verdict, failed, succeeded, unchanged
from service.domain.codes import Code
from service.domain.jsonvalue import JsonObject
from service.domain.operations import AddResource, DeselectResource, EholdingsStep, RemoveResource, UpdateResource
from service.engine.ports import CallContext, MayLeave, freely
from service.systems.eholdings_calls import BulkFetched, Decision, EholdingsCalls
from service.systems.eholdings_overlay import Canonical, Resource, differing, put_attributes, read_resource, wanted
from service.systems.eholdings_overlay import tags_differ as differ
from service.systems.folio import FolioGateway
from service.systems.http import Reply
from service.systems.trouble import Trouble, mapping_of, unreadable

_DESELECTED: Final[Mapping[str, Canonical]] = {"isSelected": False}
_GONE: Final = "the title has left the package"


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
            decision = await _bring_to(calls, resource_id, resource, want, tags)
            return _as_applied_before(decision) if context.uncertain else decision
        case Finding(status=404) if context.uncertain and _deselects(want):
            return succeeded(404, _GONE)
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
                state = await _bring_to(calls, step.resource_id, state, want, step.tags)
            return _after_a_change(state, "the title was added")
        case Finding(status=422, message=str(words)) if "already" in words.lower():
            state = await calls.read(step.resource_id)
            if not isinstance(state, Resource):
                return state if isinstance(state, Trouble) else posted
            if not state.is_selected:
                return posted
            decision = await _bring_to(calls, step.resource_id, state, want, step.tags)
            return _as_applied_before(decision) if context.uncertain else decision
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
            if not _is_missing(state):
                return removed
            return succeeded(404, _GONE) if context.uncertain else failed(Code.REFUSED, 404, _message_of(state))
        case Finding() | Trouble():
            return removed


async def _bring_to(
    calls: EholdingsCalls,
    resource_id: str,
    resource: Resource,
    want: Mapping[str, Canonical],
    tags: tuple[str, ...] | None,
) -> Decision:
    """Sends what differs: the attributes, then the tags."""
    decision = unchanged(200)
    if differing(resource, want):
        put = await _put(calls, resource_id, resource, want)
        if isinstance(put, Trouble) or put.verdict is Verdict.FAILED:
            return put
        decision = put
    elif want:
        calls.saved("put")
    changed = decision.verdict is not Verdict.UNCHANGED
    if tags is None:
        return decision
    if not differ(resource, tags):
        calls.saved("put-tags")
        return decision
    reply = await calls.put_tags(resource_id, resource.name, tags)
    tagged = succeeded(reply.status) if isinstance(reply, Reply) else reply
    return _after_a_change(tagged, "the attributes were applied") if changed else tagged


async def _put(calls: EholdingsCalls, resource_id: str, resource: Resource, want: Mapping[str, Canonical]) -> Decision:
    """PUT; success is when the state that comes back shows what was wanted."""
    put = await calls.put(resource_id, put_attributes(resource, want))
    match put:
        case Reply():
            after = read_resource(put.json())
            if after is not None and not differing(after, want):
                return succeeded(put.status)
            return await _read_back(calls, resource_id, put.status, want)
        case Trouble(status=500):
            return await _after_failed_put(calls, resource_id, put, want)
        case Finding(status=404) if _deselects(want):
            unclear = Trouble(put.message or "not found", 404, uncertain=True)
            return await _after_failed_put(calls, resource_id, unclear, want)
        case Finding() | Trouble():
            return put


async def _read_back(calls: EholdingsCalls, resource_id: str, status: int, want: Mapping[str, Canonical]) -> Decision:
    """The answer to the PUT does not show what was wanted: either it does not show it at all, or it was not taken."""
    after = await calls.read(resource_id)
    match after:
        case Resource():
            missing = differing(after, want)
            if not missing:
                return succeeded(status)
            return failed(Code.SKIPPED, status, f"answered {status} but did not take: {', '.join(missing)}")
        case Finding(status=404) if _deselects(want):
            return succeeded(404, _GONE)
        case Finding():
            return after
        case Trouble():
            return after.after_a_change()


async def _after_failed_put(
    calls: EholdingsCalls, resource_id: str, trouble: Trouble, want: Mapping[str, Canonical]
) -> Decision:
    """mod-kb-ebsco-java: 500 is also the answer when the package has lost the title, and deselecting a custom title
    makes it lose it. Only a read tells."""
    state = await calls.read(resource_id)
    if not _is_missing(state):
        return trouble
    return succeeded(404, _GONE) if _deselects(want) else failed(Code.REFUSED, 404, _message_of(state))


def _deselects(want: Mapping[str, Canonical]) -> bool:
    return want.get("isSelected") is False


def _is_missing(state: Resource | Decision) -> bool:
    return isinstance(state, Finding) and state.status == 404


def _message_of(state: Resource | Decision) -> str:
    return _GONE if isinstance(state, Resource) else state.message or _GONE


def _as_applied_before(decision: Decision) -> Decision:
    """Nothing left to do after an attempt whose answer was lost: that attempt did it."""
    if isinstance(decision, Finding) and decision.verdict is Verdict.UNCHANGED:
        return succeeded(decision.status, "applied by an earlier attempt whose answer was lost")
    return decision


def _after_a_change(decision: Decision, what: str) -> Decision:
    match decision:
        case Trouble():
            return decision.after_a_change()
        case Finding(verdict=Verdict.FAILED):
            return replace(decision, message=f"{what}; then: {decision.message}")
        case Finding():
            return succeeded(decision.status, decision.message)
