"""Brings an eholdings resource that was read to what is wanted, and makes sure that it has come to that.

Owns the PUTs, the reads after them, and what they come to. What a PUT carries is decided in `eholdings_overlay`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from service.domain.answers import Finding, Verdict, failed, succeeded, unchanged
from service.domain.codes import Code
from service.systems.eholdings_calls import Decision, EholdingsCalls
from service.systems.eholdings_overlay import Canonical, Resource, differing, put_attributes, read_resource, tags_differ
from service.systems.http import Reply
from service.systems.trouble import Trouble

ATTRIBUTES_APPLIED: Final = "the attributes were applied"
GONE: Final = "the title has left the package"


async def bring_to(
    calls: EholdingsCalls,
    resource_id: str,
    resource: Resource,
    want: Mapping[str, Canonical],
    tags: tuple[str, ...] | None,
) -> Decision:
    """Sends what differs: the attributes, then the tags."""
    decision = await bring_attributes(calls, resource_id, resource, want)
    if isinstance(decision, Trouble) or decision.verdict is Verdict.FAILED or tags is None:
        return decision
    tagged = await bring_tags(calls, resource_id, resource, tags)
    if isinstance(tagged, Finding) and tagged.verdict is Verdict.UNCHANGED:
        return decision
    return after_a_change(tagged, ATTRIBUTES_APPLIED) if decision.verdict is Verdict.SUCCEEDED else tagged


async def bring_attributes(
    calls: EholdingsCalls, resource_id: str, resource: Resource, want: Mapping[str, Canonical]
) -> Decision:
    """Sends the attributes if any differs. Refused means that nothing was applied; skipped, that not all was."""
    if differing(resource, want):
        return await _put(calls, resource_id, resource, want)
    if want:
        calls.saved("put")
    return unchanged(200)


async def bring_tags(calls: EholdingsCalls, resource_id: str, resource: Resource, tags: tuple[str, ...]) -> Decision:
    """Sends the tags if they differ."""
    if not tags_differ(resource, tags):
        calls.saved("put-tags")
        return unchanged(200)
    reply = await calls.put_tags(resource_id, resource.name, tags)
    return succeeded(reply.status) if isinstance(reply, Reply) else reply


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
        case Finding(status=404) if deselects(want):
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
        case Finding(status=404) if deselects(want):
            return succeeded(404, GONE)
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
    if not is_missing(state):
        return trouble
    return succeeded(404, GONE) if deselects(want) else failed(Code.REFUSED, 404, message_of(state))


def deselects(want: Mapping[str, Canonical]) -> bool:
    return want.get("isSelected") is False


def is_missing(state: Resource | Decision) -> bool:
    return isinstance(state, Finding) and state.status == 404


def message_of(state: Resource | Decision) -> str:
    return GONE if isinstance(state, Resource) else state.message or GONE


def as_applied_before(decision: Decision) -> Decision:
    """Nothing left to do after an attempt whose answer was lost: that attempt did it."""
    if isinstance(decision, Finding) and decision.verdict is Verdict.UNCHANGED:
        return succeeded(decision.status, "applied by an earlier attempt whose answer was lost")
    return decision


def after_a_change(decision: Decision, what: str) -> Decision:
    match decision:
        case Trouble():
            return decision.after_a_change()
        case Finding(verdict=Verdict.FAILED):
            return decision._replace(message=f"{what}; then: {decision.message}")
        case Finding():
            return succeeded(decision.status, decision.message)
