"""A transport that gives the answers a test wrote down, in their order, and keeps what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpx
import orjson

from service.engine.ports import CallContext
from service.systems.call_observer import CallObserver
from service.systems.folio import FolioGateway
from service.systems.http import Clocks, HttpClient
from service.systems.tokens import StaticToken, TenantTokens

TENANT = "diku"

Scripted: TypeAlias = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class ScriptedTransport(httpx.AsyncBaseTransport):
    """Fails the test when it is asked more than was written down."""

    def __init__(self, *answers: Scripted) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.fresh: list[bool] = []
        """Of each request, whether it wanted a connection of its own."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        self.fresh.append(bool(request.extensions.get("fresh_connection")))
        await asyncio.sleep(0)
        assert self.answers, f"unexpected call: {request.method} {request.url}"
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else answer

    @property
    def calls(self) -> list[str]:
        """Method and path of every request."""
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]

    def body(self, number: int) -> Any:
        """The decoded body of a request, counted from 0."""
        return orjson.loads(self.requests[number].content)


@dataclass(slots=True)
class FakeTime:
    """Both clocks, moved by hand."""

    now: float = 1_000_000.0

    @property
    def clocks(self) -> Clocks:
        return Clocks(wall=lambda: self.now, monotonic=lambda: self.now)


def answer(status: int = 200, content: object = None, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """An answer; `content` is bytes, text, or anything else as JSON."""
    match content:
        case None:
            return httpx.Response(status, headers=headers)
        case bytes():
            return httpx.Response(status, headers=headers, content=content)
        case str():
            return httpx.Response(status, headers=headers, text=content)
        case _:
            given = {"Content-Type": "application/json", **(headers or {})}
            return httpx.Response(status, headers=given, content=orjson.dumps(content))


def http_client(transport: httpx.AsyncBaseTransport, system: str = "system", **options: Any) -> HttpClient:
    return HttpClient(system, "http://gateway/base", transport, **options)


def gateway(
    transport: httpx.AsyncBaseTransport,
    system: str = "system",
    *,
    tenants: Iterable[str] = (TENANT,),
    observer: CallObserver | None = None,
) -> FolioGateway:
    """A gateway whose tenants have tokens already."""
    http = http_client(transport, system, observer=observer)
    credentials = {tenant: StaticToken(f"token-of-{tenant}") for tenant in tenants}
    return FolioGateway(http, TenantTokens(http, credentials, login_seconds=1.0, clocks=Clocks()))


def context(*, uncertain: bool = False, attempt: int = 1, marks: list[str] | None = None) -> CallContext:
    """A context; a name is added to `marks` at every mark."""

    async def mark() -> None:
        if marks is not None:
            marks.append("mark")

    return CallContext(None, uncertain, mark, attempt)
