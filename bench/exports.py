"""Rows per second of an export: `curl | wc -l`, the command line, and the worker in both delivery modes, in one run on
one server and one real broker.

    python -m bench.exports --rows 100000

The server makes the file while it sends it; what `curl` takes is what the server needs.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import orjson
import uvloop
from rich.console import Console
from rich.table import Table

from bench.processes import process
from service.engine.ports import Outgoing
from service.kafka.publisher import publish_all
from service.kafka.reader import TopicReader
from service.kafka.topic_admin import ensure_topics
from service.kafka.topics import EXPORT_REQUESTS, RESULTS
from service.sandbox.broker import LocalBroker
from service.sandbox.holdingsiq import READY, CsvFile, Plan, customer, export, holdingsiq_state
from service.settings import KafkaSettings

CUSTOMER, LARGE, SMALL = "bench", "large", "small"
RESULT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Server:
    """Where the exports are."""

    url: str
    key: str

    @property
    def settings(self) -> dict[str, str]:
        return {"RELAY_HOLDINGSIQ__URL": self.url, "RELAY_HOLDINGSIQ__API_KEY": self.key}


async def curl(server: Server) -> float:
    """Seconds of `curl | wc -l` on a fresh link."""
    record = f"{server.url}/rm/rmaccounts/{CUSTOMER}/exports/{LARGE}"
    async with aiohttp.request("GET", record, headers={"x-api-key": server.key}) as answer:
        [link] = (await answer.json())["links"]
    began = time.monotonic()
    counting = await asyncio.create_subprocess_exec(
        "bash", "-c", 'curl --silent --fail "$LINK" | wc -l',
        env={**os.environ, "LINK": link["href"]}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    await counting.communicate()
    return time.monotonic() - began


async def command(server: Server) -> float:
    """Seconds of `holdings-relay export` into a file, its start included."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        words = ("service", "export", CUSTOMER, "--export-id", LARGE, "--out", f"{folder}/rows.jsonl")
        async with process(*words, settings=server.settings) as running:
            if await running.wait() != 0:
                raise RuntimeError("the export failed")
        return time.monotonic() - began


async def worker(server: Server, servers: str, delivery: str) -> float:
    """Seconds from the event to its result, after a small export to warm up."""
    prefix = f"bench-{uuid.uuid4().hex[:8]}."
    kafka = KafkaSettings(bootstrap_servers=servers, group_id=prefix + "group")
    await ensure_topics(kafka, prefix)
    settings = server.settings | {
        "RELAY_KAFKA__BOOTSTRAP_SERVERS": servers,
        "RELAY_KAFKA__GROUP_ID": kafka.group_id,
        "RELAY_TOPICS__PREFIX": prefix,
        "RELAY_DELIVERY": delivery,
        "RELAY_HTTP__PORT": "0",
        "RELAY_LOG__LEVEL": "warning",
    }
    async with (
        TopicReader(kafka, prefix, [RESULTS]) as results,
        process("service", "run", settings=settings) as running,
    ):

        async def fetch(export_id: str) -> float:
            began = time.monotonic()
            await publish_all(kafka, prefix, [request(export_id)])
            async with asyncio.timeout(RESULT_SECONDS):
                while not await results.fetch(1.0):
                    if running.returncode is not None:
                        raise RuntimeError(f"the worker ended with {running.returncode}")
            return time.monotonic() - began

        await fetch(SMALL)
        return await fetch(LARGE)


def request(export_id: str) -> Outgoing:
    data = {"custId": CUSTOMER, "exportId": export_id}
    event = {
        "specversion": "1.0",
        "id": export_id,
        "source": "/bench",
        "type": "holdings.export.requested",
        "data": data,
    }
    return Outgoing(EXPORT_REQUESTS, export_id.encode(), orjson.dumps(event))


def seed(rows: int) -> bytes:
    plans = ((LARGE, Plan(after_polls=0, file=CsvFile(rows=rows, coverages=2, awkward=5))), (SMALL, READY))
    exports = (export(name, plan=plan) for name, plan in plans)
    return orjson.dumps({"holdingsiq": holdingsiq_state(bench=customer(*exports))})


def show(rows: int, measured: dict[str, float]) -> None:
    """A table; the ratio is to curl."""
    base = next(iter(measured.values()))
    table = Table("", "rows/s", "ratio", "seconds", box=None)
    for name, seconds in measured.items():
        table.add_row(name, f"{rows / seconds:.0f}", f"{base / seconds:.2f}", f"{seconds:.1f}")
    Console().print(table)


async def main(arguments: argparse.Namespace) -> None:
    given = os.environ.get("RELAY_KAFKA__BOOTSTRAP_SERVERS")
    broker = None if given else LocalBroker()
    try:
        servers = given or (await broker.start() if broker else "")
        with tempfile.TemporaryDirectory() as folder:
            state = Path(folder) / "state.json"
            state.write_bytes(seed(arguments.rows))
            async with process("service", "sandbox", "--port", "0", "--empty", "--state", str(state)) as sandbox:
                server = await _server(sandbox)
                contestants: dict[str, Callable[[], Awaitable[float]]] = {
                    "curl | wc -l": lambda: curl(server),
                    "holdings-relay export": lambda: command(server),
                    "worker, at least once": lambda: worker(server, servers, "at_least_once"),
                    "worker, exactly once": lambda: worker(server, servers, "exactly_once"),
                }
                show(arguments.rows, {name: await measure() for name, measure in contestants.items()})
    finally:
        if broker:
            await broker.stop()


async def _server(sandbox: asyncio.subprocess.Process) -> Server:
    """From the settings that the sandbox prints."""
    found: dict[str, str] = {}
    while len(found) < 2 and sandbox.stdout is not None:
        line = (await sandbox.stdout.readline()).decode()
        if not line:
            raise RuntimeError("the sandbox has ended")
        if match := re.search(r"RELAY_HOLDINGSIQ__(URL|API_KEY)=(\S+)", line):
            found[match[1]] = match[2]
    return Server(found["URL"], found["API_KEY"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    if sys.platform == "win32":
        raise SystemExit("needs bash and curl")
    uvloop.run(main(parser.parse_args()))
