"""A file whose connection breaks, gone on with where it broke, as long as the store still has the very same file.

Asks for the rest by Range, under the condition (If-Range) that the file's ETag is the same. It must not judge what has
come, and begins nothing anew.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from typing import Final

from service.engine.ports import MayLeave
from service.systems.downloads import Download, DownloadBroken, Downloads, Link, Rest

MOST_RESUMPTIONS: Final = 20
"""Of one file in one attempt, each of which must have brought something: a store that breaks off again and again is
left alone for a while."""
_CONTENT_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)", re.ASCII)


class ResumedDownloads:
    """The rest of files behind one link."""

    def __init__(self, downloads: Downloads, link: Link, traceparent: str | None, may_leave: MayLeave) -> None:
        self._downloads = downloads
        self._link = link
        self._traceparent = traceparent
        self._may_leave = may_leave

    async def pieces(self, first: Download) -> AsyncGenerator[bytes, None]:
        """The body of `first`, and what is missing of it from as many further answers as that takes. Raises
        `DownloadBroken` when it cannot be gone on with, and what `may_leave` raises."""
        received, download, etag = 0, first, first.etag
        async with AsyncExitStack() as opened:
            for left in range(MOST_RESUMPTIONS, -1, -1):
                before = received
                try:
                    async with aclosing(download.pieces()) as pieces:
                        async for piece in pieces:
                            received += len(piece)
                            yield piece
                    return
                except DownloadBroken:
                    if etag is None or received == before or not left:
                        raise
                    await opened.aclose()
                    answer = await opened.enter_async_context(
                        self._downloads.open(self._link, self._traceparent, self._may_leave, Rest(received, etag))
                    )
                    if not isinstance(answer, Download) or not _goes_on(answer, received, first):
                        raise
                    download = answer


def _goes_on(answer: Download, at: int, first: Download) -> bool:
    """Whether this is the rest of the same file. A store that knows no ranges answers with the whole file."""
    found = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
    return (
        answer.status == 206
        and found is not None
        and int(found[1]) == at
        and answer.etag == first.etag
        and answer.encoding == first.encoding
    )
