"""Sends inventory upserts together: PUT /inventory-batch-upsert-hrid, what waits in one call.

Owns the calls of a tenant's upserts, and which answers of a batch are believed. What an answer says of one record set
is in `inventory_answers`; what may leave together is decided by the engine's `Collector`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.answers import succeeded
from service.engine.batching import BatchLimits, Collector, Waiting
from service.engine.ports import MayLeave, OwnershipLost, freely
from service.systems.folio import FolioGateway
from service.systems.http import Reply
from service.systems.inventory_answers import Decision, batch_message, proves_batch, upsert_decision
from service.systems.timeouts import Timeouts
from service.systems.trouble import CallResult, Trouble, trouble_of

_PATH = "/inventory-batch-upsert-hrid"


@dataclass(slots=True, eq=False)
class _Upsert:
    """One record set on its way, and the attempt that waits for it."""

    body: bytes
    attempt: int
    traceparent: str | None
    may_leave: MayLeave
    decision: asyncio.Future[Decision]
    ticket: int = 0


class UpsertBatches:
    """The upserts of one tenant."""

    def __init__(self, gateway: FolioGateway, tenant: str, timeouts: Timeouts, limits: BatchLimits) -> None:
        self._gateway = gateway
        self._tenant = tenant
        self._timeouts = timeouts
        self._collector: Collector[_Upsert] = Collector(limits)
        self._calls: set[asyncio.Task[None]] = set()
        self._pump_is_due = False
        self._undecided: set[_Upsert] = set()
        self._closed = False

    async def upsert(
        self, hrid: str, body: bytes, *, attempt: int, traceparent: str | None, may_leave: MayLeave = freely
    ) -> Decision:
        """What becomes of one record set; `body` is its JSON. A set that is tried again goes out alone, for the sake
        of the others: one bad set makes the module handle its batch record by record. Cancelled, it leaves the queue;
        once it is on its way, the call goes on for the others. Raises only `OwnershipLost`.
        """
        loop = asyncio.get_running_loop()
        upsert = _Upsert(body, attempt, traceparent, may_leave, loop.create_future())
        self._undecided.add(upsert)
        self._add(upsert, hrid, alone=attempt > 1)
        try:
            return await upsert.decision
        finally:
            self._undecided.discard(upsert)
            self._collector.withdraw(upsert.ticket)

    async def aclose(self) -> None:
        """Ends calls that are under way, and whoever still waits."""
        self._closed = True
        for upsert in self._undecided:
            upsert.decision.cancel()
        calls = list(self._calls)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    def _add(self, upsert: _Upsert, hrid: str, *, alone: bool) -> None:
        upsert.ticket = self._collector.add(Waiting(upsert, hrid, len(upsert.body), alone))
        if not self._pump_is_due:
            # after everything that is ready to run now has put its own set in
            self._pump_is_due = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        self._pump_is_due = False
        while not self._closed and (batch := self._collector.take()):
            call = asyncio.create_task(self._carry(batch))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def _carry(self, batch: tuple[Waiting[_Upsert], ...]) -> None:
        undecided: Sequence[Waiting[_Upsert]] = batch
        try:
            undecided = await self._send(batch)
        except BaseException:
            for waiting in batch:
                waiting.item.decision.cancel()
            raise
        finally:
            self._collector.finish(batch)
            for waiting in undecided:
                if not waiting.item.decision.done():
                    self._add(waiting.item, str(waiting.key), alone=True)
            self._pump()

    async def _send(self, batch: tuple[Waiting[_Upsert], ...]) -> Sequence[Waiting[_Upsert]]:
        """Sends one batch and decides its sets; returns those that must go out again alone."""
        upserts = [waiting.item for waiting in batch]
        try:
            result = await self._call(upserts)
        except OwnershipLost as lost:
            if len(upserts) == 1 and not upserts[0].decision.done():
                upserts[0].decision.set_exception(lost)
            return batch  # it did not leave; alone, each tells for itself whether it may
        self._gateway.observer.batch_sent(self._gateway.system, len(upserts))
        trouble = trouble_of(result, changes=True)
        if trouble is not None or not isinstance(result, Reply):
            for upsert in upserts:
                _decide(upsert, trouble or Trouble("inventory: no answer", uncertain=True))
            return ()
        if len(upserts) == 1:
            _decide(upserts[0], upsert_decision(result, attempt=upserts[0].attempt))
            return ()
        if not proves_batch(result, len(upserts)):
            return batch
        finding = succeeded(result.status, batch_message(result))
        for upsert in upserts:
            _decide(upsert, finding)
        return ()

    async def _call(self, upserts: Sequence[_Upsert]) -> CallResult:
        """Raises `OwnershipLost` when one of them may not leave."""

        async def may_leave() -> None:
            for upsert in upserts:
                await upsert.may_leave()

        # one header for several events: the first one's trace tells of the call
        return await self._gateway.send(
            self._tenant,
            "upsert" if len(upserts) == 1 else "upsert-batch",
            "PUT",
            _PATH,
            read_seconds=self._timeouts.of_batch(len(upserts)),
            body=b'{"inventoryRecordSets":[' + b",".join(upsert.body for upsert in upserts) + b"]}",
            traceparent=next((u.traceparent for u in upserts if u.traceparent is not None), None),
            may_leave=may_leave,
        )


def _decide(upsert: _Upsert, decision: Decision) -> None:
    if not upsert.decision.done():
        upsert.decision.set_result(decision)
