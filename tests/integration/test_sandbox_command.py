"""The sandbox as a user runs it: a process that is told by options, and ends in good order."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

HEALTH = re.compile(r"listens on (http://127\.0\.0\.1:\d+)")


async def start(*options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", "sandbox", "--port", "0", *options),
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


@asynccontextmanager
async def sandbox(*options: str, ended_by: signal.Signals = signal.SIGTERM) -> AsyncIterator[tuple[str, str]]:
    """Address and output of a sandbox, which must end with exit code 0."""
    running = await start(*options)
    assert running.stdout is not None
    output = ""
    async with asyncio.timeout(30):
        while "Ctrl-C ends it" not in output:
            line = await running.stdout.readline()
            assert line, output
            output += line.decode()
    found = HEALTH.search(output)
    assert found, output
    yield found[1], output
    running.send_signal(ended_by)
    rest, _ = await running.communicate()
    assert (running.returncode, rest) == (0, b"")


async def get(url: str) -> Any:
    async with aiohttp.ClientSession() as client, client.get(url) as answer:
        assert answer.status == 200
        return await answer.json()


@pytest.mark.parametrize("ended_by", [signal.SIGTERM, signal.SIGINT])
async def test_it_starts_with_the_seeds_of_the_demonstration_and_ends_in_good_order(ended_by: signal.Signals) -> None:
    async with sandbox(ended_by=ended_by) as (url, output):
        assert f"export RELAY_FOLIO__URL={url}/folio" in output
        assert f"export RELAY_SCSB__URL={url}/scsb" in output
        assert f"export RELAY_HOLDINGSIQ__URL={url}/holdingsiq" in output
        assert "export RELAY_HOLDINGSIQ__API_KEY=" in output
        state = await get(f"{url}/_sandbox/state")
        assert len(state["eholdings"]["tenants"]["diku"]["resources"]) > 20
        assert state["scsb"]["institutions"]


async def test_it_may_start_empty_and_with_seeds_of_ones_own(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds.json"
    seeds.write_bytes(orjson.dumps({"eholdings": {"tenants": {"diku": {"resources": [{"id": "1-2-3"}]}}}}))
    async with sandbox("--empty", "--state", str(seeds)) as (url, _):
        state = await get(f"{url}/_sandbox/state")
        assert [found["id"] for found in state["eholdings"]["tenants"]["diku"]["resources"]] == ["1-2-3"]
        assert state["scsb"]["institutions"] == {}


async def test_tokens_live_and_calls_take_as_long_as_it_is_told() -> None:
    async with (
        sandbox("--token-ttl-seconds", "7", "--latency", "login=0.3") as (url, _),
        aiohttp.ClientSession() as client,
    ):
        began = asyncio.get_running_loop().time()
        credentials = {"username": "relay", "password": "relay-password"}
        headers = {"X-Okapi-Tenant": "diku"}
        login = f"{url}/folio/authn/login-with-expiry"
        async with client.post(login, json=credentials, headers=headers) as answer:
            assert answer.status == 201
            assert "Max-Age=7;" in answer.headers.getall("Set-Cookie")[1]
        assert asyncio.get_running_loop().time() - began >= 0.3


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--latency", "eholding=1"), "--latency eholding=1: no such system"),
        (("--latency", "eholdings"), "--latency eholdings: expected SYSTEM=SECONDS"),
        (("--latency", "eholdings=-1"), "--latency eholdings=-1: the seconds must be 0 or more"),
        (("--state", "missing.json"), "missing.json: No such file"),
    ],
)
async def test_options_that_make_no_sense_are_said_to_make_none(options: tuple[str, ...], told: str) -> None:
    running = await start(*options)
    output, _ = await running.communicate()
    assert running.returncode == 1
    assert told in output.decode()


async def test_a_seed_of_the_wrong_shape_is_told_by_file_system_and_field(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds.json"
    seeds.write_text('{"scsb": {"institutions": {"PUL": {"bibs": []}}}}', "utf-8")
    running = await start("--state", str(seeds))
    output, _ = await running.communicate()
    assert running.returncode == 1
    assert "scsb: institutions.PUL.bibs: expected an object" in output.decode()


async def test_a_port_that_is_taken_is_named() -> None:
    async with sandbox() as (url, _):
        port = url.rpartition(":")[2]
        running = await start("--port", port)
        output, _ = await running.communicate()
        assert running.returncode == 1
        assert f"127.0.0.1:{port}:" in output.decode()
