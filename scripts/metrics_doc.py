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


def page() -> str:
    """The whole page."""
    rows = (
        f"| `{metric.name}` | {metric.kind} | {', '.join(f'`{label}`' for label in metric.labels) or '–'} "
        f"| {metric.text} |\n"
        for metric in Metrics().declared
    )
    return INTRODUCTION + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
