"""A download on its way into the journal: rows are published while the next ones are read, and none twice.

Owns what a download that ended too early looks like. It must not call the API.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import aclosing, suppress
from typing import Final

from service.domain.answers import Finding, failed
from service.domain.codes import Code
from service.domain.exports import ExportRow
from service.engine.ports import Journal
from service.systems.downloads import Download, DownloadBroken
from service.systems.export_csv import PageInstead, UnreadableFile
from service.systems.export_rows import ExportFile, ReadRow
from service.systems.messages import tidy
from service.systems.trouble import Trouble

MAX_COMMIT_BYTES: Final = 1_000_000
"""Of rows in one commit, about."""
_REFUSAL_BYTES: Final = 16_384
_XML_WORDS: Final = re.compile(r"<(Code|Message)>([^<]*)</\1>")
"""Of a refusal by the store of the files, and no more of it: it may repeat what the link is signed with."""
_PASSING: Final = frozenset({408, 425, 429})


class LinkExpired(Exception):
    """The link is refused: a fresh one may be taken. The message holds the store's words."""


class Publication:
    """Publishes rows in chunks, in order. One chunk at most is being published while the next is gathered."""

    def __init__(self, journal: Journal, rows_per_commit: int) -> None:
        self._journal = journal
        self._rows_per_commit = rows_per_commit
        self._to_skip = journal.rows
        self._rows: list[ExportRow] = []
        self._bytes = 0
        self._under_way: asyncio.Task[None] | None = None

    @property
    def missing(self) -> int:
        """Rows that were published earlier and have not come by yet."""
        return self._to_skip

    async def add(self, rows: Sequence[ReadRow]) -> None:
        """Rows in the order of the file; those that were published earlier are passed over. Raises `OwnershipLost`."""
        passed = min(self._to_skip, len(rows))
        self._to_skip -= passed
        for read in rows[passed:]:
            if self._rows and self._bytes + read.event_bytes > MAX_COMMIT_BYTES:
                await self._send()
            self._rows.append(read.row)
            self._bytes += read.event_bytes
            if len(self._rows) >= self._rows_per_commit:
                await self._send()

    async def finish(self) -> None:
        """Returns once everything that was added is published. Raises `OwnershipLost`."""
        if self._rows:
            await self._send()
        await self._published()

    async def abandon(self) -> None:
        """Nobody waits for the chunk under way any more."""
        if self._under_way is not None:
            self._under_way.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._under_way

    async def _send(self) -> None:
        rows, self._rows, self._bytes = self._rows, [], 0
        await self._published()
        self._under_way = asyncio.create_task(self._journal.publish(rows))

    async def _published(self) -> None:
        task, self._under_way = self._under_way, None
        if task is not None:
            await task


async def fetch(
    download: Download, file: ExportFile, publication: Publication, stated_bytes: int | None
) -> Finding | Trouble | None:
    """Publish the rows of a download. None when all of it has come; else the refusal, or the trouble.

    Raises `LinkExpired`, and `OwnershipLost`.
    """
    if download.status != 200:
        return await _refusal(download)
    encoding = download.headers.get("content-encoding", "identity").lower()
    if encoding not in ("", "identity"):
        return failed(
            Code.REFUSED, 200, tidy(f"the file comes compressed ({encoding}) although that was not asked for")
        )
    try:
        cut = await _read(download, file, publication, stated_bytes)
        await publication.finish()
    except PageInstead as error:
        return Trouble(f"holdingsiq: {error}", 200)
    except UnreadableFile as error:
        return failed(Code.REFUSED, 200, tidy(str(error)))
    finally:
        await publication.abandon()
    if cut is None and publication.missing:
        return failed(Code.REFUSED, 200, "the file has changed: it has fewer rows than were published of it before")
    return None if cut is None else Trouble(cut, 200)


async def _read(download: Download, file: ExportFile, publication: Publication, stated_bytes: int | None) -> str | None:
    """Why the file is not whole, or None. The last row is taken only when it is."""
    received = 0
    try:
        async with aclosing(download.pieces()) as pieces:
            async for piece in pieces:
                received += len(piece)
                await publication.add(file.feed(piece))
    except DownloadBroken as error:
        return str(error)
    if stated_bytes is not None and received < stated_bytes:
        return f"holdingsiq: the download ended after {received} of the {stated_bytes} bytes that the record states"
    if stated_bytes is None and not download.tells_its_end and file.within_a_line:
        return "holdingsiq: the download ended in the middle of a row"
    await publication.add(file.end())
    return None


async def _refusal(download: Download) -> Finding | Trouble:
    status = download.status
    body = (await download.beginning(_REFUSAL_BYTES)).decode("utf-8", "replace")
    told = ": ".join(text.strip() for _, text in _XML_WORDS.findall(body) if text.strip())
    words = tidy(f"the download was refused: {told}" if told else f"the download was answered with HTTP {status}")
    if status == 403 or (status == 400 and "expired" in told.lower()):
        raise LinkExpired(words)
    if 400 <= status < 500 and status not in _PASSING:
        return failed(Code.REFUSED, status, words)
    return Trouble(words, status, download.retry_after_seconds)
