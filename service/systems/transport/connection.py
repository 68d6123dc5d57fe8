"""One connection: a request goes out, its answer comes in, time is kept. Never more than one exchange at a time.

It must not open itself, choose what it carries, or send anything twice. A connection on which anything went wrong, or
anything came that nobody had asked for, is closed for good.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from typing import Final, cast

import httpx

from service.systems.transport.answer_reader import AnswerReader
from service.systems.transport.streaming import BodyStream
from service.systems.wire import WireAnswer

_SMALL_BYTES: Final = 65_536
"""A body up to this size is put behind its head in one piece of memory, which makes one packet more often."""


class Connection(asyncio.Protocol):
    """To be made by `opening`, kept by `pool`, and used by one request at a time."""

    def __init__(self, proxy_authorization: str | None = None, *, through_proxy: bool = False) -> None:
        """`through_proxy`: it ends at a proxy that wants whole addresses, and its credentials with each request."""
        self.through_proxy = through_proxy
        self.proxy_authorization = proxy_authorization
        self.closed = False
        """Whether it is of no more use."""
        self.idle_since = 0.0
        self.on_closed: Callable[[Connection], None] = _nobody
        self._loop = asyncio.get_running_loop()
        self._reader = AnswerReader()
        self._transport: asyncio.Transport | None = None
        self._poll = select.poll()
        self._under_way = False
        """Whether an answer is due, or the rest of one."""
        self._answer: asyncio.Future[WireAnswer] | None = None
        self._stream: BodyStream | None = None
        self._heard_at = 0.0
        self._read_seconds: float | None = None
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def transport(self) -> asyncio.Transport:
        """What it runs over. Raises RuntimeError before there is one."""
        if self._transport is None:
            raise RuntimeError("not connected")
        return self._transport

    @property
    def is_open(self) -> bool:
        """Whether anything may be sent. uvloop raises errors that are none of the network's where nothing may, between
        a fault and the moment at which it tells of it."""
        return not (self.closed or self._transport is None or self._transport.is_closing())

    def is_quiet(self) -> bool:
        """Whether nothing has come that the loop has not read yet: an end, or an answer to nothing. One system call."""
        return self.is_open and not self._poll.poll(0)

    def ask(
        self,
        method: str,
        head: bytes,
        body: bytes,
        *,
        read_seconds: float | None,
        total_seconds: float | None,
        max_answer_bytes: int | None,
    ) -> asyncio.Future[WireAnswer]:
        """Sends at once. The answer, whole; without `max_answer_bytes` the answer as far as its head, and its body from
        `stream`. The future's errors are httpx's; who does not wait for it to the end has to `abort`."""
        self._answer = answer = self._loop.create_future()
        self._under_way = True
        self._reader.begin(method, max_answer_bytes)
        self._stream = BodyStream(self._hold_back, self._go_on, self.abort) if max_answer_bytes is None else None
        now = self._heard_at = self._loop.time()
        self._read_seconds = read_seconds
        self._deadline = None if total_seconds is None else now + total_seconds
        self._keep_time()
        if len(body) <= _SMALL_BYTES:
            self.transport.write(head + body)
        else:
            self.transport.writelines((head, body))
        return answer

    @property
    def stream(self) -> BodyStream:
        """The body of the answer whose head has come."""
        if self._stream is None:
            raise RuntimeError("the answer is not streamed")
        return self._stream

    @property
    def may_be_kept(self) -> bool:
        """Whether another request may follow: the answer has come to its end, and nothing else has come or is left."""
        return (
            self.is_open
            and not self._under_way
            and self._reader.keeps_alive
            and not self._reader.excess
            and self._transport is not None
            and not self._transport.get_write_buffer_size()
        )

    @property
    def is_clean(self) -> bool:
        """Whether nothing has come behind the answer."""
        return not (self.closed or self._reader.excess)

    def rest(self) -> None:
        """It waits for a request from now on."""
        self.idle_since = self._loop.time()

    def abort(self) -> None:
        """Ends it at once. Whoever waits for an answer is told."""
        self.closed = True
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Ends it in good order. Only while it is idle."""
        self.closed = True
        self._stop_timer()
        if self._transport is not None:
            self._transport.close()

    # ── called by the loop ──────────────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN | select.POLLHUP)

    def data_received(self, data: bytes) -> None:
        if not self._under_way:
            self.abort()  # nobody has asked
            return
        self._heard_at = self._loop.time()
        reader = self._reader
        try:
            reader.feed(data)
        except httpx.TransportError as error:
            self._fail(error)
            return
        if self._stream is not None:
            self._pass_on(self._stream)
        elif reader.complete:
            self._finish()

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        if self._under_way:
            if error is None and self._reader.end():
                if self._stream is not None:
                    self._pass_on(self._stream)
                else:
                    self._finish()
            elif error is None:
                self._fail(httpx.RemoteProtocolError("the connection ended before the answer"))
            else:
                self._fail(httpx.ReadError(str(error) or type(error).__name__))
        self._stop_timer()
        self.on_closed(self)

    # ── the answer ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _finish(self) -> None:
        self._under_way = False
        pieces = self._reader.take_pieces()
        self._tell(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def _pass_on(self, stream: BodyStream) -> None:
        reader = self._reader
        if reader.head_complete:
            self._tell(b"")
        for piece in reader.take_pieces():
            stream.put(piece)
        if reader.complete:
            self._under_way = False
            stream.end()

    def _tell(self, body: bytes) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_result(WireAnswer(self._reader.status, self._reader.headers, body))

    def _fail(self, error: httpx.TransportError) -> None:
        self._under_way = False
        self.abort()
        answer, self._answer = self._answer, None
        if answer is None and self._stream is not None:
            self._stream.fail(error)
        elif answer is not None and not answer.done():
            answer.set_exception(error)
            answer.exception()  # whoever waited may be gone already

    def _hold_back(self) -> None:
        """Nobody takes the pieces: nothing is read, and no byte is due."""
        self._stop_timer()
        if self.is_open:
            self.transport.pause_reading()

    def _go_on(self) -> None:
        if self.is_open:
            self._heard_at = self._loop.time()
            self._keep_time()
            self.transport.resume_reading()

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _due(self) -> float | None:
        """When what is waited for must have come."""
        read = None if self._read_seconds is None else self._heard_at + self._read_seconds
        if read is None or self._deadline is None:
            return self._deadline if read is None else read
        return min(read, self._deadline)

    def _keep_time(self) -> None:
        """One timer serves many exchanges: it looks when the first might be late, and sets itself anew. It is moved
        only for one that is due sooner."""
        due = self._due()
        if due is None:
            return
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._look)

    def _look(self) -> None:
        self._timer = None
        if not self._under_way:
            return
        due = self._due()
        if due is not None and due <= self._loop.time():
            self._fail(httpx.ReadTimeout("no answer in time"))
        else:
            self._keep_time()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _nobody(_: Connection) -> None: ...
