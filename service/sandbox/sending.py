"""Answers that go out in pieces: bodies made while they are sent, slow ones, and ones that break off.

Owns the connection while such an answer is written. It must not know any system; what is to go wrong is said by a
`Fault`.
"""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from service.sandbox.content import Content, LiteralContent, Stretch
from service.sandbox.exchange import Reply
from service.sandbox.faults import Fault

_SLOW_PIECES_PER_SECOND: Final = 20


def goes_out_in_pieces(reply: Reply, fault: Fault | None) -> bool:
    """Whether `send` is needed; everything else is one plain answer."""
    return reply.content is not None or (fault is not None and fault.disturbs_sending)


async def send(request: web.BaseRequest, reply: Reply, fault: Fault | None) -> web.StreamResponse:
    """Writes the whole answer, or as much of it as the fault lets through, and returns it.

    A client that has gone away ends the writing; that is no error.
    """
    cut = fault.cut_after_bytes if fault is not None else None
    bytes_per_second = fault.bytes_per_second if fault is not None else None
    content = reply.content if reply.content is not None else LiteralContent(reply.body)
    response = web.StreamResponse(status=reply.status)
    for name, value in reply.headers:
        response.headers.add(name, value)
    if reply.content_type is not None:
        response.headers["Content-Type"] = reply.content_type
    if fault is not None and fault.without_length:
        response.enable_chunked_encoding()
    else:
        response.content_length = content.size
    try:
        await response.prepare(request)
        await _write(response, content if cut is None else _beginning(content, cut), bytes_per_second)
        if cut is None:
            await response.write_eof()
        elif request.transport is not None:
            # Closed, not aborted: what has been written still reaches the client, to the byte.
            request.transport.close()
    except ConnectionError:
        return response
    return response


def _beginning(content: Content, size: int) -> Content:
    return Stretch(content, 0, min(size, content.size))


async def _write(response: web.StreamResponse, content: Content, bytes_per_second: float | None) -> None:
    if bytes_per_second is None:
        for piece in content.pieces():
            await response.write(piece)
            await asyncio.sleep(0)  # a connection that takes everything at once must not hold up all others
        return
    loop = asyncio.get_running_loop()
    step = max(1, int(bytes_per_second / _SLOW_PIECES_PER_SECOND))
    began, written = loop.time(), 0
    for piece in content.pieces():
        for position in range(0, len(piece), step):
            await response.write(piece[position : position + step])
            written += len(piece[position : position + step])
            await asyncio.sleep(began + written / bytes_per_second - loop.time())
