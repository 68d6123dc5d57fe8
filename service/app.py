"""The composition root: builds the adapters from the settings, injects them, and owns the order of start and stop."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from service import __version__
from service import settings as settings_of
from service.domain.collector import set_up_collector
from service.domain.operations import Plan
from service.domain.outcomes import Rejection
from service.domain.record import Record
from service.engine import hearing, pulse
from service.engine.adaptive import AdaptivePolicy
from service.engine.circuit import CircuitPolicy
from service.engine.gates import Gates
from service.engine.intake import IntakeLimits
from service.engine.ports import Source, SourceUnavailable
from service.engine.processing import Processing
from service.engine.progress import Progress
from service.engine.retry import RetryPolicy
from service.engine.retry_allowance import RetryShare
from service.engine.vigil import VigilLimits
from service.engine.worker import Worker, WorkerLimits
from service.kafka.metrics_out import MetricsTopic
from service.kafka.records_out import RecordsOut
from service.kafka.source import KafkaSource
from service.kafka.stores import SharedStores, TransactionalStores, ensure_transactions
from service.kafka.topic_admin import ensure_topics
from service.kafka.topics import DEAD_LETTERS, EXPORT_ROWS, RESULTS
from service.routes import ROUTES, interpret
from service.settings import InvalidSettings, Settings
from service.systems.holdingsiq import ExportPolicy
from service.systems.registry import ConfiguredSystems, SystemsConfig
from service.systems.tokens import Credentials, StaticToken, UserPassword
from service.systems.transport import Http1Transport
from service.telemetry.health import HealthServer
from service.telemetry.log_events import RELAY_STARTED, RELAY_STOPPED, RELAY_STOPPING, TELEMETRY_FAILED, Log, places
from service.telemetry.metrics import Metrics
from service.telemetry.observing import Telemetry
from service.telemetry.readiness import Readiness
from service.telemetry.reporter import Reporter
from service.telemetry.reporting import Reporting
from service.telemetry.sampling import Sampler
from service.telemetry.status import Status
from service.telemetry.watchdog import Watchdog

if TYPE_CHECKING:
    from service.telemetry.tracing import Tracing

DRAIN_SHARE = 0.5
"""Of the rebalance time-out, what calls under way may use up; the rest is for commits and for joining."""
BEAT_SECONDS = 1.0
START_SECONDS = 60.0
START_PAUSE_SECONDS = 1.0
TRACES_SECONDS = 3.0
"""For the last spans, at the end."""


class Relay:
    """One worker process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._log = Log()
        self._metrics = Metrics()
        self._tracing = _tracing(settings)
        self._telemetry = self._tracing.telemetry(self._metrics) if self._tracing else Telemetry(self._metrics)
        self._progress = Progress()
        self._watchdog = Watchdog(self._telemetry.stalled)
        self._systems = ConfiguredSystems(
            systems_config(settings),
            Http1Transport(),
            self._telemetry,
            progress=self._progress,
            tracer=self._tracing,
        )
        self._stores = _stores(settings)
        self._topics = sorted({settings.topics.prefix + route.topic for route in ROUTES})
        self._source = KafkaSource(settings.kafka, self._topics, self._stores, self._telemetry.metadata_damaged)
        self._worker = self._build_worker(self._source)
        self._sampler = Sampler(
            self._metrics.standing,
            self._metrics.process.loop_delay_seconds,
            lambda: self._worker.state,
            self._source.ends,
            lambda: sum(self._metrics.events.settled_by_outcome().values()),
        )
        self._metrics_topic = MetricsTopic(settings.kafka, settings.topics.prefix, _event_source(settings))
        self._name = _worker_name()
        self._started_at = time.time()
        self._reporting = Reporting(
            Reporter(self._name, settings.kafka.group_id, self._metrics, lambda: self._telemetry.open_circuits),
            self._metrics_topic.publish,
            settings.metrics.interval_seconds,
            self._metrics.process,
        )
        self._health = HealthServer(self, self._metrics.registry, settings.http.host, settings.http.port)

    @property
    def trouble(self) -> str | None:
        return self._watchdog.trouble

    @property
    def readiness(self) -> Readiness:
        return Readiness(self._worker.membership, tuple(self._telemetry.open_circuits))

    @property
    def status(self) -> Status:
        """Asked by the thread of health: made of what no other thread changes."""
        return Status(
            now=time.time(),
            worker=self._name,
            group=self._settings.kafka.group_id,
            started_at=self._started_at,
            trouble=self.trouble,
            readiness=self.readiness,
            standing=self._metrics.standing.state,
            settled=self._metrics.events.settled_by_outcome(),
            failures=self._telemetry.latest_failures,
        )

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT. Raises `SourceUnavailable` when Kafka cannot be had at the start, or lacks what
        the delivery mode or the topics need; `OSError` when the health port is taken."""
        settings = self._settings
        set_up_collector()
        self._stop_on_signals()
        if settings.http.port:
            await self._health.start()
        try:
            await self._await_kafka()
            self._log.say(
                RELAY_STARTED,
                version=__version__,
                delivery=settings.delivery,
                group=settings.kafka.group_id,
                topics=self._topics,
            )
            if not self._worker.stopping:
                await self._run_watched()
        finally:
            await self._stores.close()
            await self._systems.aclose()
            if self._tracing is not None:
                await self._tracing.close(TRACES_SECONDS)
            await self._health.stop()
            self._log.say(RELAY_STOPPED)

    async def _run_watched(self) -> None:
        self._watchdog.start()
        beside = [
            asyncio.create_task(watching, name=name)
            for name, watching in {
                "beat": self._beat(),
                "sampler": self._sampler.run(),
                "reporting": self._reporting.run(),
            }.items()
        ]
        for task in beside:
            task.add_done_callback(self._ended)
        try:
            await self._worker.run(lambda: self._settings.shutdown.grace_seconds)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)
            self._sampler.look()
            await self._reporting.finish()
            await self._metrics_topic.close()
            self._watchdog.stop()

    def _ended(self, watching: asyncio.Task[None]) -> None:
        if not watching.cancelled() and (error := watching.exception()) is not None:
            self._log.say(TELEMETRY_FAILED, task=watching.get_name(), error=type(error).__name__, places=places(error))

    async def _beat(self) -> None:
        while True:
            self._watchdog.beat(self._worker.stalled_seconds)
            await asyncio.sleep(BEAT_SECONDS)

    def _build_worker(self, source: Source) -> Worker:
        settings = self._settings
        retry = settings.retry
        slots = settings.limits.calls_per_system or max(1, settings.concurrency * 15 // 16)
        processing = Processing(
            self._systems,
            Gates(
                CircuitPolicy(longest_pause_seconds=retry.max_seconds),
                random.uniform,
                self._telemetry,
                slots,
                RetryShare(retry.share_of_load, retry.per_second),
                AdaptivePolicy() if settings.limits.adaptive else None,
            ),
            RetryPolicy(retry.max_attempts, retry.initial_seconds, retry.max_seconds, retry.deadline_seconds),
            settings.concurrency,
            random.uniform,
            self._telemetry,
        )
        limits = WorkerLimits(
            IntakeLimits(settings.limits.buffered_records, settings.limits.buffered_bytes),
            settings.kafka.rebalance_timeout_seconds * DRAIN_SHARE,
            VigilLimits(
                settings.kafka.session_timeout_seconds * pulse.SHARE_OF_SESSION,
                settings.kafka.session_timeout_seconds * hearing.SHARE_OF_SESSION,
            ),
            settings.limits.updates_together,
        )
        render = RecordsOut(_event_source(settings))
        return Worker(
            source,
            _interpret(settings),
            processing,
            render,
            render.rows,
            limits,
            self._telemetry,
            progress=self._progress,
            trace=self._tracing.begin_record if self._tracing else None,
        )

    async def _await_kafka(self) -> None:
        """Brokers and topics may come up after the worker, as they do on a cluster; past `START_SECONDS` it is a
        fault."""
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while not self._worker.stopping:
            try:
                await self._check_kafka()
                return
            except SourceUnavailable as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                self._telemetry.source_failed(str(error))
            await self._worker.stopped_within(START_PAUSE_SECONDS)

    async def _check_kafka(self) -> None:
        settings = self._settings
        states = await ensure_topics(settings.kafka, settings.topics.prefix, create=False)
        written = (RESULTS, DEAD_LETTERS, EXPORT_ROWS) if settings.holdingsiq.url else (RESULTS, DEAD_LETTERS)
        needed = {*self._topics, *(settings.topics.prefix + name for name in written)}
        missing = [state.name for state in states if state.missing and state.name in needed]
        if missing:
            raise SourceUnavailable(f"topics are missing: {', '.join(missing)}; `holdings-relay topics` creates them")
        if settings.delivery == "exactly_once":
            await ensure_transactions(settings.kafka)

    def _stop_on_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled, number)

    def _signalled(self, number: signal.Signals) -> None:
        if self._worker.stopping:
            os._exit(128 + number)
        self._log.say(RELAY_STOPPING, signal=number.name)
        self._worker.stop()


def _tracing(settings: Settings) -> Tracing | None:
    """None where traces are off: then OpenTelemetry is not even imported. Raises `InvalidSettings` where it is not
    installed."""
    if not settings.traces.enabled:
        return None
    try:
        from service.telemetry.tracing import Tracing, otlp_processor
    except ModuleNotFoundError as error:
        extra = "RELAY_TRACES__ENABLED: the extra is not installed; pip install 'holdings-relay[otel]'"
        raise InvalidSettings([extra]) from error
    return Tracing(otlp_processor())


def _event_source(settings: Settings) -> str:
    """The CloudEvents source of all that a worker publishes."""
    return f"/holdings-relay/{settings.kafka.group_id}"


def _worker_name() -> str:
    """Tells this worker from all others that run."""
    return f"{socket.gethostname()}-{os.getpid()}"


def _interpret(settings: Settings) -> Callable[[Record], Plan | Rejection]:
    return partial(interpret, default_tenant=settings.folio.tenant, max_bytes=settings.limits.event_bytes)


def _stores(settings: Settings) -> TransactionalStores | SharedStores:
    made = TransactionalStores if settings.delivery == "exactly_once" else SharedStores
    return made(settings.kafka, settings.topics.prefix)


def systems_config(settings: Settings) -> SystemsConfig:
    """Which systems there are, how to call them, and with what credentials."""
    folio, scsb, holdingsiq = settings.folio, settings.scsb, settings.holdingsiq
    tenants: dict[str, Credentials] = {tenant: _credentials(given) for tenant, given in folio.tenants.items()}
    if folio.tenant and folio.given:
        tenants[folio.tenant] = _credentials(folio)
    return SystemsConfig(
        folio_url=str(folio.url) if folio.url else None,
        tenants=tenants,
        scsb_url=str(scsb.url) if scsb.url else None,
        scsb_api_key=scsb.api_key.get_secret_value() if scsb.api_key else None,
        holdingsiq_url=str(holdingsiq.url) if holdingsiq.url else None,
        holdingsiq_api_key=holdingsiq.api_key.get_secret_value() if holdingsiq.api_key else None,
        exports=ExportPolicy(**settings.exports.model_dump()),
        create_missing_sources=settings.holdings_sources.create_missing,
        user_agent=f"holdings-relay/{__version__}",
    )


def _credentials(given: settings_of.Credentials) -> Credentials:
    if given.token:
        return StaticToken(given.token.get_secret_value())
    return UserPassword(given.username or "", given.password.get_secret_value() if given.password else "")
