"""A large export takes no more memory than a small one, within some. `make export-memory` takes a million rows."""

from __future__ import annotations

import asyncio
import sys

import orjson

from tests.support.large_export import MOST_MIB

ROWS = 150_000


async def test_many_rows_pass_through_in_bounded_memory() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.large_export", str(ROWS), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()

    told = orjson.loads(out)
    assert (told["rows"], told["agrees"]) == (ROWS, True)
    assert told["bytes"] > 150_000_000
    assert told["peakMib"] < MOST_MIB
    assert process.returncode == 0
