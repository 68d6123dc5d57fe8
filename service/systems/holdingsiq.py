"""EBSCO HoldingsIQ: exports all holdings of a customer. Asks for an export, waits for it, publishes its rows.

Owns the course of an export over its attempts. A POST makes a new export each time, so before it leaves a note is kept;
who finds the note after a crash, or after an answer was lost, looks for the export in the customer's list first. So
does a replayed dead letter, which may have asked for one at any time since it came in first.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Final

from service.domain.answers import Answer, Finding, Pending, Settled, Verdict, failed
from service.domain.codes import Code
from service.domain.operations import ExportHoldings
from service.engine.ports import CallContext, Journal
from service.engine.retry import Uniform
from service.systems.downloads import Download, Downloads
from service.systems.export_counts import report_of
from service.systems.export_fetching import LinkExpired, fetch
from service.systems.export_note import ExportNote
from service.systems.export_publication import Publication
from service.systems.export_rows import ExportFile
from service.systems.holdingsiq_calls import ExportCalls
from service.systems.holdingsiq_records import ExportRecord, newest
from service.systems.http import Clocks
from service.systems.messages import tidy
from service.systems.resumed_downloads import ResumedDownloads
from service.systems.trouble import Trouble

CLOCK_SECONDS: Final = 300.0
"""What the system's clock may be behind ours."""

LINKS: Final = 3
"""So many links are tried, one fresh one after the other, before the download counts as a stumble."""

SHORTEST_SHARE: Final = 0.75
"""Of a pause between two looks: exports that were asked for together are not looked at together for ever."""

_UNKNOWN_TYPE: Final = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class ExportPolicy:
    """How an export is waited for and how its rows go out. Seconds are those of the settings."""

    poll_initial_seconds: float = 2.0
    poll_max_seconds: float = 60.0
    deadline_seconds: float = 7200.0
    rows_per_commit: int = 2000

    def pause(self, polls: int) -> float:
        """After so many looks: twice the last, up to the longest."""
        return float(min(self.poll_max_seconds, self.poll_initial_seconds * 2 ** min(polls, 30)))


class HoldingsIq:
    """The adapter."""

    def __init__(
        self,
        calls: ExportCalls,
        downloads: Downloads,
        policy: ExportPolicy | None = None,
        clocks: Clocks | None = None,
        uniform: Uniform = random.uniform,
    ) -> None:
        self._calls = calls
        self._downloads = downloads
        self._policy = policy or ExportPolicy()
        self._clocks = clocks or Clocks()
        self._uniform = uniform

    async def attempt(self, step: ExportHoldings, context: CallContext) -> Answer:
        """One attempt: the POST, or one look at the record, or that and the whole download.

        Raises only `OwnershipLost`. Without a journal no export is carried out.
        """
        if context.journal is None:
            raise ValueError("an export needs a journal")
        if step.export_id is None:
            return await self._order(step, context, context.journal)
        return await self._look(step, context, context.journal)

    async def _order(self, step: ExportHoldings, context: CallContext, journal: Journal) -> Answer:
        note = ExportNote.read(journal.note)
        if note.export_id is not None:
            return _named(step, note)
        is_first = note.asked_at is None and context.replayed_since is None
        asked_at = note.asked_at
        if asked_at is None:
            asked_at = int(self._clocks.wall() if is_first else context.replayed_since or 0)
            note = ExportNote(asked_at)
            await journal.keep(note.text)
        if context.uncertain and not is_first:
            records = await self._calls.list(step, context)
            if not isinstance(records, list):
                return _ended(records, step)
            found = newest(records, step.kind or "", asked_at - CLOCK_SECONDS)
            if found is not None:
                return await self._take_up(step, replace(note, export_id=found.id), context, journal)
        made = await self._calls.create(step, context)
        if not isinstance(made, str):
            return _ended(made, step)
        return await self._take_up(step, replace(note, export_id=made), context, journal)

    async def _take_up(self, step: ExportHoldings, note: ExportNote, context: CallContext, journal: Journal) -> Answer:
        if context.replayed_since is not None:
            note = replace(note, asked_at=int(self._clocks.wall()))  # whoever replays has patience anew
        await journal.keep(note.text)
        return _named(step, note)

    async def _look(self, step: ExportHoldings, context: CallContext, journal: Journal) -> Answer:
        expired = Trouble("holdingsiq: every link to the file was refused")
        for _ in range(LINKS):
            record = await self._calls.read(step, context)
            if not isinstance(record, ExportRecord):
                return _ended(record, step)
            if not record.is_completed:
                return self._wait(step, record)
            try:
                return await self._fetch(step, record, context, journal)
            except LinkExpired as refused:
                expired = Trouble(str(refused), 403)
        return expired.answer(step)

    def _wait(self, step: ExportHoldings, record: ExportRecord) -> Answer:
        word = tidy(record.status)[:100]
        if record.has_failed:
            return _settled(failed(Code.REFUSED, 200, f"the export ended with status {word}"))
        now, deadline = self._clocks.wall(), self._policy.deadline_seconds
        since = step.waiting_since if step.waiting_since is not None else now
        left = since + deadline - now
        if left <= 0:
            message = f"the export has not been completed within {deadline:g} s; its status is {word}"
            return _settled(failed(Code.UNAVAILABLE, 200, message))
        longest = self._policy.pause(step.polls)
        pause = min(self._uniform(longest * SHORTEST_SHARE, longest), left)
        return Pending(replace(step, polls=step.polls + 1, waiting_since=since), (None,), pause)

    async def _fetch(
        self, step: ExportHoldings, record: ExportRecord, context: CallContext, journal: Journal
    ) -> Answer:
        if record.link is None:
            return Trouble("holdingsiq: a completed export without a link to its file", 200).answer(step)
        export_type = (record.type or step.kind or _UNKNOWN_TYPE).upper()
        file = ExportFile(step.cust_id, step.export_id or "", export_type)
        publication = Publication(journal, self._policy.rows_per_commit)
        rest = ResumedDownloads(self._downloads, record.link, context.traceparent, context.may_leave)
        async with self._downloads.open(record.link, context.traceparent, context.may_leave) as download:
            if isinstance(download, Download):
                ended = await fetch(download, rest, file, publication, record.size)
            else:
                ended = Trouble(download.message)
        if ended is not None:
            return _ended(ended, step)
        report, message = report_of(file, export_type, record.counts)
        return _settled(Finding(Verdict.SUCCEEDED, 200, None, message, report))


def _named(step: ExportHoldings, note: ExportNote) -> Pending:
    """From now on the step names its export, and so will the result."""
    named = replace(step, export_id=note.export_id, waiting_since=float(note.asked_at or 0))
    return Pending(named, (None,), 0.0)


def _ended(found: Finding | Trouble, step: ExportHoldings) -> Answer:
    return found.answer(step) if isinstance(found, Trouble) else _settled(found)


def _settled(finding: Finding) -> Settled:
    return Settled((finding,))
