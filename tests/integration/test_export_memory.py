"""An export of a million rows takes no more memory than a small one, within some."""

from __future__ import annotations

import asyncio
import sys

import orjson
import pytest

ROWS = 1_000_000
MOST_MIB = 150.0
"""The whole process. A worker has a Kafka client beside it."""


@pytest.mark.timeout(400)
async def test_a_million_rows_pass_through_in_bounded_memory() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.large_export", str(ROWS), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()

    told = orjson.loads(out)
    assert (told["rows"], told["agrees"]) == (ROWS, True)
    assert told["bytes"] > 1_000_000_000
    assert told["peakMib"] < MOST_MIB
