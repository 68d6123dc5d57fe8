"""The bytes of a connection become answers: framing, its limits, and whether the connection may be used again.

Owns llhttp (httptools), which is strict about framing by itself: a length twice, a length beside Transfer-Encoding, a
chunk without its CRLF and a bare LF are errors. It must not touch a socket.
"""

from __future__ import annotations

from typing import Final

import httpx
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from service.systems.bodies import AnswerTooLarge

MAX_HEAD_BYTES: Final = 65_536
"""Of status line and headers together; and of anything else that comes without a byte of the body in it."""

_NO_BODY: Final = frozenset({204, 304})


class AnswerReader:
    """Reads one answer after the other. `begin` says that one is due, `feed` takes bytes until `complete`."""

    __slots__ = (
        "_ends_with_connection",
        "_fault",
        "_head_bytes",
        "_left_bytes",
        "_max_bytes",
        "_parser",
        "_pieces",
        "_silent_bytes",
        "_without_body",
        "complete",
        "excess",
        "head_complete",
        "headers",
        "keeps_alive",
        "status",
    )

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self.begin("GET", None)

    def begin(self, method: str, max_bytes: int | None) -> None:
        """An answer to `method` comes next. `max_bytes` of its body are taken; None sets no limit."""
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.head_complete = self.complete = self.keeps_alive = False
        self.excess = False
        """Whether anything has come behind the answer. The connection is of no more use then."""
        self._without_body = method in ("HEAD", "CONNECT")
        self._ends_with_connection = False
        self._pieces: list[bytes] = []
        self._max_bytes = max_bytes
        self._left_bytes = max_bytes
        self._head_bytes = self._silent_bytes = 0
        self._fault: httpx.TransportError | None = None

    def feed(self, data: bytes) -> None:
        """Raises `httpx.RemoteProtocolError` and `AnswerTooLarge`. What comes behind a complete answer does not spoil
        it, but the connection: see `excess`."""
        self._silent_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self.excess = True
            if self._fault is not None:
                raise self._fault from None
            if not self.complete:
                raise httpx.RemoteProtocolError(f"not HTTP: {error}") from None
        if self._silent_bytes > MAX_HEAD_BYTES and not self.complete:
            raise _too_long()

    def end(self) -> bool:
        """The connection has ended. Whether that was the end of the answer."""
        if self.head_complete and self._ends_with_connection:
            self.complete = True
        return self.complete

    def take_pieces(self) -> list[bytes]:
        """What has come of the body since it was asked last."""
        pieces, self._pieces = self._pieces, []
        return pieces

    # ── called by the parser ────────────────────────────────────────────────────────────────────────────────────────

    def on_message_begin(self) -> None:
        if self.complete:
            self.excess = True  # an answer to nothing

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.head_complete:
            return  # a trailer
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > MAX_HEAD_BYTES:
            self._fail(_too_long())
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self.head_complete:
            return
        status = self._parser.get_status_code()
        if status < 200:
            self._pass_over(status)
            return
        self.status = status
        self.head_complete = True
        framed = 0
        for name, value in self.headers:
            size = len(name)
            if size == 14:
                framed += name.lower() == b"content-length"
            elif size == 17 and name.lower() == b"transfer-encoding":
                framed += 1
                if value.strip().lower() != b"chunked" or framed > 1:
                    self._fail(httpx.RemoteProtocolError("a transfer encoding that is not just chunked"))
        if self._without_body:
            self.complete = True
        elif not framed and status not in _NO_BODY:
            self._ends_with_connection = True

    def on_body(self, piece: bytes) -> None:
        if self.complete:
            self.excess = True
            return
        self._silent_bytes = 0
        if self._left_bytes is not None:
            self._left_bytes -= len(piece)
            if self._left_bytes < 0:
                self._fail(AnswerTooLarge(self._max_bytes or 0))
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        if self.head_complete and not self.complete:
            self.complete = True
            self.keeps_alive = self._parser.should_keep_alive()

    # ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _pass_over(self, status: int) -> None:
        """An interim answer: the one that counts is still to come. We ask for no other protocol, so 101 is none."""
        if status < 100 or status == 101:
            self._fail(httpx.RemoteProtocolError(f"an answer of status {status}"))
        self.headers = []

    def _fail(self, fault: httpx.TransportError) -> None:
        """The parser does not let an exception through as it is."""
        self._fault = fault
        raise fault


def _too_long() -> httpx.RemoteProtocolError:
    return httpx.RemoteProtocolError(f"more than {MAX_HEAD_BYTES} bytes without a body")
