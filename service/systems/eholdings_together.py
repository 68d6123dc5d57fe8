"""Several updates of one eholdings resource by one read and, where anything differs, one PUT.

Owns the sequence of calls and what it comes to for each update. What may share a PUT is decided in `eholdings_merging`.
A refusal, or an answer that leaves anything open, decides nothing here: it might be the fault of one, and the words of
the system belong to that one, who gets them when each is attempted by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from service.domain.answers import Finding, Joint, Verdict, succeeded, unchanged
from service.domain.codes import Code
from service.domain.operations import UpdateResource
from service.systems.eholdings_calls import Decision, EholdingsCalls
from service.systems.eholdings_changes import bring_attributes, bring_tags, bring_to
from service.systems.eholdings_merging import Merged, Update, merge
from service.systems.eholdings_overlay import Resource, wanted
from service.systems.trouble import Trouble


async def update_together(calls: EholdingsCalls, steps: Sequence[UpdateResource]) -> Joint:
    """One attempt at the steps, in their order; their ids name one resource. Raises only `OwnershipLost`."""
    first = steps[0]
    resource = await calls.read(first.resource_id)
    match resource:
        case Finding():  # of the resource, whatever is wanted of it
            _tell(calls, "get", len(steps))
            return Joint(len(steps), (resource,) * len(steps))
        case Trouble():
            return Joint(len(steps), trouble=resource.answer(first))
        case Resource():
            merged = merge(resource, [Update(wanted(step.attributes), step.tags) for step in steps])
            if merged.count > 1:
                return await _bring_all(calls, steps[: merged.count], resource, merged)
            decision = await bring_to(calls, first.resource_id, resource, merged.want, merged.tags)
            return Joint(1, trouble=decision.answer(first)) if isinstance(decision, Trouble) else Joint(1, (decision,))


async def _bring_all(
    calls: EholdingsCalls, steps: Sequence[UpdateResource], resource: Resource, merged: Merged
) -> Joint:
    first = steps[0]
    put = await bring_attributes(calls, first.resource_id, resource, merged.want)
    if not _holds(put):
        return _undecided(put, first, merged.count, applied=isinstance(put, Finding) and put.code is Code.SKIPPED)
    last: Decision = put
    if merged.tags is not None:
        tagged = await bring_tags(calls, first.resource_id, resource, merged.tags)
        if not _holds(tagged):
            return _undecided(tagged, first, merged.count, applied=_sent(put))
        last = tagged if _sent(tagged) else put
    calls.sent_together(merged.count)
    _tell(calls, "get", merged.count)
    _tell(calls, "put", sum(bool(step.attributes) for step in steps))
    _tell(calls, "put-tags", sum(step.tags is not None for step in steps))
    return Joint(merged.count, tuple(_findings(last, merged)))


def _tell(calls: EholdingsCalls, operation: str, wanted_times: int) -> None:
    """One such call was made, or is told of as not needed; by themselves the updates had wanted so many."""
    for _ in range(1, wanted_times):
        calls.saved(operation)


def _holds(decision: Decision) -> bool:
    return isinstance(decision, Finding) and decision.verdict is not Verdict.FAILED


def _sent(decision: Decision) -> bool:
    return isinstance(decision, Finding) and decision.verdict is Verdict.SUCCEEDED


def _undecided(decision: Decision, first: UpdateResource, count: int, *, applied: bool) -> Joint:
    if isinstance(decision, Finding):
        return Joint(count, uncertain=applied)
    trouble = decision.after_a_change() if applied else decision
    denied = trouble.denial is not None and not applied  # nobody's fault, and nothing was taken
    return Joint(count, trouble=trouble.answer(first), apart=not denied, uncertain=trouble.uncertain)


def _findings(last: Decision, merged: Merged) -> list[Finding]:
    """As each would have it by itself: unchanged when it asks for what the one before it leaves. So results do not tell
    who happened to wait for whom; the message does."""
    status = last.status if _sent(last) else 200
    message = f"sent as one with {merged.count - 1} more updates of the resource"
    if not _sent(last):
        message += ", which together left nothing to send"
    return [succeeded(status, message) if changes else unchanged(200) for changes in merged.changes]
