"""Carries out one export of so many rows against a simulated file, and prints rows, peak memory in MiB and seconds.

    python -m tests.support.large_export 1000000

Ends with 1 when a row is missing or the memory went beyond `MOST_MIB`. In a process of its own, so that the memory is
that of the export and of nothing else.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import orjson

from service.domain.answers import Settled
from service.domain.exports import ExportRow
from service.domain.operations import EventIdentity, ExportHoldings, Plan
from service.domain.record import Partition, Record
from service.engine.ports import CallContext
from service.kafka.records_out import RecordsOut
from service.sandbox.holdingsiq import CsvFile
from service.sandbox.holdingsiq.rows import content_of
from service.systems.registry import ConfiguredSystems, SystemsConfig

MOST_MIB = 150.0
"""The whole process. A worker has a Kafka client beside it."""
LINK = "https://files.example/bucket/file"


class CountingJournal:
    """Renders rows as they would be published, and forgets them."""

    note = ""

    def __init__(self) -> None:
        self.rows = 0
        self.bytes = 0
        self._render = RecordsOut("/relay").rows
        self._record = Record(Partition("holdings.export-requests", 0), 7, b"key", b"{}", (), 1, 0.0)
        self._plan = Plan(EventIdentity("e-1", "/jobs", "holdings.export.requested"), "diku", None, (), frozenset())

    async def keep(self, note: str) -> None:
        raise AssertionError("the export exists")

    async def publish(self, rows: Sequence[ExportRow], note: str | None = None) -> None:
        records = self._render(self._record, self._plan, rows, self.rows + 1)
        await asyncio.sleep(0)
        self.bytes += sum(len(record.value or b"") for record in records)
        self.rows += len(rows)


def transport(rows: int) -> httpx.MockTransport:
    """The record of a completed export, and its file, which is made while it is read."""
    content = content_of("KBART2", CsvFile(rows=rows, coverages=2, awkward=5))

    async def pieces() -> AsyncIterator[bytes]:
        for piece in content.pieces():
            for start in range(0, len(piece), 65_536):
                yield piece[start : start + 65_536]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "files.example":
            return httpx.Response(200, headers={"Content-Length": str(content.size)}, content=pieces())
        record = {"status": "COMPLETED", "type": "KBART2", "size": content.size, "customerHoldingsCounts": counts}
        return httpx.Response(200, content=orjson.dumps(record | {"links": [{"rel": "download", "href": LINK}]}))

    counts = {"totalResourceCount": str(-(-rows // 2)), "uniqueResourceCount": str(-(-rows // 2))}
    return httpx.MockTransport(answer)


async def main(rows: int) -> bool:
    async def mark() -> None:
        """Nothing to mark."""

    config = SystemsConfig(holdingsiq_url="https://api.example", holdingsiq_api_key="key")
    journal = CountingJournal()
    began = time.monotonic()
    answer = await ConfiguredSystems(config, transport(rows)).attempt(
        ExportHoldings("apidemo", None, "CSV", "e-1"), CallContext(None, False, mark, 1, journal=journal)
    )
    seconds = time.monotonic() - began
    agrees = isinstance(answer, Settled) and answer.findings[0].export and answer.findings[0].export.agrees
    peak = peak_mib()
    told = {"rows": journal.rows, "bytes": journal.bytes, "agrees": agrees, "peakMib": peak, "seconds": seconds}
    sys.stdout.write(orjson.dumps(told).decode() + "\n")
    return bool(agrees) and journal.rows == rows and peak < MOST_MIB


def peak_mib() -> float:
    """The most memory that this process has had. Linux's `ru_maxrss` will not do: a child inherits it from the process
    that started it, from before it became a program of its own."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = [line for line in status.read_text("ascii").splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024)


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(main(int(sys.argv[1]))) else 1)
