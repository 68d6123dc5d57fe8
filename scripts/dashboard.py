"""The dashboard for Grafana, made from its panels. `make docs` writes it into the chart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from scripts.dashboard_panels import ROWS, Panel

SERIES = 'namespace="$namespace",pod=~"$pod"'
"""What every query chooses by; `@` stands for it in the panels."""
WIDTH = 24
PANELS_A_ROW = 3
HEIGHT = 8

Json = dict[str, Any]


def dashboard() -> str:
    """As Grafana imports it."""
    made = {
        "uid": "holdings-relay",
        "title": "holdings-relay",
        "tags": ["holdings-relay"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": _variables()},
        "panels": list(_panels()),
    }
    return json.dumps(made, indent=1) + "\n"


def expressions() -> Iterator[str]:
    """Every query, as Prometheus is asked."""
    for panels in ROWS.values():
        for panel in panels:
            for query in panel.queries:
                yield query.expression.replace("@", SERIES)


def _panels() -> Iterator[Json]:
    top = 0
    number = 0
    for title, panels in ROWS.items():
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": title,
            "collapsed": False,
            "panels": [],
            "gridPos": _place(top, 0, WIDTH, 1),
        }
        top += 1
        for index, panel in enumerate(panels):
            number += 1
            wide = WIDTH // PANELS_A_ROW
            line, column = divmod(index, PANELS_A_ROW)
            yield _series(panel, number, _place(top + line * HEIGHT, column * wide, wide, HEIGHT))
        top += -(-len(panels) // PANELS_A_ROW) * HEIGHT


def _place(top: int, left: int, width: int, height: int) -> Json:
    return {"x": left, "y": top, "w": width, "h": height}


def _series(panel: Panel, number: int, place: Json) -> Json:
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.text,
        "gridPos": place,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "expr": query.expression.replace("@", SERIES),
                "legendFormat": query.legend,
            }
            for index, query in enumerate(panel.queries)
        ],
    }


def _variables() -> list[Json]:
    return [
        {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Source"},
        _from_labels("namespace", "label_values(relay_build_info, namespace)", several=False),
        _from_labels("pod", 'label_values(relay_build_info{namespace="$namespace"}, pod)', several=True),
    ]


def _from_labels(name: str, query: str, *, several: bool) -> Json:
    return {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": several,
        "includeAll": several,
        "current": {"text": "All", "value": "$__all"} if several else {},
    }
