"""Kafka brokers for tests: one that all tests of a run share, and ones of a test's own.

The first of the parallel workers that needs the shared one starts it and is its owner; the owner stops it when no
worker uses it any more. A file lock that every user holds shared tells when that is, and forgets a user that died.
The broker dies with its owner.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import sys
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from service.sandbox.broker import LocalBroker

# Read once, before any test: afterwards no setting from outside is left.
GIVEN_BROKER = os.environ.get("RELAY_KAFKA__BOOTSTRAP_SERVERS")

# Short sessions, so that a test of a lost member need not wait for the usual six seconds at least.
_SHARED_PROPERTIES = {"group.min.session.timeout.ms": "1000"}

_end_of_session = pytest.StashKey[ExitStack]()


class StartBroker(Protocol):
    """Starts a broker of the test's own, with these lines of `server.properties` beside the usual ones."""

    async def __call__(self, properties: Mapping[str, str] | None = None) -> LocalBroker: ...


@pytest.fixture(scope="session")
def kafka(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Bootstrap servers of a real broker: the one that `RELAY_KAFKA__BOOTSTRAP_SERVERS` names, else one of our own."""
    if GIVEN_BROKER:
        return GIVEN_BROKER
    own = tmp_path_factory.getbasetemp()
    # Under xdist each worker has a folder of its own inside that of the run.
    folder = own.parent if hasattr(pytestconfig, "workerinput") else own
    # Left when the session ends, not in a finalizer: waiting for other workers would count as time of the last test.
    return pytestconfig.stash[_end_of_session].enter_context(shared_broker(folder))


@pytest.fixture
def topic_prefix(request: pytest.FixtureRequest) -> str:
    """A prefix for topics, groups and transactional ids that no other test has, so that tests do not meet."""
    name = re.sub(r"[^a-zA-Z0-9]+", "-", request.node.name)[:60].strip("-")
    return f"{name}-{uuid.uuid4().hex[:8]}."


@pytest.fixture
async def local_broker() -> AsyncIterator[StartBroker]:
    """For a test that stops, kills or restarts brokers: `broker = await local_broker()`. All are stopped after it."""
    brokers: list[LocalBroker] = []

    async def start(properties: Mapping[str, str] | None = None) -> LocalBroker:
        broker = LocalBroker(properties=properties)
        await broker.start()
        brokers.append(broker)
        return broker

    yield start
    for broker in brokers:
        await broker.stop()


@contextmanager
def shared_broker(folder: Path) -> Iterator[str]:
    """Bootstrap servers of the broker that everyone who names the same `folder` shares. Blocks while it starts."""
    address = folder / "kafka.address"
    owned: LocalBroker | None = None
    with (folder / "kafka.users").open("w") as users:
        with (folder / "kafka.start").open("w") as start:
            fcntl.flock(start, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_SH)
            if not address.exists():
                owned = LocalBroker(properties=_SHARED_PROPERTIES)
                address.write_text(asyncio.run(owned.start()), "utf-8")
        try:
            yield address.read_text("utf-8")
        finally:
            if owned is not None:
                fcntl.flock(users, fcntl.LOCK_EX)
                address.unlink()
                if owned.process_id is None:
                    log = owned.log_file.read_text("utf-8", "replace")
                    sys.stderr.write(f"\nthe shared broker has ended; the end of its log:\n{log[-2000:]}\n")
                asyncio.run(owned.stop())


def pytest_configure(config: pytest.Config) -> None:
    """Prepares what `pytest_unconfigure` ends."""
    config.stash[_end_of_session] = ExitStack()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leaves the shared broker; stops it when it is ours."""
    config.stash[_end_of_session].close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks every test that uses a broker with `broker`."""
    for item in items:
        if isinstance(item, pytest.Function) and {"kafka", "local_broker"} & set(item.fixturenames):
            item.add_marker(pytest.mark.broker)
