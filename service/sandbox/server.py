"""The sandbox's HTTP server: one port for every simulated system and the control API.

Owns the way of a call: ledger, fault, latency, gateway, system, answer. It must not know what any system answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType, TracebackType
from typing import Final

from aiohttp import web

from service.sandbox.control import Control
from service.sandbox.exchange import Call, JsonValue, Reply, SimulatedSystem, text_reply
from service.sandbox.faults import Fault, Faults
from service.sandbox.gateway import Gateway
from service.sandbox.ledger import Entry, Ledger
from service.sandbox.login import Login
from service.sandbox.sending import goes_out_in_pieces, send
from service.sandbox.systems import default_systems

FOLIO_BASE: Final = "/folio"
SCSB_BASE: Final = "/scsb"
HOLDINGSIQ_BASE: Final = "/holdingsiq"
CONTROL_BASE: Final = "/_sandbox"

_OWN_BASES: Final[Mapping[str, str]] = MappingProxyType({"scsb": SCSB_BASE, "holdingsiq": HOLDINGSIQ_BASE})
_NO_QUERY: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """How the server behaves. Latencies are seconds by system name, waited before the system handles a call.

    A body above `max_body_bytes` is answered with 413.
    At the stop, calls under way get `stop_grace_seconds` to end; then they are cut off. Idle connections never delay
    it.
    """

    latency_seconds: Mapping[str, float] = field(default_factory=dict)
    max_ledger_entries: int = 200_000
    max_body_bytes: int = 256 * 1024 * 1024
    stop_grace_seconds: float = 0.5


class Sandbox:
    """The running sandbox; used by tests in process (`async with Sandbox(...) as sandbox`) and by the command line.

    `systems` None means fresh ones of every kind. One named "scsb" lives behind `/scsb`, "holdingsiq" behind
    `/holdingsiq`, every other one behind `/folio`, guarded by the gateway; without a `Login` among them there are no
    accounts and the gateway lets everything through.
    """

    def __init__(
        self, systems: Iterable[SimulatedSystem] | None = None, settings: SandboxSettings | None = None
    ) -> None:
        self.settings = settings or SandboxSettings()
        self.systems: dict[str, SimulatedSystem] = {
            system.name: system for system in (default_systems() if systems is None else systems)
        }
        self.ledger = Ledger(self.settings.max_ledger_entries)
        self.faults = Faults()
        self.control = Control(self.ledger, self.faults, self.systems)
        login = self.systems.get("login")
        self._gateway = Gateway(login.accounts) if isinstance(login, Login) else None
        self._bases: dict[str, list[SimulatedSystem]] = {}
        for system in self.systems.values():
            self._bases.setdefault(_OWN_BASES.get(system.name, FOLIO_BASE), []).append(system)
        self._runner: web.ServerRunner | None = None
        self._url: str | None = None

    @property
    def url(self) -> str:
        """Root of the server, without a slash at the end. Raises RuntimeError before the start."""
        if self._url is None:
            raise RuntimeError("the sandbox is not running")
        return self._url

    @property
    def folio_url(self) -> str:
        """What the relay takes for the FOLIO gateway."""
        return self.url + FOLIO_BASE

    @property
    def scsb_url(self) -> str:
        """What the relay takes for SCSB."""
        return self.url + SCSB_BASE

    @property
    def holdingsiq_url(self) -> str:
        """What the relay takes for HoldingsIQ; the paths of the RM API begin below it with `/rm`."""
        return self.url + HOLDINGSIQ_BASE

    @property
    def control_url(self) -> str:
        """Root of the control API."""
        return self.url + CONTROL_BASE

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listens; port 0 takes a free one. Raises OSError when the port is taken."""
        requests = partial(
            web.BaseRequest, loop=asyncio.get_running_loop(), client_max_size=self.settings.max_body_bytes
        )
        server = web.Server(self._answer, request_factory=requests, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=self.settings.stop_grace_seconds)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port, backlog=1024).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        bound_port = int(runner.addresses[0][1])
        self._url = f"http://{f'[{host}]' if ':' in host else host}:{bound_port}"

    async def stop(self) -> None:
        """Stops listening and closes every connection; harmless when it is not running."""
        runner, self._runner, self._url = self._runner, None, None
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Sandbox:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def load(self, state: Mapping[str, JsonValue]) -> None:
        """Loads seed data by system, as PUT /_sandbox/state does. Raises ValueError that names system and field."""
        self.control.load(state)

    def reset(self) -> None:
        """Every system back to its start, no faults, an empty ledger."""
        self.control.reset()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.rel_url.path
        if path.startswith(CONTROL_BASE + "/"):
            return _response(self.control.handle(await _call(request, CONTROL_BASE)))
        for base, systems in self._bases.items():
            if path.startswith(base + "/"):
                call = await _call(request, base)
                for system in systems:
                    if system.serves(call.method, call.path):
                        return await self._relay(request, system, call)
        await request.read()
        return _response(text_reply(404, f"The sandbox does not serve {request.method} {path}"))

    async def _relay(self, request: web.BaseRequest, system: SimulatedSystem, call: Call) -> web.StreamResponse:
        entry = self.ledger.open(system.name, call, system.entities)
        armed = self.faults.take(system.name, call)
        fault = armed.fault if armed is not None else None
        entry.fault = armed.name if armed is not None else None
        reply = await self._reply(system, call, entry, fault)
        if reply is None:
            self.ledger.close(entry, None)
            return _cut_off(request)
        if reply.status == 0:
            await _silence(request)
            self.ledger.close(entry, None)
            return _cut_off(request)
        if not goes_out_in_pieces(reply, fault):
            self.ledger.close(entry, reply.status)
            return _response(reply)
        try:
            return await send(request, reply, fault)
        finally:
            self.ledger.close(entry, reply.status)

    async def _reply(self, system: SimulatedSystem, call: Call, entry: Entry, fault: Fault | None) -> Reply | None:
        """What is sent back; None to cut the connection, status 0 for silence."""
        latency = self.settings.latency_seconds.get(system.name, 0.0)
        if fault is None:
            if latency:
                await asyncio.sleep(latency)
            return self._handle(system, call, entry)
        early = fault.stage == "before"
        await asyncio.sleep(latency + (fault.delay_seconds if early else 0.0))
        if fault.drop == "before":
            return None
        real = None if early and fault.status is not None else self._handle(system, call, entry)
        if not early:
            await asyncio.sleep(fault.delay_seconds)
        if fault.drop == "after":
            return None
        return real if real is not None and real.status == 0 else fault.answer(real)

    def _handle(self, system: SimulatedSystem, call: Call, entry: Entry) -> Reply:
        refusal = self._gateway.refusal(call) if self._gateway is not None and system.name not in _OWN_BASES else None
        if refusal is not None:
            return refusal
        reply = system.handle(call)
        entry.applied = 0 < reply.status < 400
        return reply


async def _call(request: web.BaseRequest, base: str) -> Call:
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers)
    query = dict(request.rel_url.query) if request.rel_url.raw_query_string else _NO_QUERY
    body = await request.read() if request.body_exists else b""
    tenant = request.headers.get("X-Okapi-Tenant", "")
    base_url = f"http://{request.headers.get('Host', 'localhost')}{base}"
    return Call(request.method, request.rel_url.path[len(base) :], query, headers, body, tenant, base_url)


def _response(reply: Reply) -> web.Response:
    response = web.Response(status=reply.status, body=reply.body or None)
    for name, value in reply.headers:
        response.headers.add(name, value)
    if reply.content_type is not None:
        response.headers["Content-Type"] = reply.content_type
    elif reply.body:
        response.headers["Content-Type"] = "application/octet-stream"
    return response


def _cut_off(request: web.BaseRequest) -> web.Response:
    # The answer below goes nowhere: its connection is closed already, which is what the client is meant to see.
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _silence(request: web.BaseRequest) -> None:
    # aiohttp tells of a lost connection by nothing but the transport
    while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
        await asyncio.sleep(0.05)
