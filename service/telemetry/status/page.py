"""The status as a page for people: HTML of the server, without a script and without anything that is fetched."""

from __future__ import annotations

from typing import Final

from service import __version__
from service.telemetry.status.markup import Html, duration, element, foreign, joined, text, time_of
from service.telemetry.status.sections import sections
from service.telemetry.status.snapshot import Status
from service.telemetry.status.style import STYLE, STYLE_HASH

REFRESH_SECONDS: Final = 5
CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src '{STYLE_HASH}'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Goes out with the page: no script runs, and nothing is fetched, whatever the page may hold. The one picture is the
empty icon that keeps browsers from asking for another."""


def render(status: Status, *, still: bool = False) -> str:
    """The whole page. It is loaded anew every few seconds by the browser itself, unless it is `still`."""
    refresh = "" if still else f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">'
    body = joined((_header(status, still=still), *_troubles(status), *sections(status)), "").markup
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{text(_title(status)).markup}</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f'<link rel="icon" href="data:,">{refresh}<style>{STYLE}</style></head><body><main>{body}</main></body></html>'
    )


def _title(status: Status) -> str:
    return f"{_word(status)} – holdings-relay {status.worker}"


def _word(status: Status) -> str:
    if status.trouble is not None:
        return "Not alive"
    return "Ready" if status.readiness.ready else "Not ready"


def _header(status: Status, *, still: bool) -> Html:
    if still:
        follow = Html(f'This page stands still. <a href="/">Load it anew every {REFRESH_SECONDS} s</a>')
    else:
        follow = Html(f'Loaded anew every {REFRESH_SECONDS} s. <a href="/?still">Let it stand still</a>')
    return joined(
        (
            element("h1", text("holdings-relay "), foreign(status.worker)),
            element(
                "p",
                element("strong", text(_word(status)), css="good" if status.readiness.ready else ""),
                text(f" · version {__version__} · group "),
                foreign(status.group),
                text(f" · up for {duration(max(0.0, status.now - status.started_at))} · "),
                time_of(status.now, status.now),
            ),
            element("p", follow, Html(' · <a href="/status">the same as JSON</a>'), css="quiet"),
        ),
        "",
    )


def _troubles(status: Status) -> list[Html]:
    """What is wrong with the worker itself comes before all else."""
    found: list[Html] = []
    if status.trouble is not None:
        words = (element("strong", text("This worker is not alive: ")), foreign(status.trouble), text("."))
        found.append(element("p", *words, css="bad", role="alert"))
    if status.stale_seconds is not None and status.taken_at is not None:
        old = text("What follows is not of now: the worker last told how it stands at ")
        found.append(element("p", old, time_of(status.taken_at, status.now), text("."), css="bad", role="alert"))
    if status.taken_at is None:
        found.append(element("p", text("The worker has not told yet how it stands: it begins."), css="warn"))
    found += [
        element("p", element("strong", text("Not ready: ")), foreign(reason), text("."), css="warn")
        for reason in status.readiness.reasons
    ]
    return found
