"""Health, metrics and the status page over HTTP: `/livez`, `/readyz`, `/metrics`, `/`, `/status`. Says what is; decides
nothing.

Served from a thread with an event loop of its own, so that a probe is answered even while the worker's loop is blocked.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, Protocol

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from service.telemetry.readiness import Readiness
from service.telemetry.status import CONTENT_SECURITY_POLICY, Status, render, to_json

STOP_SECONDS = 5.0
_OF_THE_MOMENT: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_OF_THE_PAGE: Final = {
    **_OF_THE_MOMENT,
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
}


class Health(Protocol):
    """What the probes are answered from. Read from another thread than the worker's."""

    @property
    def trouble(self) -> str | None:
        """Why the worker is not alive; None when it makes progress. Never a system's health."""
        ...

    @property
    def readiness(self) -> Readiness:
        """Whether the worker takes records, and why not."""
        ...

    @property
    def status(self) -> Status:
        """How the worker stands, for people."""
        ...


class HealthServer:
    """Serves on one port, from `start` to `stop`."""

    def __init__(self, health: Health, registry: CollectorRegistry, host: str, port: int) -> None:
        self._health = health
        self._registry = registry
        self._host, self._port = host, port
        self._thread: threading.Thread | None = None
        self._end: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Returns when the port is open. Raises `OSError` when it cannot be had."""
        serving: Future[None] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(serving)), name="health", daemon=True)
        self._thread.start()
        await asyncio.wrap_future(serving)

    async def stop(self) -> None:
        self._end()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, STOP_SECONDS)

    async def _serve(self, serving: Future[None]) -> None:
        app = web.Application()
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/", self._page)
        app.router.add_get("/status", self._status)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._end = lambda: _call_in(loop, ended.set)
        try:
            await runner.setup()
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as error:
            serving.set_exception(error)
        else:
            serving.set_result(None)
            await ended.wait()
        finally:
            await runner.cleanup()

    async def _livez(self, _: web.Request) -> web.Response:
        trouble = self._health.trouble
        if trouble is None:
            return web.json_response({"alive": True})
        return web.json_response({"alive": False, "trouble": trouble}, status=503)

    async def _readyz(self, _: web.Request) -> web.Response:
        readiness = self._health.readiness
        return web.json_response(readiness.to_json(), status=200 if readiness.ready else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _page(self, request: web.Request) -> web.Response:
        """200 whatever the worker's health: it is for people, who want to read it then above all."""
        page = render(self._health.status, still="still" in request.query)
        return web.Response(text=page, content_type="text/html", charset="utf-8", headers=_OF_THE_PAGE)

    async def _status(self, _: web.Request) -> web.Response:
        return web.json_response(to_json(self._health.status), headers=_OF_THE_MOMENT)


def _call_in(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(callback)
