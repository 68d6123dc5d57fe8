"""Two ways to the same simulated systems: through a transport without any socket, and over a real one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx

from bench.candidates.port import Making
from service.sandbox.exchange import Call, Reply, SimulatedSystem
from service.sandbox.faults import Fault
from service.sandbox.gateway import Gateway
from service.sandbox.holdingsiq.system import DEFAULT_API_KEY as HOLDINGSIQ_API_KEY
from service.sandbox.login import Login
from service.sandbox.server import FOLIO_BASE, HOLDINGSIQ_BASE, SCSB_BASE, Sandbox, SandboxSettings
from service.systems.http import Headers
from service.systems.registry import ConfiguredSystems, SystemsConfig
from service.systems.timeouts import Timeouts
from service.systems.tokens import UserPassword
from tests.contract.cases import TENANT, Case
from tests.fakes.journal import FakeJournal

PASSWORD: Final = "relay-password"
API_KEY: Final = "sandbox-scsb-key"
SECONDS: Final = 0.4
"""How long an answer may take here."""

_TIMEOUTS: Final = Timeouts(
    connect_seconds=2.0,
    eholdings_seconds=SECONDS,
    inventory_seconds=SECONDS,
    holdings_sources_seconds=SECONDS,
    scsb_seconds=SECONDS,
    holdingsiq_seconds=SECONDS,
    download_seconds=SECONDS,
    login_seconds=SECONDS,
)


class World:
    """The simulated systems, and the adapters that reach them."""

    def __init__(self, sandbox: Sandbox, systems: ConfiguredSystems, unreachable: ConfiguredSystems) -> None:
        self.sandbox = sandbox
        self.systems = systems
        self.unreachable = unreachable
        """The same adapters where every connection is refused."""
        self.journal = FakeJournal()
        """Of the one export that a test carries out."""

    def deciding_calls(self, case: Case) -> int:
        """How many of the calls that decide the case reached the system."""
        return sum(
            entry.system == case.system and entry.method == case.method and case.path_contains in entry.path
            for entry in self.sandbox.ledger.entries()
        )

    def calls(self, system: str) -> list[str]:
        """The methods of the calls that reached a system, in order."""
        return [entry.method for entry in self.sandbox.ledger.entries() if entry.system == system]


@asynccontextmanager
async def without_socket() -> AsyncIterator[World]:
    """Calls go to the simulated systems as function calls."""
    sandbox = Sandbox()
    systems = ConfiguredSystems(_config("http://sandbox"), _InProcess(sandbox))
    unreachable = ConfiguredSystems(_config("http://nowhere"), httpx.MockTransport(_refuse))
    try:
        yield World(sandbox, systems, unreachable)
    finally:
        await systems.aclose()
        await unreachable.aclose()


@asynccontextmanager
async def over_sockets(making: Making) -> AsyncIterator[World]:
    """Calls go over the loopback interface to a server."""
    async with Sandbox(settings=SandboxSettings(stop_grace_seconds=0.05)) as sandbox:
        systems = ConfiguredSystems(_config(sandbox.url), making())
        unreachable = ConfiguredSystems(_config("http://127.0.0.1:9"), making())
        try:
            yield World(sandbox, systems, unreachable)
        finally:
            await systems.aclose()
            await unreachable.aclose()


def _config(url: str) -> SystemsConfig:
    return SystemsConfig(
        folio_url=url + FOLIO_BASE + "/",
        tenants={TENANT: UserPassword("relay", PASSWORD)},
        scsb_url=url + SCSB_BASE,
        scsb_api_key=API_KEY,
        holdingsiq_url=url + HOLDINGSIQ_BASE,
        holdingsiq_api_key=HOLDINGSIQ_API_KEY,
        timeouts=_TIMEOUTS,
    )


def _refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("connection refused", request=request)


class _InProcess(httpx.AsyncBaseTransport):
    """Hands a request to the simulated system that serves it, with the sandbox's faults and ledger."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        login = sandbox.systems["login"]
        assert isinstance(login, Login)
        self._gateway = Gateway(login.accounts)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        base = next(b for b in (SCSB_BASE, HOLDINGSIQ_BASE, FOLIO_BASE) if request.url.path.startswith(b + "/"))
        headers: Headers = [(name.decode(), value.decode()) for name, value in request.headers.raw]
        call = Call(
            request.method,
            request.url.path.removeprefix(base),
            dict(request.url.params),
            tuple(headers),
            await request.aread(),
            request.headers.get("x-okapi-tenant", ""),
            "http://sandbox" + base,
        )
        system = next(s for s in self._sandbox.systems.values() if s.serves(call.method, call.path))
        entry = self._sandbox.ledger.open(system.name, call, system.entities)
        armed = self._sandbox.faults.take(system.name, call)
        fault = armed.fault if armed is not None else None
        if fault is not None and (fault.stage == "before" or fault.drop == "before"):
            _break(fault, request, before=True)
        reply: Reply | None = None
        if fault is None or fault.stage == "after" or fault.status is None:
            reply = self._handle(system, call, guarded=base == FOLIO_BASE)
            entry.applied = 0 < reply.status < 400
        if fault is not None:
            _break(fault, request, before=False)
            reply = fault.answer(reply)
        assert reply is not None
        entry.status = reply.status
        content_type = [("Content-Type", reply.content_type)] if reply.content_type else []
        content = reply.body if reply.content is None else b"".join(reply.content.pieces())
        return httpx.Response(reply.status, headers=[*content_type, *reply.headers], content=content)

    def _handle(self, system: SimulatedSystem, call: Call, *, guarded: bool) -> Reply:
        refusal = self._gateway.refusal(call) if guarded else None
        return refusal or system.handle(call)


def _break(fault: Fault, request: httpx.Request, *, before: bool) -> None:
    if fault.delay_seconds > SECONDS and (fault.stage == "before") is before:
        raise httpx.ReadTimeout("no answer in time", request=request)
    if fault.drop == ("before" if before else "after"):
        raise httpx.RemoteProtocolError("server disconnected", request=request)
