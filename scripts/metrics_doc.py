"""Writes docs/metrics.md from the declarations: `make docs`. A test compares the two."""

from __future__ import annotations

from pathlib import Path

from service.telemetry.metrics import Metrics

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"

INTRODUCTION = """# Metrics

`GET /metrics` on the port of `RELAY_HTTP__PORT`, in the text format of Prometheus. `make docs` writes this page.

No label holds an id, an entity, a tenant or a message, so that the number of series is bounded: by 3 event types, 5
systems and their operations, the codes, and the input partitions that a worker owns. Which tenant a circuit is open
for is told by the log (`circuit.opened`).

Beside these there are the client library's `process_…` (processor time, memory, files, start) and `python_gc_…`. A
histogram has `…_bucket`, `…_sum` and `…_count`. Gauges that tell how the worker stands are read off a state that is at
most a second old; those of a partition are there while the worker owns it.

None of the systems tells how much of a quota is left: that it is spent shows in `relay_circuits_open{reason="quota"}`.

| name | kind | labels | meaning |
|---|---|---|---|
"""


TOPIC = """
## The topic `holdings.metrics`

Every `RELAY_METRICS__INTERVAL_SECONDS` (15; 0 turns it off), and once more when it stops, a worker publishes a
CloudEvent of type `holdings.metrics` under its own name (host and process) as the key. Its `data` is made from the
metrics above, and `service/domain/published/worker_metrics.py` is its schema:

| field | holds |
|---|---|
| `worker`, `version`, `group`, `startedAt` | who tells |
| `since`, `until`, `final` | the interval, and whether the worker has stopped |
| `events` | by `type` and `outcome` |
| `calls` | by `system`, `operation` and `status` (0 is no answer), with `latencySeconds`: `p50`, `p95` and `p99` of the interval, estimated from the buckets of `relay_call_seconds`; `null` when there was no call |
| `retries`, `deadLetters` | by `system`, and by `code` |
| `lag` | of each partition that the worker owns: `lag`, `oldestUnfinishedSeconds`, `paused` |
| `circuits` | of each system and tenant that was asked: `state`, `reason`, `since` |
| `quotas` | of each system with a daily quota and each tenant: `left` is 0 while the quota is spent and `null` otherwise, for the systems do not tell it; `spentSince` |

Everything counted has `count` (in the interval) and `total` (since the worker started). An event that cannot be stored within
5 seconds is given up, counted in `relay_metrics_events_total`, and logged as `metrics.not_published`. Nothing else waits
for it: a topic that is missing stops no worker.
"""


def page() -> str:
    """The whole page."""
    rows = (
        f"| `{metric.name}` | {metric.kind} | {', '.join(f'`{label}`' for label in metric.labels) or '–'} "
        f"| {metric.text} |\n"
        for metric in Metrics().declared
    )
    return INTRODUCTION + "".join(rows) + TOPIC


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
