"""A download on its way into the journal: rows are published while the next ones are read.

Owns what a download that ended too early looks like. It must not call the API.
"""

from __future__ import annotations

import re
from contextlib import aclosing
from typing import Final

from service.domain.answers import Finding, failed
from service.domain.codes import Code
from service.systems.downloads import Download, DownloadBroken
from service.systems.export_csv import PageInstead, UnreadableFile
from service.systems.export_publication import FileChanged, Publication
from service.systems.export_rows import ExportFile
from service.systems.messages import tidy
from service.systems.resumed_downloads import ResumedDownloads
from service.systems.trouble import Trouble

_REFUSAL_BYTES: Final = 16_384
_XML_WORDS: Final = re.compile(r"<(Code|Message)>([^<]*)</\1>")
"""Of a refusal by the store of the files, and no more of it: it may repeat what the link is signed with."""
_PASSING: Final = frozenset({408, 425, 429})


class LinkExpired(Exception):
    """The link is refused: a fresh one may be taken. The message holds the store's words."""


async def fetch(
    download: Download,
    rest: ResumedDownloads,
    file: ExportFile,
    publication: Publication,
    stated_bytes: int | None,
) -> Finding | Trouble | None:
    """Publish the rows of a download. None when all of it has come; else the refusal, or the trouble.

    Raises `LinkExpired`, and `OwnershipLost`.
    """
    if download.status != 200:
        return await _refusal(download)
    if download.encoding != "identity":
        return failed(
            Code.REFUSED, 200, tidy(f"the file comes compressed ({download.encoding}) although that was not asked for")
        )
    try:
        cut = await _read(download, rest, file, publication, stated_bytes)
        await publication.finish()
        if cut is None:
            publication.check_whole()
    except PageInstead as error:
        return Trouble(f"holdingsiq: {error}", 200)
    except (UnreadableFile, FileChanged) as error:
        return failed(Code.REFUSED, 200, tidy(str(error)))
    finally:
        await publication.abandon()
    return None if cut is None else Trouble(cut, 200)


async def _read(
    download: Download,
    rest: ResumedDownloads,
    file: ExportFile,
    publication: Publication,
    stated_bytes: int | None,
) -> str | None:
    """Why the file is not whole, or None. The last row is taken only when it is."""
    received = 0
    try:
        async with aclosing(rest.pieces(download)) as pieces:
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
