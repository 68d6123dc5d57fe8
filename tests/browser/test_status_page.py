"""The status page in a real browser: what a person sees, at the width of a desk and of a phone."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from service.engine.state import WorkerState
from service.telemetry.health import HealthServer
from service.telemetry.metrics import Metrics
from service.telemetry.readiness import Readiness
from service.telemetry.status import Status
from tests.browser.chromium import NoBrowser, Tab, browsing, find_browser
from tests.builders.status import busy, circuit, failure, repeat, status

HOSTILE = "<script>document.title='owned'</script><img src=/leak onerror=\"document.title='owned'\">\u202e&amp;'"
PHONE = 375
NARROWEST_TABLE = 833
"""Below it, tables are laid out as blocks."""

OVERFLOWING = """
[...document.querySelectorAll("body *")]
  .filter(e => e.getClientRects().length && getComputedStyle(e).position !== "absolute" && !e.closest("thead"))
  .filter(e => e.getBoundingClientRect().right > innerWidth + 0.5 || e.scrollWidth > e.clientWidth + 1 &&
               !["inline"].includes(getComputedStyle(e).display))
  .map(e => e.outerHTML.slice(0, 200))
"""
"""Elements that stand out to the right of the page, or whose contents stand out of them. The head of a table is hidden
on a phone."""

CONTRASTS = """
(() => {
  const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const numbers = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = numbers(c); return 0.2126*channel(r) + 0.7152*channel(g) + 0.0722*channel(b) };
  const behind = e => { while (e) { const c = getComputedStyle(e).backgroundColor;
    if ((numbers(c)[3] ?? 1) > 0) return c; e = e.parentElement } return "rgb(255,255,255)" };
  return [...document.querySelectorAll("body *")].filter(e => e.innerText).map(e => {
    const [a, b] = [light(getComputedStyle(e).color), light(behind(e))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) })
})()
"""
"""Of every element with words, as WCAG reckons it."""


@dataclass(slots=True)
class FakeHealth:
    status: Status = field(default_factory=busy)

    @property
    def trouble(self) -> str | None:
        return self.status.trouble

    @property
    def readiness(self) -> Readiness:
        return self.status.readiness


@dataclass(slots=True)
class Page:
    """A page that is served, and the browser to look at it with."""

    tab: Tab
    health: FakeHealth
    url: str

    async def open(self, path: str = "/?still") -> None:
        await self.tab.open(self.url + path)

    @property
    async def words(self) -> str:
        return str(await self.tab.evaluate("document.body.innerText"))


@pytest.fixture(scope="session")
def browser() -> str:
    try:
        return find_browser()
    except NoBrowser as error:
        pytest.skip(str(error))


@asynccontextmanager
async def served(health: FakeHealth) -> AsyncIterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = HealthServer(health, Metrics().registry, "127.0.0.1", port)
    await server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await server.stop()


@pytest.fixture
async def page(browser: str, tmp_path: Path) -> AsyncIterator[Page]:
    health = FakeHealth()
    async with served(health) as url, browsing(browser, tmp_path / "profile") as tab:
        yield Page(tab, health, url)


async def test_a_person_reads_every_section_and_the_browser_asks_for_nothing_but_the_page(page: Page) -> None:
    await page.tab.shows(1280)
    await page.open()

    words = await page.words
    for expected in (
        "12.5", "5 s", "HTTP 503: the knowledge base is away", "eholdings/diku/22-1-2", "failing", "in 12 s", "quota",
        "daily limit reached", "no such title", "2023-11-14 22:12:20 UTC (1 min ago)",
    ):  # fmt: skip
        assert expected in words
    assert page.tab.requests == [page.url + "/?still"]
    assert page.tab.complaints == []
    assert await page.tab.evaluate("document.cookie") == ""
    await keep_picture(page.tab, "desk")


@pytest.mark.parametrize(("width", "scheme"), [(PHONE, "light"), (PHONE, "dark"), (NARROWEST_TABLE, "light")])
async def test_nothing_overflows_a_narrow_page_and_all_words_can_be_read(page: Page, width: int, scheme: str) -> None:
    page.health.status = with_long_words(busy())
    await page.tab.shows(width, scheme=scheme)
    await page.open()

    assert await page.tab.evaluate(OVERFLOWING) == []
    assert await page.tab.evaluate("document.documentElement.scrollWidth") <= width
    assert min(await page.tab.evaluate(CONTRASTS)) >= 4.5
    await keep_picture(page.tab, f"{width}-{scheme}")


async def test_dark_and_light_differ(page: Page) -> None:
    backgrounds = []
    for scheme in ("light", "dark"):
        await page.tab.shows(1280, scheme=scheme)
        await page.open()
        backgrounds.append(await page.tab.evaluate("getComputedStyle(document.body).backgroundColor"))

    assert backgrounds == ["rgb(251, 251, 250)", "rgb(20, 23, 26)"]


async def test_what_others_wrote_is_shown_and_never_run(page: Page) -> None:
    worker = WorkerState(repeating=1, repeats=(repeat(HOSTILE, entities=(HOSTILE,), message=HOSTILE),))
    page.health.status = status(
        worker=worker,
        trouble=HOSTILE,
        circuits=(circuit(HOSTILE, HOSTILE, message=HOSTILE),),
        failures=(failure(HOSTILE, target=HOSTILE, message=HOSTILE),),
        name=HOSTILE,
    )

    await page.open()

    assert str(await page.tab.evaluate("document.title")).startswith("Not alive – holdings-relay <script>")
    assert await page.tab.evaluate("document.querySelectorAll('script, img, [onerror]').length") == 0
    assert (await page.words).count("<script>document.title='owned'</script><img src=/leak") == 11
    assert page.tab.requests == [page.url + "/?still"]
    assert page.tab.complaints == []


async def test_the_policy_would_stop_a_script_that_had_got_into_the_page(page: Page) -> None:
    await page.open()

    await page.tab.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'document.title = 1'}))"
    )

    assert await page.tab.evaluate("document.title") == "Ready – holdings-relay relay-0-7"
    assert any("Content Security Policy" in complaint for complaint in page.tab.complaints)


async def test_the_page_is_loaded_anew_by_itself_and_then_tells_of_a_worker_that_is_not_alive(page: Page) -> None:
    await page.open("/")
    page.health.status = replace(page.health.status, trouble="the event loop is blocked")

    await page.tab.loaded(2)

    first = await page.tab.evaluate("document.querySelector('[role=alert]').innerText")
    assert first == "This worker is not alive: the event loop is blocked."
    assert page.tab.requests == [page.url + "/"] * 2


async def test_a_browser_finds_headings_and_named_tables_also_where_they_are_laid_out_as_blocks(page: Page) -> None:
    await page.tab.shows(PHONE)
    await page.open()

    nodes = (await page.tab.send("Accessibility.getFullAXTree"))["nodes"]
    named = {(node["role"]["value"], node.get("name", {}).get("value")) for node in nodes if not node["ignored"]}

    assert {
        ("heading", "Throughput"),
        ("table", "Lag"),
        ("table", "Open circuits"),
        ("table", "Latest failures"),
    } <= named
    assert {("rowheader", "holdings.changes/0"), ("columnheader", "Next probe")} <= named


def with_long_words(full: Status) -> Status:
    """Ids and words without any place to break a line at."""
    long = "x" * 300
    worker = replace(
        full.standing.worker, repeats=(repeat(long, entities=(long[:120],) * 3, entity_count=999, message=long),)
    )
    return replace(
        full,
        worker=long[:120],
        standing=replace(full.standing, worker=worker),
        failures=(failure(long, target=long, message=long),),
        trouble=long,
    )


async def keep_picture(tab: Tab, name: str) -> None:
    """For people who name a folder in `PICTURES`."""
    if folder := os.environ.get("PICTURES"):
        await tab.screenshot(Path(folder) / f"{name}.png")
