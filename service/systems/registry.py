"""All systems behind one door: routes a step to its adapter, and says which steps cannot be carried out here at all.

Owns the making and closing of the adapters. It must not read the environment or judge an answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import httpx

from service.domain.answers import Answer, Finding, Joint, failed
from service.domain.codes import Code
from service.domain.operations import (
    ExportHoldings,
    Step,
    Transfer,
    UpdateResource,
    system_of,
)
from service.engine.batching import BatchLimits
from service.engine.ports import CallContext
from service.engine.progress import Progress
from service.systems.call_observer import CallObserver, CallTracer
from service.systems.downloads import Downloads
from service.systems.eholdings import Eholdings
from service.systems.export_reading import ExportReader
from service.systems.folio import FolioGateway
from service.systems.holdings_sources import HoldingsSources
from service.systems.holdingsiq import ExportPolicy, HoldingsIq
from service.systems.holdingsiq_calls import ExportCalls, holdingsiq_headers
from service.systems.http import Clocks, Headers, HttpClient
from service.systems.inventory import Inventory
from service.systems.scsb import Scsb, scsb_headers
from service.systems.source_reading import SourceReader
from service.systems.timeouts import Timeouts
from service.systems.tokens import Credentials, TenantTokens, Token
from service.systems.trouble import Trouble, trouble_of

Transport: TypeAlias = httpx.AsyncBaseTransport
"""What carries the calls of all systems."""
_Attempt: TypeAlias = Callable[[Any, CallContext], Awaitable[Answer]]
"""Of one system, for its own steps."""


@dataclass(frozen=True, slots=True)
class SystemsConfig:
    """Where the systems are and how to call them. A system whose address is None is not configured."""

    folio_url: str | None = None
    tenants: Mapping[str, Credentials] = field(default_factory=dict)
    """Credentials by FOLIO tenant; the default tenant's among them."""
    scsb_url: str | None = None
    scsb_api_key: str | None = field(default=None, repr=False)
    holdingsiq_url: str | None = None
    holdingsiq_api_key: str | None = field(default=None, repr=False)
    exports: ExportPolicy = field(default_factory=ExportPolicy)
    create_missing_sources: bool = False
    timeouts: Timeouts = field(default_factory=Timeouts)
    batch_limits: BatchLimits = field(default_factory=BatchLimits)
    user_agent: str = "holdings-relay"


@dataclass(frozen=True, slots=True)
class _Folio:
    tokens: TenantTokens
    eholdings: Eholdings
    inventory: Inventory
    holdings_sources: HoldingsSources
    source_reader: SourceReader


class ConfiguredSystems:
    """The engine's `Systems`, and the readers that `inspect` uses."""

    def __init__(
        self,
        config: SystemsConfig,
        transport: Transport,
        observer: CallObserver | None = None,
        clocks: Clocks | None = None,
        progress: Progress | None = None,
        tracer: CallTracer | None = None,
    ) -> None:
        """Takes over `transport`, which `aclose` closes. `observer` is told of every call, `tracer` makes a span of
        each."""
        self._tracer = tracer
        self._config = config
        self._transport = transport
        self._observer = observer
        self._clocks = clocks or Clocks()
        self._progress = progress or Progress()
        self._folio = self._open_folio(config.folio_url) if config.folio_url else None
        self._scsb = self._open_scsb(config.scsb_url) if config.scsb_url else None
        self._holdingsiq = self._open_holdingsiq(config.holdingsiq_url) if config.holdingsiq_url else None
        self._exports = self._open_exports(config.holdingsiq_url) if config.holdingsiq_url else None
        self._attempts: dict[str, _Attempt] = {}
        """Of the adapters that there are, by the words of `system_of`."""
        if self._folio is not None:
            self._attempts["eholdings"] = self._folio.eholdings.attempt
            self._attempts["inventory"] = self._folio.inventory.attempt
            self._attempts["holdings-sources"] = self._folio.holdings_sources.attempt
        if self._scsb is not None:
            self._attempts["scsb"] = self._scsb.attempt
        if self._holdingsiq is not None:
            self._attempts["holdingsiq"] = self._holdingsiq.attempt

    @property
    def eholdings(self) -> Eholdings | None:
        """None where FOLIO is not configured."""
        return self._folio.eholdings if self._folio is not None else None

    @property
    def inventory(self) -> Inventory | None:
        """None where FOLIO is not configured."""
        return self._folio.inventory if self._folio is not None else None

    @property
    def holdings_sources(self) -> HoldingsSources | None:
        """None where FOLIO is not configured."""
        return self._folio.holdings_sources if self._folio is not None else None

    @property
    def source_reader(self) -> SourceReader | None:
        """None where FOLIO is not configured."""
        return self._folio.source_reader if self._folio is not None else None

    @property
    def scsb(self) -> Scsb | None:
        """None where SCSB is not configured."""
        return self._scsb

    @property
    def exports(self) -> ExportReader | None:
        """None where HoldingsIQ is not configured."""
        return self._exports

    @property
    def tenants(self) -> tuple[str, ...]:
        """Tenants with credentials."""
        return tuple(self._config.tenants)

    async def log_in(self, tenant: str) -> Trouble | None:
        """Why no token can be had for a tenant; None when there is one. Raises LookupError where FOLIO is not
        configured."""
        if self._folio is None:
            raise LookupError("FOLIO is not configured")
        token = await self._folio.tokens.token(tenant, None)
        return None if isinstance(token, Token) else trouble_of(token, changes=False)

    def unconfigured(self, step: Step) -> Finding | None:
        """A failed finding when the step's system has no address here, or its tenant no credentials; None otherwise."""
        system = system_of(step)
        if isinstance(step, Transfer):
            return _not_configured(system) if self._scsb is None else None
        if isinstance(step, ExportHoldings):
            return _not_configured(system) if self._holdingsiq is None else None
        if self._folio is None:
            return _not_configured(system)
        if not self._folio.tokens.knows(step.tenant):
            named = f"tenant {step.tenant!r} has no credentials here" if step.tenant else "no tenant, and no default"
            return failed(Code.TENANT_NOT_CONFIGURED, None, f"{system}: {named}")
        return None

    async def attempt(self, step: Step, context: CallContext) -> Answer:
        """One attempt at a step that `unconfigured` has nothing against. Raises only `OwnershipLost`."""
        attempt = self._attempts.get(system_of(step))
        if attempt is None:
            raise LookupError(f"{system_of(step)} is not configured; ask `unconfigured` first")
        return await attempt(step, context)

    async def attempt_together(self, steps: Sequence[Step], context: CallContext) -> Joint:
        """See `engine.ports.Systems`."""
        updates = [step for step in steps if isinstance(step, UpdateResource)]
        if self._folio is None or len(updates) < len(steps):
            raise LookupError("only updates of one resource of eholdings may be attempted together")
        return await self._folio.eholdings.attempt_together(updates, context)

    async def aclose(self) -> None:
        """Ends what is under way and closes every connection."""
        if self._folio is not None:
            await self._folio.inventory.aclose()
            await self._folio.holdings_sources.aclose()
            await self._folio.tokens.aclose()
        await self._transport.aclose()

    def _open_folio(self, url: str) -> _Folio:
        timeouts, clocks = self._config.timeouts, self._clocks
        tokens = TenantTokens(
            self._client("login", url),
            self._config.tenants,
            login_seconds=timeouts.login_seconds,
            clocks=clocks,
        )
        sources_gateway = FolioGateway(self._client("holdings-sources", url), tokens)
        sources = HoldingsSources(
            sources_gateway,
            read_seconds=timeouts.holdings_sources_seconds,
            create_missing=self._config.create_missing_sources,
            clocks=clocks,
        )
        inventory = FolioGateway(self._client("inventory", url), tokens)
        return _Folio(
            tokens,
            Eholdings(FolioGateway(self._client("eholdings", url), tokens), timeouts.eholdings_seconds),
            Inventory(inventory, sources, timeouts, self._config.batch_limits),
            sources,
            SourceReader(sources_gateway, timeouts.holdings_sources_seconds),
        )

    def _open_scsb(self, url: str) -> Scsb:
        headers = scsb_headers(self._config.scsb_api_key or "")
        return Scsb(self._client("scsb", url, headers), self._config.timeouts.scsb_seconds)

    def _open_holdingsiq(self, url: str) -> HoldingsIq:
        timeouts = self._config.timeouts
        headers = holdingsiq_headers(self._config.holdingsiq_api_key or "")
        downloads = Downloads(
            "holdingsiq",
            self._transport,
            headers=(("User-Agent", self._config.user_agent),),
            connect_seconds=timeouts.connect_seconds,
            read_seconds=timeouts.download_seconds,
            observer=self._observer,
            clocks=self._clocks,
            progress=self._progress,
            tracer=self._tracer,
        )
        calls = ExportCalls(self._client("holdingsiq", url, headers), timeouts.holdingsiq_seconds)
        return HoldingsIq(calls, downloads, self._config.exports, self._clocks)

    def _open_exports(self, url: str) -> ExportReader:
        headers = holdingsiq_headers(self._config.holdingsiq_api_key or "")
        return ExportReader(self._client("holdingsiq", url, headers), self._config.timeouts.holdingsiq_seconds)

    def _client(self, system: str, url: str, headers: Headers = ()) -> HttpClient:
        return HttpClient(
            system,
            url,
            self._transport,
            headers=(("User-Agent", self._config.user_agent), *headers),
            connect_seconds=self._config.timeouts.connect_seconds,
            observer=self._observer,
            clocks=self._clocks,
            progress=self._progress,
            tracer=self._tracer,
        )


def _not_configured(system: str) -> Finding:
    return failed(Code.SYSTEM_NOT_CONFIGURED, None, f"{system} has no address in the settings")
