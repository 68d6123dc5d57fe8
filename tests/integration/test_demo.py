"""The demonstration as a user runs it: one command, with a broker that is given."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys

import pytest

from service.demo.samples import all_samples
from service.demo.summary import why
from service.domain.codes import Code
from service.kafka.topic_admin import ensure_topics
from service.settings import KafkaSettings

pytestmark = pytest.mark.timeout(180)


async def start(kafka: str, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", "demo", *arguments),
        env={**os.environ, "RELAY_KAFKA__BOOTSTRAP_SERVERS": kafka, "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def read_until(running: asyncio.subprocess.Process, text: str) -> str:
    """All output up to the line that has this text in it; fails when the command ends before."""
    assert running.stdout is not None
    read = ""
    async with asyncio.timeout(120):
        while text not in read:
            line = await running.stdout.readline()
            assert line, f"the command ended without {text!r}:\n{read}"
            read += line.decode()
    return read


async def rest_of(running: asyncio.subprocess.Process) -> str:
    output, _ = await running.communicate()
    return output.decode()


def prefix_in(output: str) -> str:
    found = re.search(r"(demo-[0-9a-f]{8}\.)", output)
    assert found, output
    return found[1]


async def topics_left(kafka: str, prefix: str) -> list[str]:
    states = await ensure_topics(KafkaSettings(bootstrap_servers=kafka), prefix, create=False)
    return [state.name for state in states if not state.missing]


async def test_the_demonstration_shows_that_everything_is_as_it_should_be(kafka: str) -> None:
    running = await start(kafka)
    output = await rest_of(running)

    assert running.returncode == 0, output
    samples = all_samples()
    assert f"{len(samples)} results for {len(samples)} records" in output
    assert f"{sum(sample.expected.code is not None for sample in samples)} dead letters" in output
    assert f"{sum(sample.rows or 0 for sample in samples)} rows of exports\n" in output
    assert output.count("\nok     ") >= 10
    assert "BROKEN" not in output
    assert "Everything is as it should be." in output
    for code in (Code.UNREADABLE, Code.INVALID_DATA, Code.TENANT_NOT_CONFIGURED):
        assert why(code, None) in output
    assert await topics_left(kafka, prefix_in(output)) == []


async def test_an_interrupted_demonstration_stops_everything(kafka: str) -> None:
    running = await start(kafka)
    output = await read_until(running, "Publishing")
    running.send_signal(signal.SIGINT)
    output += await rest_of(running)

    assert running.returncode == 130, output
    assert "Interrupted. Everything was stopped." in output
    assert await topics_left(kafka, prefix_in(output)) == []


async def test_what_is_kept_running_can_be_used_until_it_is_interrupted(kafka: str) -> None:
    running = await start(kafka, "--keep")
    output = await read_until(running, "Results are on")
    exported = dict(re.findall(r"export (RELAY_\w+)=(\S+)", output))
    example = re.search(r"echo '(.*)' \| holdings-relay publish -", output)
    assert example, output

    publishing = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", "publish", "-"),
        env={**os.environ, **exported},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await publishing.communicate(example[1].encode())
    running.send_signal(signal.SIGINT)
    output += await rest_of(running)

    assert publishing.returncode == 0
    assert f"{prefix_in(output)}holdings.changes" in told.decode()
    assert running.returncode == 0, output
    assert await topics_left(kafka, prefix_in(output)) == []


async def test_a_broker_that_cannot_be_had_is_named() -> None:
    running = await start("127.0.0.1:1")
    output = await rest_of(running)
    assert running.returncode == 4
    assert "127.0.0.1:1" in output
