"""The image: what it is made of, and how its process lives and ends. `make test-image` runs it, as root."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from service import __version__
from service.kafka.topic_admin import ensure_topics
from service.sandbox.server import Sandbox
from service.sandbox.systems import default_systems
from service.settings import KafkaSettings
from tests.deployment.image.container import Container, Storage, start
from tests.deployment.tools import ROOT, free_port, provide, run
from tests.support.relay import worker_settings

BASE = "localhost/python:3.11.14-slim-bookworm"
IMAGE = "localhost/holdings-relay:test"
PORT = free_port()
READY_SECONDS = 60.0
MOST_ADDED_BYTES = 90_000_000

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="session")
def storage() -> Iterator[Storage]:
    if os.geteuid() != 0:
        pytest.skip("buildah, mounts and namespaces need root")
    tools = provide("image")
    with tempfile.TemporaryDirectory(prefix="relay-image-") as folder:
        storage = Storage(Path(folder))
        root = storage.buildah("from", "scratch")
        storage.buildah("add", "--quiet", root, tools / "base.tar", "/")
        storage.buildah("commit", "--quiet", "--rm", root, BASE)
        yield storage
        storage.buildah("umount", "--all")


@pytest.fixture(scope="session")
def image(storage: Storage) -> str:
    """Built from the Dockerfile as it is, by the script that people use."""
    pip = Path(storage.environment["TMPDIR"]) / "pip.conf"
    pip.write_text("[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n")
    volumes = ["--volume", "/etc/ssl/certs:/etc/ssl/certs:ro", "--volume", f"{pip}:/etc/pip.conf:ro"]
    run(
        ROOT / "scripts/image", IMAGE, "--pull-never", "--layers=false", *volumes,
        env=storage.environment | {"BUILDER": "buildah"},
    )  # fmt: skip
    return IMAGE


@pytest.fixture
async def container(storage: Storage, image: str, kafka: str, topic_prefix: str) -> AsyncIterator[Container]:
    """A worker of the image against a real broker and the sandbox."""
    await ensure_topics(KafkaSettings(bootstrap_servers=kafka), topic_prefix)
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(Sandbox(default_systems()))
        settings = worker_settings(kafka, topic_prefix, sandbox)
        settings |= {"RELAY_HTTP__HOST": "127.0.0.1", "RELAY_HTTP__PORT": str(PORT)}
        log = Path(storage.environment["TMPDIR"]) / "container.log"
        running = start(storage, image, settings, log)
        stack.callback(running.close)
        yield running


async def until_answered(container: Container, path: str) -> int:
    """The status once it is 200, or the last one within `READY_SECONDS`."""
    deadline = time.monotonic() + READY_SECONDS
    status = 0
    async with aiohttp.ClientSession() as http:
        while status != 200 and time.monotonic() < deadline:
            assert container.process.poll() is None, container.log
            try:
                async with http.get(f"http://127.0.0.1:{PORT}{path}") as answer:
                    status = answer.status
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.1)
    return status


def files_of(root: Path) -> set[str]:
    found = subprocess.run(
        ["find", ".", "-xdev", "-not", "-type", "d"], cwd=root, stdout=subprocess.PIPE, text=True, check=True
    )
    return set(found.stdout.splitlines())


def test_hadolint_has_nothing_to_say_of_the_dockerfile() -> None:
    assert run(provide("hadolint") / "bin/hadolint", ROOT / "Dockerfile") == ""


def test_the_image_adds_the_relay_to_its_base_and_nothing_else(
    storage: Storage, image: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = storage.unpacked(image)
    added = files_of(root) - files_of(storage.unpacked(BASE))

    assert {path for path in added if not path.startswith("./opt/relay/")} == set()
    assert {Path(path).name for path in added} & {"pip", "gcc", "cc"} == set()
    size = sum((root / path).lstat().st_size for path in added)
    with capsys.disabled():
        print(f"\nThe image adds {size / 1e6:.0f} MB to its base.")  # noqa: T201 - a figure of the docs
    assert size < MOST_ADDED_BYTES


def test_the_image_says_what_it_is_and_runs_as_a_user_by_number(storage: Storage, image: str) -> None:
    config = storage.config_of(image)

    assert config["User"] == "10001:10001"
    assert config["StopSignal"] == "SIGTERM"
    assert config["Entrypoint"] == ["holdings-relay"]
    assert config["Cmd"] == ["run"]
    labels = {
        name.removeprefix("org.opencontainers.image."): value
        for name, value in config["Labels"].items()
        if name.startswith("org.opencontainers.image.")
    }
    revision = run("git", "-C", ROOT, "rev-parse", "HEAD").strip()
    assert labels["title"] == "holdings-relay"
    assert labels["version"] == __version__
    assert labels["revision"] == revision
    assert labels["licenses"] == "Apache-2.0"
    assert labels["base.name"] == BASE.removeprefix("localhost/")


async def test_the_container_is_alive_and_ready_as_its_user_with_nothing_writable_but_a_temporary_folder(
    container: Container,
) -> None:
    assert await until_answered(container, "/livez") == 200
    assert await until_answered(container, "/readyz") == 200

    process = Path(f"/proc/{container.pid}")
    status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines() if ":\t" in line)
    assert status["NSpid"].split()[-1] == "1"
    assert set(status["Uid"].split()) == {"10001"}
    assert set(status["Gid"].split()) == {"10001"}
    mounts = [line.split() for line in (process / "mounts").read_text().splitlines()]
    options = {path: flags.split(",")[0] for _, path, _, flags, *_ in mounts}
    assert options["/"] == "ro"
    temporary = container.config["WorkingDir"]
    assert {path for path, flag in options.items() if flag == "rw"} == {"/proc", "/dev", temporary}
    assert list((process / "root" / temporary.lstrip("/")).rglob("*")) == []


async def test_the_container_stops_by_its_signal_with_exit_code_0(container: Container) -> None:
    assert await until_answered(container, "/readyz") == 200

    container.stop()

    assert await asyncio.to_thread(container.ended, 30) == 0
    assert "relay.stopped" in container.log
