"""What the engine needs of the world. Adapters in `kafka` and `systems` implement these; fakes in the tests do too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from service.domain.answers import Answer, Finding
from service.domain.operations import Step


class OwnershipLost(Exception):
    """The worker no longer owns the partition: nothing may be called, published or committed for it any more."""


@dataclass(frozen=True, slots=True)
class CallContext:
    """What an adapter may know and must do around one attempt."""

    traceparent: str | None
    """W3C trace context to carry on as an HTTP header; None when the event had none."""

    uncertain: bool
    """Whether an earlier attempt, in this process or before a crash, may have been applied although its answer was lost."""

    mark: Callable[[], Awaitable[None]]
    """Awaited before a call that must not happen twice leaves: returns once the mark is durable.
    Raises `OwnershipLost`, which the adapter lets pass."""


class Systems(Protocol):
    """All systems behind one door."""

    def unconfigured(self, step: Step) -> Finding | None:
        """A `failed` finding with `system-not-configured` or `tenant-not-configured` when the step cannot be carried out
        here at all; None when it can. Asked before anything of the event is called."""
        ...

    async def attempt(self, step: Step, context: CallContext) -> Answer:
        """One attempt at the step. Never raises but `OwnershipLost` and cancellation; every trouble is an answer."""
        ...
