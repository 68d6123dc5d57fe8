"""Systems that stumble at random, and that go on with what has reached them when its caller is gone or sleeps."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from random import Random

from service.domain.answers import Answer, Finding, Settled, succeeded
from service.domain.operations import ExportHoldings, Step
from service.domain.record import Partition
from service.engine.ports import CallContext
from tests.fakes.erratic_holdingsiq import ErraticHoldingsIq
from tests.fakes.events import event_id_of
from tests.fakes.export_ledger import ExportLedger
from tests.fakes.fates import APPLIED, CALL_TIMEOUT_SECONDS, Fate, seconds_of
from tests.fakes.ledger import Ledger, PlacedEvent
from tests.fakes.process import FakeProcess
from tests.fakes.systems import deny, stumble


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
        serving = asyncio.get_running_loop().create_task(
            self._serve(placed, fate, uncertain=context.uncertain), context=contextvars.Context()
        )
        self._ledger.under_way.add(serving)
        serving.add_done_callback(self._ledger.under_way.discard)
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
