"""Who gets which connection. Owns their number, those that are idle, and the queue; opens none itself.

Invariant: while anybody waits, no connection is idle. So whoever comes is served in the order of arrival.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx

from service.systems.transport.connection import Connection
from service.systems.wire import Origin


@dataclass(slots=True, eq=False)
class _Turn:
    """Somebody who waits: for a connection of its origin, or for the right to open one (None)."""

    origin: Origin
    fresh: bool
    granted: asyncio.Future[Connection | None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Pool:
    """Of all origins together."""

    def __init__(
        self,
        open_connection: Callable[[Origin, float | None], Awaitable[Connection]],
        max_connections: int,
        keep_alive_seconds: float,
    ) -> None:
        self._open_connection = open_connection
        self._max_connections = max_connections
        self._keep_alive_seconds = keep_alive_seconds
        self._count = 0
        self._idle: dict[Origin, deque[Connection]] = {}
        self._busy: set[Connection] = set()
        self._queue: deque[_Turn] = deque()
        self._sweep: asyncio.TimerHandle | None = None

    @property
    def count(self) -> int:
        """Connections that are busy, idle, or being opened."""
        return self._count

    @property
    def idle(self) -> int:
        """Connections that wait for a request."""
        return sum(len(connections) for connections in self._idle.values())

    def take(self, origin: Origin) -> Connection | None:
        """An idle connection that seems to be in order, the one used last; None when there is none."""
        connections = self._idle.get(origin)
        while connections:
            connection = connections.pop()
            if connection.is_quiet():
                self._busy.add(connection)
                return connection
            self._discard(connection)
        return None

    async def acquire(
        self, origin: Origin, *, fresh: bool, connect_seconds: float | None, pool_seconds: float | None
    ) -> Connection:
        """A connection: one that waits, a new one, or, while there are as many as there may be, the next that is given
        back. Raises `PoolTimeout` and what opening raises."""
        if not fresh and (idle := self.take(origin)) is not None:
            return idle
        if self._count < self._max_connections or self._evict():
            self._count += 1
        elif (handed := await self._wait(_Turn(origin, fresh), pool_seconds)) is not None:
            return handed
        try:
            connection = await self._open_connection(origin, connect_seconds)
        except BaseException:
            self._give_up_place()
            raise
        connection.on_closed = self._closed
        self._busy.add(connection)
        return connection

    def give_back(self, origin: Origin, connection: Connection, *, keep: bool) -> None:
        """After an exchange, however it ended. `keep` says that it may be used again if it is in order."""
        self._busy.discard(connection)
        if not (keep and connection.may_be_kept):
            self._discard(connection)
            return
        turn = self._next_turn()
        if turn is None:
            self._rest(origin, connection)
        elif turn.origin == origin and not turn.fresh:
            self._busy.add(connection)
            turn.granted.set_result(connection)
        else:
            connection.close()
            turn.granted.set_result(None)  # the place passes on

    def close(self) -> None:
        """Ends every connection, in use or not."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for connections in self._idle.values():
            while connections:
                self._discard(connections.pop())
        for connection in tuple(self._busy):
            connection.abort()

    def _rest(self, origin: Origin, connection: Connection) -> None:
        connection.rest()
        connections = self._idle.get(origin)
        if connections is None:
            connections = self._idle[origin] = deque()
        connections.append(connection)
        if self._sweep is None:
            due = connection.idle_since + self._keep_alive_seconds
            self._sweep = asyncio.get_running_loop().call_at(due, self._expire)

    def _expire(self) -> None:
        """Closes what has been idle for too long: systems do the same, and theirs must not come first."""
        self._sweep = None
        now = asyncio.get_running_loop().time()
        oldest = now
        for connections in self._idle.values():
            while connections and connections[0].idle_since + self._keep_alive_seconds <= now:
                self._discard(connections.popleft())
            if connections:
                oldest = min(oldest, connections[0].idle_since)
        self._idle = {origin: connections for origin, connections in self._idle.items() if connections}
        if self._idle:
            self._sweep = asyncio.get_running_loop().call_at(oldest + self._keep_alive_seconds, self._expire)

    def _evict(self) -> bool:
        """Closes the connection that has been idle longest, whosever it is. Whether there was one."""
        rows = [connections for connections in self._idle.values() if connections]
        if not rows:
            return False
        self._discard(min(rows, key=lambda connections: connections[0].idle_since).popleft())
        return True

    async def _wait(self, turn: _Turn, pool_seconds: float | None) -> Connection | None:
        self._queue.append(turn)
        try:
            async with asyncio.timeout(pool_seconds):
                return await turn.granted
        except BaseException as error:
            self._decline(turn)
            if isinstance(error, TimeoutError):
                raise httpx.PoolTimeout("no connection became free in time") from None
            raise

    def _decline(self, turn: _Turn) -> None:
        """Who waited is gone: what it was granted in the same moment goes to the next."""
        if not turn.granted.done() or turn.granted.cancelled():
            turn.granted.cancel()  # it is passed over when its turn comes
            return
        connection = turn.granted.result()
        if connection is None:
            self._give_up_place()
        else:
            self.give_back(turn.origin, connection, keep=True)

    def _discard(self, connection: Connection) -> None:
        connection.on_closed = _nothing
        connection.close()
        self._give_up_place()

    def _give_up_place(self) -> None:
        turn = self._next_turn()
        if turn is None:
            self._count -= 1
        else:
            turn.granted.set_result(None)

    def _next_turn(self) -> _Turn | None:
        while self._queue:
            turn = self._queue.popleft()
            if not turn.granted.done():
                return turn
        return None

    def _closed(self, connection: Connection) -> None:
        """By the other side. One that is busy is given back by whoever uses it."""
        if connection in self._busy:
            return
        for connections in self._idle.values():
            if connection in connections:
                connections.remove(connection)
                self._give_up_place()
                return


def _nothing(_: Connection) -> None: ...
