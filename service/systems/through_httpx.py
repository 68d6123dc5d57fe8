"""Any transport of httpx as a `Wire`: the simulations of the tests, and one that a user brings along."""

from __future__ import annotations

import httpx

from service.engine.ports import freely
from service.systems.bodies import AnswerTooLarge
from service.systems.leaving import hand_over
from service.systems.wire import Wire, WireAnswer, WireRequest


def wire_of(transport: httpx.AsyncBaseTransport, max_answer_bytes: int) -> Wire:
    """The transport itself where it is a wire: the worker's own is."""
    return transport if isinstance(transport, Wire) else ThroughHttpx(transport, max_answer_bytes)


class ThroughHttpx:
    """Builds httpx's request, and reads its response. Implements `Wire`."""

    def __init__(self, transport: httpx.AsyncBaseTransport, max_answer_bytes: int) -> None:
        self._transport = transport
        self._max_answer_bytes = max_answer_bytes

    async def exchange(self, request: WireRequest) -> WireAnswer:
        response = await hand_over(self._transport, _of_httpx(request), request.may_leave or freely)
        return WireAnswer(response.status_code, response.headers.raw, await self._body(response))

    async def _body(self, response: httpx.Response) -> bytes:
        if isinstance(response.stream, httpx.ByteStream):
            return b"".join(response.stream)
        pieces: list[bytes] = []
        left = self._max_answer_bytes
        async for piece in response.aiter_raw():
            pieces.append(piece)
            left -= len(piece)
            if left < 0:
                raise AnswerTooLarge(self._max_answer_bytes)
        return b"".join(pieces)


def _of_httpx(request: WireRequest) -> httpx.Request:
    """`stream` in place of `content`, so that no header is added."""
    limits = request.limits
    named = {"connect": limits.connect, "read": limits.read, "write": limits.read}
    pairs = [line.split(b": ", 1) for line in request.headers.split(b"\r\n") if line]
    return httpx.Request(
        request.method,
        f"{request.origin.scheme}://{request.origin.authority}{request.target}",
        headers=[(name, value) for name, value in pairs],
        stream=httpx.ByteStream(request.body),
        extensions={
            "timeout": {**named, "pool": limits.pool, "total": limits.total},
            "fresh_connection": request.fresh,
        },
    )
