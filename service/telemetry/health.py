"""Health and metrics over HTTP: `/livez`, `/readyz`, `/metrics`. Says what is; decides nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest


class Progress(Protocol):
    """What health is read from."""

    @property
    def alive(self) -> bool:
        """Whether the loop that drives the worker went round lately. Never a system's health."""
        ...

    @property
    def ready(self) -> bool:
        """Whether the worker is a member of its group and takes records."""
        ...


class HealthServer:
    """Serves on one port, from `start` to `stop`."""

    def __init__(self, progress: Progress, registry: CollectorRegistry, host: str, port: int) -> None:
        self._progress = progress
        self._registry = registry
        self._host, self._port = host, port
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Raises `OSError` when the port cannot be had."""
        app = web.Application()
        app.router.add_get("/livez", self._state("alive", lambda: self._progress.alive))
        app.router.add_get("/readyz", self._state("ready", lambda: self._progress.ready))
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @staticmethod
    def _state(name: str, holds: Callable[[], bool]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(_: web.Request) -> web.StreamResponse:
            value = holds()
            return web.json_response({name: value}, status=200 if value else 503)

        return answer

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
