"""Events at a fixed rate. Owns when each leaves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from service.engine.ports import Outgoing


@dataclass(frozen=True, slots=True)
class Pace:
    """When each event was meant to leave, and by how much the 99th of a hundred left later."""

    intended: Sequence[float]
    late_p99_seconds: float


async def paced(send: Callable[[Outgoing], Awaitable[None]], events: Sequence[Outgoing], rate: float) -> Pace:
    """Sends them at even distances. One that is late is sent at once, and its moment stays what it was meant to be."""
    began = time.monotonic()
    intended = [began + index / rate for index in range(len(events))]
    late: list[float] = []
    for moment, event in zip(intended, events, strict=True):
        if (ahead := moment - time.monotonic()) > 0:
            await asyncio.sleep(ahead)
        late.append(time.monotonic() - moment)
        await send(event)
    late.sort()
    return Pace(intended, late[int(len(late) * 0.99)])
