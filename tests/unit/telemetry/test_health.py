"""Health and metrics as a cluster sees them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import aiohttp
import pytest

from service.domain.record import Partition
from service.engine.state import Membership
from service.telemetry.health import HealthServer
from service.telemetry.metrics import Metrics
from service.telemetry.readiness import Readiness
from service.telemetry.status import CONTENT_SECURITY_POLICY, Status, render, to_json
from tests.builders.status import busy

READY = Readiness(Membership(joined=True, partitions=(Partition("changes", 0),)), ())
NOT_JOINED = Readiness(Membership(), ())


@dataclass(slots=True)
class FakeHealth:
    trouble: str | None = None
    readiness: Readiness = READY
    status: Status = field(default_factory=busy)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def serving(health: FakeHealth, metrics: Metrics) -> AsyncIterator[aiohttp.ClientSession]:
    port = free_port()
    server = HealthServer(health, metrics.registry, "127.0.0.1", port)
    await server.start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session
    await server.stop()


@pytest.mark.parametrize(
    ("path", "health", "status", "says"),
    [
        ("/livez", FakeHealth(readiness=NOT_JOINED), 200, {"alive": True}),
        ("/livez", FakeHealth(trouble="it is stuck"), 503, {"alive": False, "trouble": "it is stuck"}),
        ("/readyz", FakeHealth(trouble="it is stuck"), 200, READY.to_json()),
        ("/readyz", FakeHealth(readiness=NOT_JOINED), 503, NOT_JOINED.to_json()),
    ],
)
async def test_a_probe_is_answered_by_its_status_and_says_the_same(
    path: str, health: FakeHealth, status: int, says: dict[str, object]
) -> None:
    async with serving(health, Metrics()) as session, session.get(path) as answer:
        assert (answer.status, await answer.json()) == (status, says)


def test_probes_are_answered_while_the_loop_of_the_worker_is_blocked() -> None:
    port = free_port()

    async def blocked() -> tuple[int, bytes]:
        server = HealthServer(FakeHealth(trouble="blocked"), Metrics().registry, "127.0.0.1", port)
        await server.start()
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as probe:  # holds the loop up on purpose
                probe.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
                status, *_ = probe.makefile("rb").readlines()
                return int(status.split()[1]), status
        finally:
            await server.stop()

    assert asyncio.run(blocked())[0] == 503


async def test_health_is_asked_anew_at_every_probe() -> None:
    health = FakeHealth(readiness=NOT_JOINED)
    async with serving(health, Metrics()) as session:
        statuses = []
        for readiness in (NOT_JOINED, READY, NOT_JOINED):
            health.readiness = readiness
            async with session.get("/readyz") as answer:
                statuses.append(answer.status)

    assert statuses == [503, 200, 503]


async def test_metrics_are_in_the_text_format_of_prometheus() -> None:
    metrics = Metrics()
    metrics.commits.commits.inc()

    async with serving(FakeHealth(), metrics) as session, session.get("/metrics") as answer:
        body = await answer.text()
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        assert "relay_commits_total 1.0" in body
        assert "# HELP relay_commits_total Commits stored." in body


async def test_the_status_is_a_page_for_people_that_nobody_keeps_and_that_runs_nothing() -> None:
    async with serving(FakeHealth(), Metrics()) as session, session.get("/") as answer:
        assert (answer.status, await answer.text()) == (200, render(busy()))
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers


async def test_the_page_can_be_asked_to_stand_still() -> None:
    async with serving(FakeHealth(), Metrics()) as session, session.get("/?still") as answer:
        assert await answer.text() == render(busy(), still=True)


async def test_the_status_is_there_as_json_too() -> None:
    async with serving(FakeHealth(), Metrics()) as session, session.get("/status") as answer:
        assert (answer.status, await answer.json()) == (200, to_json(busy()))
        assert answer.headers["Cache-Control"] == "no-store"


async def test_the_page_is_there_for_a_worker_that_is_not_alive_above_all() -> None:
    health = FakeHealth(trouble="it is stuck", status=replace(busy(), trouble="it is stuck"))

    async with serving(health, Metrics()) as session, session.get("/") as answer:
        assert answer.status == 200
        assert "it is stuck" in await answer.text()


@pytest.mark.parametrize("path", ["/", "/status", "/metrics", "/livez"])
async def test_everything_can_be_asked_for_its_head_and_nothing_can_be_changed(path: str) -> None:
    async with serving(FakeHealth(), Metrics()) as session:
        async with session.head(path) as head:
            assert (head.status, await head.read()) == (200, b"")
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            async with session.request(method, path) as answer:
                assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")


async def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = HealthServer(FakeHealth(), Metrics().registry, "127.0.0.1", taken.getsockname()[1])

        with pytest.raises(OSError, match="address already in use"):
            await server.start()
        await server.stop()


async def test_a_server_that_was_never_started_can_be_stopped() -> None:
    await HealthServer(FakeHealth(), Metrics().registry, "127.0.0.1", 0).stop()
