"""Files behind links that need no key, streamed: HoldingsIQ hands out presigned links to where its exports are.

A link opens its file to anybody who has it: it is a credential. Owns that it is shown nowhere: no message is made of
an error's own words, which may hold it. It must not judge a status.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx

from service.engine.ports import MayLeave, freely
from service.engine.progress import Progress
from service.systems.call_observer import CallObserver, CallSpan, CallTracer, SilentObserver, begin_span
from service.systems.http import Clocks, Headers, Lost, NotSent
from service.systems.leaving import hand_over
from service.systems.retry_after import retry_after_seconds

OPERATION: Final = "export-download"
"""What the call is named in metrics and traces."""


class Link:
    """A presigned address. Neither `str` nor `repr` shows it, nor does pickling or comparing."""

    __slots__ = ("_address",)

    def __init__(self, address: str) -> None:
        self._address = address

    def reveal(self) -> str:
        """The address itself: for the request and for nothing else."""
        return self._address

    def __repr__(self) -> str:
        return "Link(…)"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a link is a credential: it is not to be stored")


class DownloadBroken(Exception):
    """The body did not come to its end. The message is for people, and tells nothing of the link."""


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a file from a byte on, if it is still the file with that tag."""

    first_byte: int
    etag: str


@dataclass(frozen=True, slots=True)
class Download:
    """An answer whose body is yet to come."""

    status: int
    headers: httpx.Headers
    retry_after_seconds: float | None
    _system: str
    _read_seconds: float
    _response: httpx.Response
    _progress: Progress

    @property
    def length(self) -> int | None:
        """Bytes of the body, as the headers say; None when they do not."""
        text = self.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdigit() else None

    @property
    def etag(self) -> str | None:
        """The file's tag where it promises the same bytes; None for one that does not, or none."""
        text: str = self.headers.get("etag", "").strip()
        return text if text.startswith('"') and text.endswith('"') and len(text) > 2 else None

    @property
    def encoding(self) -> str:
        """Of the content; `identity` where it comes as it is."""
        return self.headers.get("content-encoding", "").strip().lower() or "identity"

    @property
    def tells_its_end(self) -> bool:
        """Whether the body's end is known from something else than that the connection ends."""
        return self.length is not None or "chunked" in self.headers.get("transfer-encoding", "").lower()

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes. Raises `DownloadBroken`."""
        received = 0
        stream = self._response.stream
        if not isinstance(stream, httpx.AsyncByteStream):
            raise TypeError("the transport's answers cannot be streamed")
        try:
            pieces = aiter(stream)
            while True:
                with self._progress.expecting(self._read_seconds):
                    piece = await anext(pieces, None)
                if piece is None:
                    break
                received += len(piece)
                yield piece
        except httpx.TimeoutException:
            raise DownloadBroken(f"{self._system}: the download stood still for {self._read_seconds:g} s") from None
        except (httpx.TransportError, httpx.StreamError):
            raise DownloadBroken(f"{self._system}: connection lost after {received} bytes") from None
        if self.length is not None and received < self.length:
            raise DownloadBroken(f"{self._system}: the download ended after {received} of {self.length} bytes")

    async def beginning(self, most_bytes: int) -> bytes:
        """The body as far as it is of use for a message."""
        body = bytearray()
        try:
            async with aclosing(self.pieces()) as pieces:
                async for piece in pieces:
                    body += piece
                    if len(body) >= most_bytes:
                        break
        except DownloadBroken:
            pass  # what has come is enough
        return bytes(body[:most_bytes])


class Downloads:
    """Opens links."""

    def __init__(
        self,
        system: str,
        transport: httpx.AsyncBaseTransport,
        *,
        headers: Headers = (),
        connect_seconds: float = 5.0,
        read_seconds: float = 60.0,
        observer: CallObserver | None = None,
        clocks: Clocks | None = None,
        progress: Progress | None = None,
        tracer: CallTracer | None = None,
    ) -> None:
        """`headers` go out with every request, and must hold no key. `read_seconds` is the longest time between two
        pieces; a whole download may take as long as it takes."""
        self._system = system
        self._transport = transport
        self._headers = headers
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._observer: CallObserver = observer or SilentObserver()
        self._clocks = clocks or Clocks()
        self._progress = progress or Progress()
        self._tracer = tracer

    @asynccontextmanager
    async def open(
        self, link: Link, traceparent: str | None, may_leave: MayLeave = freely, rest: Rest | None = None
    ) -> AsyncIterator[Download | NotSent | Lost]:
        """The answer, as long as the block lasts. A redirect is not followed. Raises what `may_leave` raises.

        Of a `rest` it is 206 where the store has it, else what the store makes of the request: most often 200 with the
        whole file.
        """
        started = self._clocks.monotonic()
        answer, span = await self._ask(link, traceparent, rest, may_leave)
        status = answer.status if isinstance(answer, Download) else None
        try:
            yield answer
        finally:
            if isinstance(answer, Download):
                await answer._response.aclose()
            self._observer.call_finished(self._system, OPERATION, status, self._clocks.monotonic() - started)
            if span is not None:
                span.end(status)

    async def _ask(
        self, link: Link, traceparent: str | None, rest: Rest | None, may_leave: MayLeave
    ) -> tuple[Download | NotSent | Lost, CallSpan | None]:
        request = self._request(link, traceparent, rest)
        if isinstance(request, NotSent):
            return request, None
        span = begin_span(self._tracer, self._system, OPERATION, request)
        try:
            return await self._send(request, may_leave), span
        except BaseException:
            if span is not None:
                span.end(None)
            raise

    def _request(self, link: Link, traceparent: str | None, rest: Rest | None) -> httpx.Request | NotSent:
        connect, read = self._connect_seconds, self._read_seconds
        headers = [*self._headers, ("Accept", "*/*"), ("Accept-Encoding", "identity")]
        if rest is not None:
            headers += [("Range", f"bytes={rest.first_byte}-"), ("If-Range", rest.etag)]
        if traceparent is not None:
            headers.append(("traceparent", traceparent))
        limits = {"connect": connect, "read": read, "write": read, "pool": connect}
        try:
            url = httpx.URL(link.reveal())
        except (httpx.InvalidURL, TypeError, ValueError):
            return NotSent(f"{self._system}: the link is no address")
        if url.scheme not in ("http", "https") or not url.host:
            return NotSent(f"{self._system}: the link is no address for HTTP")
        return httpx.Request("GET", url, headers=headers, extensions={"timeout": limits, "stream": True})

    async def _send(self, request: httpx.Request, may_leave: MayLeave) -> Download | NotSent | Lost:
        connect, read = self._connect_seconds, self._read_seconds
        try:
            with self._progress.expecting(2 * connect + read):
                response = await hand_over(self._transport, request, may_leave)
        except (httpx.ConnectTimeout, httpx.PoolTimeout):
            return NotSent(f"{self._system}: no connection for the download within {connect:g} s")
        except (httpx.ConnectError, httpx.ProxyError, httpx.UnsupportedProtocol, httpx.LocalProtocolError):
            return NotSent(f"{self._system}: no connection for the download")
        except httpx.TimeoutException:
            return Lost(f"{self._system}: no download within {read:g} s")
        except httpx.TransportError:
            return Lost(f"{self._system}: connection lost before the download began")
        wait = retry_after_seconds(response.headers.get("retry-after"), self._clocks.wall())
        return Download(response.status_code, response.headers, wait, self._system, read, response, self._progress)
