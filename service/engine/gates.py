"""The gates in front of the systems: one for each system and tenant, with its circuit and those who wait for it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable, Iterator
from typing import TypeAlias

from service.domain.answers import Answer, Denied, Pending, Settled, Stumbled
from service.engine.adaptive import AdaptiveLimit, AdaptivePolicy
from service.engine.circuit import Circuit, CircuitPolicy, Reason
from service.engine.lease import Lease
from service.engine.ports import Observer
from service.engine.retry import Uniform
from service.engine.retry_allowance import RetryAllowance, RetryShare
from service.engine.slots import Slots

GateKey: TypeAlias = tuple[str, str | None]
"""System and tenant."""


DEFAULT_SLOTS = 240
ADAPTING = frozenset({"eholdings", "holdings-sources", "scsb"})
"""Systems whose calls are comparable. Those of inventory wait for each other in batches, and those of an export are as
long as its file; both have bounds of their own."""


class Gate:
    """One circuit and its queue, and the allowance for repeats. Waiting costs neither a slot nor an attempt.

    `slots` is the bulkhead: what one system that does not answer can take of the worker's slots. Where it adapts, there
    are fewer of them while the system is slower than it can be.
    """

    def __init__(
        self,
        key: GateKey,
        circuit: Circuit,
        allowance: RetryAllowance,
        slots: int,
        observer: Observer,
        adaptive: AdaptiveLimit | None = None,
    ) -> None:
        self.key = key
        self.slots = Slots(adaptive.limit if adaptive is not None else slots)
        self._adaptive = adaptive
        self.circuit = circuit
        self._allowance = allowance
        self._repeating = asyncio.Lock()
        self.repeats_waiting = 0
        """Who waits because the allowance for repeats is spent."""
        self._observer = observer
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def closed(self) -> bool:
        return self.circuit.reason is None

    @property
    def adapts(self) -> bool:
        """Whether its slots follow the system, so that `timed` has to be told of calls."""
        return self._adaptive is not None

    async def pass_through(self, lease: Lease) -> bool:
        """Blocks while the circuit lets nobody through. Whether who has passed is the probe of an open circuit.

        Raises `OwnershipLost` when the lease ends meanwhile.
        """
        loop = asyncio.get_running_loop()
        while not self.circuit.admit(loop.time()):
            turn: asyncio.Future[None] = loop.create_future()
            self._waiting.append(turn)
            self._set_timer()
            try:
                await lease.wait_for(turn, max(0.0, self.circuit.probe_at - loop.time()))
            except BaseException:
                if turn in self._waiting:
                    self._waiting.remove(turn)
                self._set_timer()  # its turn may have come: another takes it
                raise
        return not self.closed

    @property
    def waiting(self) -> int:
        """Who waits for an open circuit."""
        return len(self._waiting)

    @property
    def repeats_left(self) -> float:
        """Of the allowance for repeats."""
        return self._allowance.left(asyncio.get_running_loop().time())

    def first_attempt(self) -> None:
        """A first attempt at something is about to be made."""
        self._allowance.first_attempt()

    async def await_repeat(self, lease: Lease) -> None:
        """Blocks, in the order of arrival, until the system may be asked for another repeat.

        Raises `OwnershipLost` when the lease ends meanwhile.
        """
        now = asyncio.get_running_loop().time
        self.repeats_waiting += 1
        try:
            async with self._repeating:
                lease.check()
                while not self._allowance.take(now()):
                    await lease.pause(self._allowance.seconds_to_next())
        finally:
            self.repeats_waiting -= 1

    def timed(self, kind: Hashable, seconds: float, *, stumbled: bool) -> None:
        """How long a call has taken that is still under way. Calls of one `kind` cost the system alike."""
        if self._adaptive is None:
            return
        now = asyncio.get_running_loop().time()
        if stumbled:
            self._adaptive.stumbled(self.slots.taken, now)
        else:
            self._adaptive.answered(kind, seconds, self.slots.taken, now)
        if self._adaptive.limit != self.slots.limit:
            self.slots.resize(self._adaptive.limit)

    def learn(self, record: object, answer: Answer) -> None:
        """What the system answered to a call that had passed."""
        match answer:
            case Settled() | Pending():
                if self.circuit.answered():
                    self._observer.circuit_closed(*self.key)
                    self._wake(len(self._waiting))
            case Stumbled():
                if self.circuit.stumbled(record, asyncio.get_running_loop().time(), answer.retry_after_seconds):
                    self._observer.circuit_opened(*self.key, Reason.FAILING, answer.message)
                self._set_timer()
            case Denied():
                if self.circuit.denied(answer.reason, asyncio.get_running_loop().time(), answer.retry_after_seconds):
                    self._observer.circuit_opened(*self.key, Reason(answer.reason), answer.message)
                self._set_timer()

    def abandon(self) -> None:
        """A call that had passed was given up without an answer."""
        self.circuit.abandoned()
        self._set_timer()

    def _set_timer(self) -> None:
        """One who waits is woken when the next probe is due. While a probe is out none is: its end sets the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting and not self.circuit.probing:
            self._timer = asyncio.get_running_loop().call_at(self.circuit.probe_at, self._wake, 1)

    def _wake(self, count: int) -> None:
        while count and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                count -= 1


class Gates:
    """All gates of a worker. Through each, `slots` calls at most are under way at a time."""

    def __init__(
        self,
        policy: CircuitPolicy,
        uniform: Uniform,
        observer: Observer,
        slots: int = DEFAULT_SLOTS,
        share: RetryShare = RetryShare(),  # noqa: B008 - frozen
        adaptive: AdaptivePolicy | None = None,
    ) -> None:
        """With `adaptive`, systems that do not pace themselves are given fewer calls while they are slow."""
        self._adaptive = adaptive
        self._slots = slots
        self._share = share
        self._policy = policy
        self._uniform = uniform
        self._observer = observer
        self._gates: dict[GateKey, Gate] = {}

    def __iter__(self) -> Iterator[Gate]:
        return iter(self._gates.values())

    def gate(self, system: str, tenant: str | None) -> Gate:
        key = (system, tenant)
        gate = self._gates.get(key)
        if gate is None:
            circuit = Circuit(self._policy, self._uniform)
            now = asyncio.get_running_loop().time()
            allowance = RetryAllowance(self._share, now)
            adaptive = None
            if self._adaptive is not None and system in ADAPTING:
                adaptive = AdaptiveLimit(self._adaptive, self._slots, now)
            gate = self._gates[key] = Gate(key, circuit, allowance, self._slots, self._observer, adaptive)
        return gate
