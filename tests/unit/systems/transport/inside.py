"""What a test may ask of the inside of a transport: of ours its pool, of another nothing."""

from __future__ import annotations

from bench.candidates.port import Transport
from service.systems.transport import Http1Transport
from service.systems.transport.pool import Pool


def pool_of(transport: Transport) -> Pool | None:
    """None for a candidate: what the server sees of its connections has to do."""
    return transport.pool if isinstance(transport, Http1Transport) else None


def has_leaked(transport: Transport) -> bool:
    """Whether a connection is in use that nobody uses any more."""
    pool = pool_of(transport)
    return pool is not None and pool.count != pool.idle


def keeps_none(transport: Transport) -> bool:
    """Whether no connection is open, as far as it tells."""
    pool = pool_of(transport)
    return pool is None or pool.count == 0
