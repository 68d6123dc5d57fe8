"""Systems that answer as they are told, and a ledger of every call."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from service.domain.answers import Answer, Denial, Denied, Finding, Joint, Settled, Stumbled, failed, succeeded
from service.domain.codes import Code
from service.domain.operations import Step, asked_of
from service.engine.ports import CallContext
from tests.fakes.events import event_id_of

Reply: TypeAlias = Callable[[Step], Answer]
JointReply: TypeAlias = Callable[[Sequence[Step]], Joint]


@dataclass(slots=True)
class Call:
    """One attempt, by the loop's clock. `ended_at` is None while it runs."""

    event_id: str
    context: CallContext
    started_at: float
    ended_at: float | None = None


class FakeSystems:
    """Implements `engine.ports.Systems`. `replies[event id]` holds what the next attempts are answered; without any the
    step succeeds. `seconds[event id]` says how long its calls take, `held[event id]` is waited for in each."""

    def __init__(self) -> None:
        self.replies: dict[str, deque[Reply]] = defaultdict(deque)
        self.joint_replies: deque[JointReply] = deque()
        """To the next joint attempts; without any all succeeds."""
        self.read_seconds = 0.01
        """How long the read takes with which a joint attempt begins."""
        self.seconds: dict[str, float] = {}
        self.held: dict[str, asyncio.Event] = {}
        self.marking: set[str] = set()
        """Events whose calls must not happen twice: they are marked first."""
        self.refused: dict[str, Finding] = {}
        """Events that cannot be carried out here."""
        self.calls: list[Call] = []

    def unconfigured(self, step: Step) -> Finding | None:
        return self.refused.get(event_id_of(step))

    async def attempt(self, step: Step, context: CallContext) -> Answer:
        event_id = event_id_of(step)
        if event_id in self.marking:
            await context.mark()
        await self._call(event_id, context)
        replies = self.replies[event_id]
        return replies.popleft()(step) if replies else succeed(step)

    async def attempt_together(self, steps: Sequence[Step], context: CallContext) -> Joint:
        """A read, and then a call under the names of all its events, joined by "+"."""
        await context.may_leave()
        await asyncio.sleep(self.read_seconds)
        await context.may_leave()
        await self._call("+".join(event_id_of(step) for step in steps), context)
        return self.joint_replies.popleft()(steps) if self.joint_replies else succeed_together(steps)

    async def _call(self, event_id: str, context: CallContext) -> None:
        call = Call(event_id, context, asyncio.get_running_loop().time())
        self.calls.append(call)
        await asyncio.sleep(self.seconds.get(event_id, 0.01))
        if event_id in self.held:
            await self.held[event_id].wait()
        call.ended_at = asyncio.get_running_loop().time()

    def hold(self, event_id: str) -> asyncio.Event:
        """Calls for the event do not end before the event returned is set."""
        self.held[event_id] = asyncio.Event()
        return self.held[event_id]

    @property
    def called(self) -> list[str]:
        """The events of all calls, in the order in which the calls began."""
        return [call.event_id for call in self.calls]

    def running(self) -> list[str]:
        return [call.event_id for call in self.calls if call.ended_at is None]


def succeed(step: Step) -> Answer:
    return Settled(tuple(succeeded(200) for _ in asked_of(step)))


def succeed_together(steps: Sequence[Step]) -> Joint:
    return Joint(len(steps), tuple(succeeded(200) for _ in steps))


def refuse_together(steps: Sequence[Step]) -> Joint:
    """The one call for all of them is refused, and nothing tells whose fault it is."""
    return Joint(len(steps))


def refuse(step: Step) -> Answer:
    return Settled(tuple(failed(Code.REFUSED, 422, "no") for _ in asked_of(step)))


def stumble(*, uncertain: bool = False, retry_after_seconds: float | None = None, status: int | None = 503) -> Reply:
    """The system could not be had to decide anything."""

    def answer(step: Step) -> Answer:
        return stumbled(step, uncertain=uncertain, retry_after_seconds=retry_after_seconds, status=status)

    return answer


def stumbled(
    step: Step, *, uncertain: bool = False, retry_after_seconds: float | None = None, status: int | None = 503
) -> Stumbled:
    open_places = (None,) * len(asked_of(step))
    return Stumbled(step, open_places, status, "try later", retry_after_seconds, uncertain)


def deny(reason: Denial = Denial.CREDENTIALS, retry_after_seconds: float | None = None) -> Reply:
    """The system takes nothing from us."""

    def answer(step: Step) -> Answer:
        return denied(step, reason, retry_after_seconds)

    return answer


def denied(step: Step, reason: Denial = Denial.CREDENTIALS, retry_after_seconds: float | None = None) -> Denied:
    return Denied(reason, step, (None,) * len(asked_of(step)), 401, "who are you?", retry_after_seconds)
