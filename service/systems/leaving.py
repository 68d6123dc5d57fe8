"""The last question before a request leaves: may it still? Asked as late as the transport lets us.

A worker that is suspended between the question and the first byte sends when it wakes, whatever has become of its
partitions. Opening a connection takes its time, so a transport that can asks when the connection stands.
"""

from __future__ import annotations

from typing import Final

import httpx

from service.engine.ports import MayLeave

EXTENSION: Final = "may_leave"
"""Of a request: what a transport awaits right before the first byte, and whose errors it lets pass. One that does so
has a true `asks_before_sending`."""


async def hand_over(transport: httpx.AsyncBaseTransport, request: httpx.Request, may_leave: MayLeave) -> httpx.Response:
    """Raises what `may_leave` and the transport raise. `may_leave` is asked once for each request that leaves."""
    if getattr(transport, "asks_before_sending", False):
        request.extensions[EXTENSION] = may_leave
    else:
        await may_leave()
    return await transport.handle_async_request(request)
