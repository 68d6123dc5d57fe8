"""One worker under load: a backlog (closed loop), or events at a fixed rate (open loop).

Owns the course of a measurement. The worker is started in `starting`; what comes of it is told in `tables`.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer

from bench.keys import Draw
from bench.latencies import Latencies, added
from bench.mixes import Mix
from bench.pace import paced
from bench.processes import Used, cpu_seconds, peak_mib, resident_mib
from bench.results import Results
from bench.stage import Stage
from service.engine.ports import Outgoing

RESULT_SECONDS = 300.0
"""After so long a measurement has failed."""
BUFFERED = b"relay_buffered_records "
COMMITS = b"relay_commits_total "
SEED = 1


@dataclass(frozen=True, slots=True)
class Closed:
    """A backlog, worked off as fast as the worker goes."""

    events: int
    seconds: float
    calls: int
    call_seconds: float
    """Of one call, as the stub sees it."""
    peak_calls: int
    cpu_seconds: float
    """Of the worker."""
    others_core: float
    """How much of a core broker, stub and benchmark have used: near 1, that is what was measured."""
    commits: float | None = None
    """Of all partitions, as the worker counts them itself; None of one that does not."""

    @property
    def events_per_second(self) -> float:
        return self.events / self.seconds

    @property
    def events_per_commit(self) -> float | None:
        return self.events / self.commits if self.commits else None

    @property
    def core(self) -> float:
        """How much of a core the worker has used. Well below 1 with a backlog, it has waited for something: for calls,
        for the other core, or for a core that others use as well."""
        return self.cpu_seconds / self.seconds

    @property
    def full_core(self) -> float:
        """Events per second, had the worker had a core for itself all the while and nothing to wait for."""
        return self.events / self.cpu_seconds


@dataclass(frozen=True, slots=True)
class Open:
    """Events at a fixed rate, whether the worker keeps up or not."""

    rate: float
    latencies: Latencies
    """Added to the calls themselves."""
    late_p99_seconds: float
    """By how much the benchmark itself published too late; it counts as the worker's."""
    core: float
    others_core: float
    events_per_commit: float | None = None
    """None of a worker that does not count its commits."""


class Running:
    """A worker that runs, and its topics. Events are numbered as they go out."""

    def __init__(
        self,
        stage: Stage,
        mix: Mix,
        worker: asyncio.subprocess.Process,
        producer: AIOKafkaProducer,
        prefix: str,
        results: Results,
        draw: Draw,
        keys: int,
        began: float,
        http_port: int | None,
    ) -> None:
        """`http_port` is where the worker tells its metrics; None where it has none."""
        self._stage = stage
        self._mix = mix
        self._worker = worker
        self._producer = producer
        self._prefix = prefix
        self._results = results
        self._draw = draw
        self._keys = keys
        self._numbered = 0
        self._began = began
        self._http_port = http_port

    @property
    def peak_mib(self) -> float:
        return peak_mib(self._worker.pid)

    @property
    def resident_mib(self) -> float:
        return resident_mib(self._worker.pid)

    @property
    def cpu_seconds(self) -> float:
        """What the worker has used since it was started."""
        return cpu_seconds(self._worker.pid)

    async def buffered_records(self) -> int:
        """Records that the worker keeps in memory, as it says itself. Of the relay alone."""
        return round(await self._metric(BUFFERED) or 0)

    async def _metric(self, name: bytes) -> float | None:
        """As the worker says itself; None of one that has no metrics."""
        if self._http_port is None:
            return None
        reader, writer = await asyncio.open_connection("127.0.0.1", self._http_port)
        writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")
        told = await reader.read()
        writer.close()
        return next(float(line.split()[1]) for line in told.splitlines() if line.startswith(name))

    async def _commits_since(self, before: float | None) -> float | None:
        now = await self._metric(COMMITS)
        return None if now is None or before is None else now - before

    def events(self, count: int) -> list[Outgoing]:
        """The next so many, each of an entity that is drawn."""
        drawn = self._draw(count, self._keys, SEED + self._numbered)
        made = self._mix.events(self._numbered, drawn)
        self._numbered += count
        return made

    def events_of(self, resource_ids: Sequence[str]) -> list[Outgoing]:
        """One for each of these."""
        made = [self._mix.event(self._numbered + index, given) for index, given in enumerate(resource_ids)]
        self._numbered += len(made)
        return made

    async def start(self) -> float:
        """One event, which waits for the worker. Returns the seconds from the worker's start to its result."""
        self._results.begin()
        await self.publish(self.events(1))
        async with asyncio.timeout(RESULT_SECONDS):
            await self._results.until(1)
        return max(self._results.seen.values()) - self._began

    async def warm_up(self, count: int) -> float:
        """So many events, and so many again, by which it is told about how many per second the worker can do."""
        await self.start()
        await self.closed(self.events(count))
        return (await self.closed(self.events(count))).events_per_second

    async def closed(self, events: Sequence[Outgoing]) -> Closed:
        """From the moment at which the whole backlog lies there to the last result. The worker is suspended while it
        is published, so that publishing takes nothing from broker and stub while they are needed."""
        self._results.begin()
        before, committed = await self._stage.told(), await self._metric(COMMITS)
        with undisturbed():
            self._worker.send_signal(signal.SIGSTOP)
            try:
                await self.publish(events)
                await self._producer.flush()
            finally:
                self._worker.send_signal(signal.SIGCONT)
            others, own, began = Used(self._stage.process_ids), Used([self._worker.pid]), time.monotonic()
            async with asyncio.timeout(RESULT_SECONDS):
                await self._results.until(len(events))
            elapsed = max(self._results.seen.values()) - began
            used, others_core = own.seconds(), others.seconds() / elapsed
        self._results.check()
        after = await self._stage.told()
        calls = after.calls - before.calls
        return Closed(
            len(events),
            elapsed,
            calls,
            (after.seconds - before.seconds) / calls,
            after.peak,
            used,
            others_core,
            await self._commits_since(committed),
        )

    async def open(self, rate: float, events: Sequence[Outgoing], left_out: Collection[int] = ()) -> Open:
        """So many a second, those `left_out` neither waited for nor counted. `left_out` are places in `events`."""
        first = self._numbered - len(events)
        not_counted = {first + place for place in left_out}
        self._results.begin()
        before, committed = await self._stage.told(), await self._metric(COMMITS)
        others, own = Used(self._stage.process_ids), Used([self._worker.pid])
        with undisturbed():
            began = time.monotonic()
            publishing = asyncio.ensure_future(paced(self._send, events, rate))
            async with asyncio.timeout(RESULT_SECONDS + len(events) / rate):
                await self._results.until(len(events) - len(not_counted), not_counted)
            elapsed = time.monotonic() - began
            core, others_core = own.seconds() / elapsed, others.seconds() / elapsed
            pace = await publishing
        self._results.check(not_counted)
        after = await self._stage.told()
        call_seconds = (after.seconds - before.seconds) / (after.calls - before.calls)
        intended = {first + place: moment for place, moment in enumerate(pace.intended)}
        latencies = added(intended, self._results.seen, self._mix.calls * call_seconds, not_counted)
        commits = await self._commits_since(committed)
        per_commit = len(events) / commits if commits else None
        return Open(rate, latencies, pace.late_p99_seconds, core, others_core, per_commit)

    async def core_over(self, seconds: float) -> float:
        """How busy the worker is while nothing is asked of it here."""
        own, began = Used([self._worker.pid]), time.monotonic()
        await asyncio.sleep(seconds)
        return own.seconds() / (time.monotonic() - began)

    async def publish(self, events: Sequence[Outgoing]) -> None:
        """Without waiting for results."""
        for event in events:
            await self._send(event)

    async def _send(self, event: Outgoing) -> None:
        await self._producer.send(self._prefix + event.topic, event.value, event.key)


@contextmanager
def undisturbed() -> Iterator[None]:
    """By the benchmark's own garbage collector."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
