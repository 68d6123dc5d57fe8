"""Writes docs/logs.md from the declarations: `make docs`. A test compares the two."""

from __future__ import annotations

from pathlib import Path

from service.telemetry.log_events import LOG_EVENTS

PAGE = Path(__file__).parents[1] / "docs" / "logs.md"

INTRODUCTION = """# Logs

The worker logs to standard error, one line each: JSON, or text for people with `RELAY_LOG__FORMAT=console`.
`RELAY_LOG__LEVEL` says from which level on. `make docs` writes this page.

What went well is `debug`, a repeat is a `warning`, a dead letter an `error`: at `info`, an event that goes well leaves no line,
and its result is on `holdings.results`. Every line has `event` (the name below), `level` and `timestamp`. Lines about a record
have its `topic`, `partition` and `offset`, and those about an event `event_id` and `tenant` too.

No line shows a secret. Settings that are secrets, tokens and presigned links are of types whose text is a mask; headers and
bodies are not logged; in the words of a system that are told, our own credentials and whatever looks like one are masked. Of
a defect the type and the place are told, not the words.

| event | level | fields | says |
|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    rows = (
        f"| `{event.name}` | {event.level} | {', '.join(f'`{field}`' for field in event.fields) or '–'} | {event.text} |\n"
        for event in LOG_EVENTS
    )
    return INTRODUCTION + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
