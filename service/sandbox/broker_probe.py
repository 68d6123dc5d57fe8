"""Asks a Kafka broker over a plain socket whether it is ready.

Owns the few bytes of the Kafka protocol that this takes. It must not grow into a client: the Kafka adapters have one.
"""

from __future__ import annotations

import asyncio
import struct

_METADATA, _VERSION, _CORRELATION = 3, 1, 7
_TIMEOUT_SECONDS = 2.0
_LARGEST_ANSWER_BYTES = 65_536


async def is_ready(host: str, port: int) -> bool:
    """Whether the broker answers a Metadata request and counts itself among the live brokers.

    A broker accepts connections, and even answers ApiVersions, before its controller lets it serve; topics cannot be
    created until then. False for every failure to connect or to answer within two seconds.
    """
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            return _live_brokers(await _ask(host, port)) > 0
    except (OSError, EOFError, TimeoutError, ValueError, struct.error):
        return False


async def _ask(host: str, port: int) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(metadata_request())
        (size,) = struct.unpack(">i", await reader.readexactly(4))
        if not 0 < size <= _LARGEST_ANSWER_BYTES:
            raise ValueError(f"not a Kafka broker: it announces an answer of {size} bytes")
        return await reader.readexactly(size)
    finally:
        writer.close()


def metadata_request() -> bytes:
    """A Metadata request, version 1, for no topics: size, api key, version, correlation id, client id, topics."""
    client = b"holdings-relay"
    body = struct.pack(f">hhih{len(client)}si", _METADATA, _VERSION, _CORRELATION, len(client), client, 0)
    return struct.pack(">i", len(body)) + body


def _live_brokers(answer: bytes) -> int:
    correlation, brokers = struct.unpack_from(">ii", answer)
    if correlation != _CORRELATION:
        raise ValueError("not a Kafka broker: the answer belongs to another request")
    return int(brokers)
