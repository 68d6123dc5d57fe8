"""Systems that stumble at random, and that go on with what has reached them when its caller is gone or sleeps."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Sequence
from random import Random
from typing import Any, TypeVar

from service.domain.answers import Answer, Finding, Joint, Settled, succeeded
from service.domain.operations import ExportHoldings, Step
from service.domain.record import Partition
from service.engine.ports import CallContext
from tests.fakes.erratic_holdingsiq import ErraticHoldingsIq
from tests.fakes.events import event_id_of
from tests.fakes.export_ledger import ExportLedger
from tests.fakes.fates import APPLIED, CALL_TIMEOUT_SECONDS, Fate, seconds_of
from tests.fakes.ledger import Ledger, PlacedEvent
from tests.fakes.process import FakeProcess
from tests.fakes.systems import denied, deny, stumble, stumbled

Served = TypeVar("Served")


class ErraticSystems:
    """Implements `engine.ports.Systems` for one worker. `fate` says what becomes of a call for an event; `is_judged` is
    told of each call before it leaves, and says whether the ledger is to judge it."""

    def __init__(
        self,
        ledger: Ledger,
        exports: ExportLedger,
        process: FakeProcess,
        random: Random,
        fate: Callable[[PlacedEvent], Fate],
        is_judged: Callable[[Partition], bool],
    ) -> None:
        self._ledger = ledger
        self._process = process
        self._random = random
        self._fate = fate
        self._is_judged = is_judged
        self._running: list[PlacedEvent] = []
        self._holdingsiq = ErraticHoldingsIq(ledger, exports, process, random, fate, self._leave).adapter()

    def unconfigured(self, step: Step) -> Finding | None:
        return None

    async def attempt(self, step: Step, context: CallContext) -> Answer:
        placed = self._ledger.events[step.cust_id if isinstance(step, ExportHoldings) else event_id_of(step)]
        if placed.event.transfer:
            await context.mark()
        self._running.append(placed)
        try:
            if isinstance(step, ExportHoldings):
                return await self._export(placed, step, context)
            await self._leave(placed)
            return await self._call(placed, step, context)
        finally:
            self._running.remove(placed)

    async def attempt_together(self, steps: Sequence[Step], context: CallContext) -> Joint:
        """A read, then one call for the first few of them, or for all."""
        company = [self._ledger.events[event_id_of(step)] for step in steps]
        company = company[: self._random.randint(2, len(company))]
        running = list(self._running)
        self._running += company
        try:
            await context.may_leave()
            await self._process.breathe()
            for place, placed in enumerate(company):
                if self._is_judged(placed.partition):
                    self._ledger.check_call(placed, running, self._process.name, company[:place])
            await asyncio.sleep(self._random.uniform(0.01, 1.0))
            await context.may_leave()
            await self._process.breathe()
            return await self._call_together(company, steps[0])
        finally:
            for placed in company:
                self._running.remove(placed)

    async def _call_together(self, company: Sequence[PlacedEvent], first: Step) -> Joint:
        fate, count = self._fate(company[0]), len(company)
        self._ledger.joint_calls += 1
        serving = self._leave_aside(self._serve_together(company, fate))
        refused = False
        try:
            async with asyncio.timeout(CALL_TIMEOUT_SECONDS):
                refused = await asyncio.shield(serving)
        except TimeoutError:
            fate = "timed out"
        await self._process.breathe()
        match fate:
            case "never arrived":
                return Joint(count, trouble=stumbled(first), apart=True)
            case "timed out" | "lost on the way there" | "lost on the way back":
                return Joint(count, trouble=stumbled(first, uncertain=True), apart=True, uncertain=True)
            case "denied":
                return Joint(count, trouble=denied(first))
            case "answered" | "answered late":
                if refused:
                    self._ledger.joint_refusals += 1
                    return Joint(count)
                for placed in company:
                    self._ledger.decide(placed)
                return Joint(count, tuple(succeeded(200) for _ in company))

    async def _serve_together(self, company: Sequence[PlacedEvent], fate: Fate) -> bool:
        """The server's side of a joint call: all of it or nothing. Whether it is refused."""
        seconds = seconds_of(fate, self._random)
        await asyncio.sleep(seconds / 2)
        refused = any(placed.refused for placed in company)
        if fate in APPLIED and not refused:
            for placed in company:
                self._ledger.apply(placed, uncertain=False)
        await asyncio.sleep(seconds / 2)
        return refused

    def _leave_aside(self, serving: Coroutine[Any, Any, Served]) -> asyncio.Task[Served]:
        """It goes on whatever becomes of the worker."""
        task = asyncio.get_running_loop().create_task(serving, context=contextvars.Context())
        self._ledger.under_way.add(task)
        task.add_done_callback(self._ledger.under_way.discard)
        return task

    async def _leave(self, placed: PlacedEvent) -> bool:
        """A request is about to leave. Whether it is judged."""
        await self._process.breathe()
        if not self._is_judged(placed.partition):
            return False
        others = list(self._running)
        others.remove(placed)
        self._ledger.check_call(placed, others, self._process.name)
        return True

    async def _export(self, placed: PlacedEvent, step: ExportHoldings, context: CallContext) -> Answer:
        answer = await self._holdingsiq.attempt(step, context)
        if isinstance(answer, Settled):
            self._ledger.decide(placed)
        return answer

    async def _call(self, placed: PlacedEvent, step: Step, context: CallContext) -> Answer:
        fate = self._fate(placed)
        serving = self._leave_aside(self._serve(placed, fate, uncertain=context.uncertain))
        finding: Finding | None = None
        try:
            async with asyncio.timeout(CALL_TIMEOUT_SECONDS):
                finding = await asyncio.shield(serving)
        except TimeoutError:
            fate = "timed out"
        await self._process.breathe()
        match fate:
            case "never arrived":
                return stumble()(step)
            case "timed out" | "lost on the way there" | "lost on the way back":
                return stumble(uncertain=True, status=None)(step)
            case "denied":
                return deny()(step)
            case "answered" | "answered late":
                self._ledger.decide(placed)
                return Settled((finding or succeeded(200),))

    async def _serve(self, placed: PlacedEvent, fate: Fate, *, uncertain: bool) -> Finding | None:
        """The server's side of a call."""
        seconds = seconds_of(fate, self._random)
        await asyncio.sleep(seconds / 2)
        finding = self._ledger.apply(placed, uncertain=uncertain) if fate in APPLIED else None
        await asyncio.sleep(seconds / 2)
        return finding
