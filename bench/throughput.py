"""Events per second, and calls of the systems for each, of several workers in one run on one real broker.

    python -m bench.throughput --events 5000 --keys 1000
    python -m bench.throughput --mix bursty

`spread`: the relay in both delivery modes beside the plain worker, one call for each event. `bursty`: updates of one
resource come ten at a time; the relay that lets them leave together beside the one that does not. A call takes 5 ms.
`queueing`: a system that serves eight calls of 50 ms at a time, and lets the others wait; the adaptive bulkhead beside
the fixed one. `ms/call` is what a call takes with the wait, and `at once` the most calls that were there at a time. The
worker has one core to itself, broker and stub share the other, where there are two.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import uvloop
from rich.console import Console
from rich.table import Table

from bench.mixes import MIXES, Contestant, Mix
from service.kafka.publisher import publish_all
from service.kafka.reader import TopicReader
from service.kafka.topic_admin import ensure_topics
from service.kafka.topics import RESULTS
from service.sandbox.broker import LocalBroker
from service.settings import KafkaSettings

RESULT_SECONDS = 300.0
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Measure:
    """What one contestant did. CPU and memory are the worker's own."""

    name: str
    events: int
    seconds: float
    calls: int
    call_seconds: float
    peak_calls: int
    cpu_seconds: float
    peak_mib: float

    @property
    def events_per_second(self) -> float:
        return self.events / self.seconds


@asynccontextmanager
async def process(*command: str, core: int | None = None, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Python module in a process of its own, ended with the block."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RELAY_")} | settings
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *command, env=environment, stdout=asyncio.subprocess.PIPE
    )
    if core is not None and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(running.pid, {core})
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()


async def measure(servers: str, stub_port: int, mix: Mix, contestant: Contestant, count: int, keys: int) -> Measure:
    """Warm up with as many events as keys; then the time from the first publication to the last result."""
    prefix = f"bench-{uuid.uuid4().hex[:8]}."
    kafka = KafkaSettings(bootstrap_servers=servers, group_id=prefix + "group")
    await ensure_topics(kafka, prefix)
    settings = {
        "RELAY_KAFKA__BOOTSTRAP_SERVERS": servers,
        "RELAY_KAFKA__GROUP_ID": kafka.group_id,
        "RELAY_TOPICS__PREFIX": prefix,
        "RELAY_FOLIO__URL": f"http://127.0.0.1:{stub_port}",
        "RELAY_FOLIO__TENANT": "bench",
        "RELAY_FOLIO__TOKEN": "bench",
        "RELAY_HTTP__PORT": "0",
        "RELAY_LOG__LEVEL": "warning",
        **contestant.settings,
    }
    async with (
        TopicReader(kafka, prefix, [RESULTS]) as results,
        process(*contestant.command, core=1, **settings) as worker,
    ):
        async with asyncio.timeout(RESULT_SECONDS):
            await publish_all(kafka, prefix, mix.events(keys, keys))
            await _receive(results, keys, worker, contestant)
            before = await _told(stub_port)
            began, cpu_before = time.monotonic(), _cpu_seconds(worker.pid)
            publishing = asyncio.ensure_future(publish_all(kafka, prefix, mix.events(count, keys)))
            await _receive(results, count, worker, contestant)
            elapsed, cpu = time.monotonic() - began, _cpu_seconds(worker.pid) - cpu_before
            after = await _told(stub_port)
            await publishing
        calls = int(after["calls"] - before["calls"])
        call_seconds = (after["seconds"] - before["seconds"]) / calls
        peak = int(after["peak"])
        return Measure(contestant.name, count, elapsed, calls, call_seconds, peak, cpu, _peak_mib(worker.pid))


async def _told(stub_port: int) -> dict[str, float]:
    """What the stub has counted so far."""
    reader, writer = await asyncio.open_connection("127.0.0.1", stub_port)
    writer.write(b"GET /calls HTTP/1.1\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    told: dict[str, float] = orjson.loads(await reader.readuntil(b"}"))
    writer.close()
    return told


async def _receive(
    results: TopicReader, count: int, worker: asyncio.subprocess.Process, contestant: Contestant
) -> None:
    """Until `count` more results are there."""
    while count > 0:
        if worker.returncode is not None:
            raise RuntimeError(f"{contestant.name} ended with {worker.returncode}")
        count -= len(await results.fetch(1.0))


def _cpu_seconds(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def _peak_mib(process_id: int) -> float:
    lines = Path(f"/proc/{process_id}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def show(measures: list[Measure], base_name: str) -> None:
    """A table; the ratio is to the worker of that name."""
    base = next(m for m in measures if m.name == base_name).events_per_second
    table = Table(
        "worker", "events", "events/s", "ratio", "calls/event", "ms/call", "at once", "CPU µs/event", "MiB", box=None
    )
    for m in measures:
        table.add_row(
            m.name,
            str(m.events),
            f"{m.events_per_second:.0f}",
            f"{m.events_per_second / base:.2f}",
            f"{m.calls / m.events:.2f}",
            f"{m.call_seconds * 1000:.1f}",
            str(m.peak_calls),
            f"{m.cpu_seconds / m.events * 1e6:.0f}",
            f"{m.peak_mib:.0f}",
        )
    Console().print(table)


async def main(arguments: argparse.Namespace) -> None:
    given = os.environ.get("RELAY_KAFKA__BOOTSTRAP_SERVERS")
    broker = None if given else LocalBroker()
    try:
        servers = given or (await broker.start() if broker else "")
        if broker and broker.process_id and (os.cpu_count() or 1) > 1:
            os.sched_setaffinity(broker.process_id, {0})
        mix, measures = MIXES[arguments.mix], list[Measure]()
        command = (
            "bench.stub",
            "--milliseconds",
            str(arguments.milliseconds or mix.milliseconds),
            "--slots",
            str(mix.stub_slots),
        )
        async with process(*command, core=0) as stub:
            if stub.stdout is None:
                raise RuntimeError("the stub has no output")
            port = int(await stub.stdout.readline())
            for contestant in mix.contestants:
                count = max(arguments.keys, round(arguments.events * contestant.share))
                measures.append(await measure(servers, port, mix, contestant, count, arguments.keys))
        show(measures, mix.base)
    finally:
        if broker:
            await broker.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mix", choices=tuple(MIXES), default="spread")
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--keys", type=int, default=1000)
    parser.add_argument("--milliseconds", type=float, help="in place of what the mix says")
    uvloop.run(main(parser.parse_args()))
