"""A headless Chromium for tests, spoken to over the DevTools protocol. It has a profile of its own and calls nobody."""

from __future__ import annotations

import asyncio
import base64
import subprocess
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import aiohttp

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
ANSWER_SECONDS = 30.0
FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--remote-debugging-port=0",
)


class NoBrowser(Exception):
    """There is none, and it cannot be installed. The message says why."""


def find_browser() -> str:
    """The path of a Chromium, installed where that is possible. Raises `NoBrowser`."""
    done = subprocess.run([ROOT / "scripts/chromium"], check=False, capture_output=True, text=True)
    if done.returncode:
        raise NoBrowser(done.stderr.strip())
    return done.stdout.strip()


@dataclass(slots=True)
class Tab:
    """A tab, from its opening to its end: what it shows, what it asked for, and what it complained of."""

    _socket: aiohttp.ClientWebSocketResponse
    requests: list[str] = field(default_factory=list)
    """The addresses of all requests, those for the page itself among them."""
    complaints: list[str] = field(default_factory=list)
    """Of the console: errors and warnings, of the policy of the page among them."""
    loads: int = 0
    """How often a page has been loaded to its end."""
    _numbers: count[int] = field(default_factory=lambda: count(1))

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command, and what is answered."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(ANSWER_SECONDS):
            while (message := await self._next()).get("id") != number:
                pass
        if "error" in message:
            raise AssertionError(f"{method}: {message['error']}")
        return dict(message["result"])

    async def open(self, url: str) -> None:
        """Blocks until the page is loaded."""
        before = self.loads
        await self.send("Page.navigate", url=url)
        await self.loaded(before + 1)

    async def loaded(self, times: int) -> None:
        """Blocks until pages were loaded so many times."""
        async with asyncio.timeout(ANSWER_SECONDS):
            while self.loads < times:
                await self._next()

    async def shows(self, width: int, height: int = 900, *, scheme: str = "light") -> None:
        """As a screen of that width in CSS pixels would show it."""
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        await self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression in JavaScript."""
        answer = await self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    async def screenshot(self, path: Path) -> None:
        """The whole page as PNG."""
        answer = await self.send("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    async def _next(self) -> dict[str, Any]:
        message: dict[str, Any] = await self._socket.receive_json()
        told = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case "Page.loadEventFired":
                self.loads += 1
            case "Log.entryAdded":
                self.complaints.append(f"{told['entry']['level']}: {told['entry']['text']}")
            case "Runtime.consoleAPICalled":
                self.complaints.append(f"{told['type']}: {told['args']}")
            case "Runtime.exceptionThrown":
                self.complaints.append(f"exception: {told['exceptionDetails']}")
            case _:
                pass
        return message


@asynccontextmanager
async def browsing(browser: str, profile: Path) -> AsyncIterator[Tab]:
    """A browser with one empty tab. `profile` is an empty folder."""
    process = await asyncio.create_subprocess_exec(
        browser, *FLAGS, f"--user-data-dir={profile}", "about:blank", stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE
    )
    try:
        address, reading = await _address(process)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://{address}/json/list") as answer:
                (tab,) = [found for found in await answer.json() if found["type"] == "page"]
            async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                opened = Tab(socket)
                for domain in ("Page", "Network", "Log", "Runtime"):
                    await opened.send(f"{domain}.enable")
                yield opened
    finally:
        process.terminate()
        await process.wait()
    await reading


async def _address(process: Process) -> tuple[str, asyncio.Task[bytes]]:
    """Host and port, which the browser tells when it is ready; and a task that reads what else it says."""
    assert process.stderr is not None
    said = []
    async with asyncio.timeout(START_SECONDS):
        while line := (await process.stderr.readline()).decode("utf-8", "replace"):
            said.append(line)
            if "DevTools listening on ws://" in line:
                address = line.partition("ws://")[2].partition("/")[0]
                return address, asyncio.create_task(process.stderr.read())
    raise AssertionError(f"the browser ended before it was ready:\n{''.join(said)}")
