"""The adapter of HoldingsIQ with everything around it: scripted answers, a journal, and clocks moved by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from service.domain.answers import Answer, Finding, Pending, Settled
from service.domain.operations import ExportHoldings
from service.engine.ports import CallContext
from service.engine.retry import Uniform
from service.systems.downloads import Downloads
from service.systems.holdingsiq import ExportPolicy, HoldingsIq
from service.systems.holdingsiq_calls import ExportCalls, holdingsiq_headers
from service.systems.http import HttpClient
from tests.builders.exports import EXPORT_ID, pieces_of, record
from tests.fakes.journal import FakeJournal
from tests.unit.systems.scripted import FakeTime, Scripted, ScriptedTransport, answer

API_KEY = "the-key"
NEW = ExportHoldings("apidemo", "KBART2", "CSV", None)
EXISTING = ExportHoldings("apidemo", None, "CSV", EXPORT_ID)
LIST = "GET /holdingsiq/rm/rmaccounts/apidemo/exports"
POST = "POST /holdingsiq/rm/rmaccounts/apidemo/exports"
GET = f"GET /holdingsiq/rm/rmaccounts/apidemo/exports/{EXPORT_ID}"
FILE = "GET /bucket/testExport"


@dataclass(slots=True)
class Subject:
    """One worker's adapter. Hand the journal on to the next for another life."""

    transport: ScriptedTransport
    journal: FakeJournal
    time: FakeTime
    holdingsiq: HoldingsIq
    uncertain: bool = field(default=False)

    async def attempt(
        self, step: ExportHoldings, *, uncertain: bool = False, replayed_since: float | None = None
    ) -> Answer:
        async def mark() -> None:
            raise AssertionError("an export keeps notes; they are its marks")

        context = CallContext("00-trace", uncertain, mark, 1, journal=self.journal, replayed_since=replayed_since)
        return await self.holdingsiq.attempt(step, context)

    async def settle(self, step: ExportHoldings, *, uncertain: bool = False) -> Finding:
        """Attempt until it is settled, through whatever is pending."""
        result = await self.attempt(step, uncertain=uncertain)
        while isinstance(result, Pending):
            assert isinstance(result.remaining, ExportHoldings)
            self.time.now += result.pause_seconds
            result = await self.attempt(result.remaining, uncertain=uncertain)
        assert isinstance(result, Settled), result
        [finding] = result.findings
        return finding

    @property
    def calls(self) -> list[str]:
        """Without what a link is signed with."""
        return [call.partition("?")[0] for call in self.transport.calls]


def longest(low: float, high: float) -> float:
    return high


def subject(
    *answers: Scripted, journal: FakeJournal | None = None, uniform: Uniform = longest, **policy: Any
) -> Subject:
    """An adapter that is answered so, one after the other."""
    transport, time = ScriptedTransport(*answers), FakeTime()
    http = HttpClient(
        "holdingsiq",
        "https://api.example/holdingsiq",
        transport,
        headers=holdingsiq_headers(API_KEY),
        clocks=time.clocks,
    )
    downloads = Downloads("holdingsiq", transport, clocks=time.clocks)
    adapter = HoldingsIq(ExportCalls(http, 30.0), downloads, ExportPolicy(**policy), time.clocks, uniform)
    return Subject(transport, journal or FakeJournal(), time, adapter)


def created(export_id: str = EXPORT_ID) -> httpx.Response:
    return answer(202, {"custId": "apidemo", **record("QUEUED", id=export_id)})


def shown(status: str = "COMPLETED", **members: Any) -> httpx.Response:
    return answer(200, record(status, **members))


def file(
    content: bytes, *, piece_bytes: int = 100, length: int | None = None
) -> Callable[[httpx.Request], httpx.Response]:
    """A download in pieces. `length` is what its head says in place of the true length."""

    async def pieces() -> AsyncIterator[bytes]:
        for piece in pieces_of(content, piece_bytes):
            yield piece

    headers = {"Content-Length": str(len(content) if length is None else length)}
    return lambda request: httpx.Response(200, headers=headers, content=pieces())


def cut_file(
    content: bytes,
    at: int,
    error: Exception,
    *,
    piece_bytes: int = 100,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Callable[[httpx.Request], httpx.Response]:
    """A download whose connection breaks after so many bytes."""

    async def pieces() -> AsyncIterator[bytes]:
        for piece in pieces_of(content[:at], piece_bytes):
            yield piece
        raise error

    all_headers = {"Content-Length": str(len(content)), **(headers or {})}
    return lambda request: httpx.Response(status, headers=all_headers, content=pieces())


def expired() -> httpx.Response:
    return answer(
        403,
        b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Request has expired</Message>"
        b"<StringToSign>AWS4-SESAME</StringToSign></Error>",
        {"Content-Type": "application/xml"},
    )
