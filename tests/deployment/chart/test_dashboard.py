"""The dashboard asks Prometheus what it understands, and is what Grafana's sidecar and Grafana take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from scripts.dashboard import expressions
from scripts.dashboard_panels import ROWS
from tests.deployment.charts import CHART, only, render
from tests.deployment.tools import run

pytestmark = pytest.mark.timeout(3600)


def test_prometheus_understands_every_query(chart_tools: Path, tmp_path: Path) -> None:
    queries = [expression.replace("$__rate_interval", "5m") for expression in expressions()]
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), "utf-8")

    assert f"{len(rules)} rules found" in run(chart_tools / "bin/promtool", "check", "rules", tmp_path / "rules.yaml")


def test_the_configmap_holds_the_dashboard_with_all_its_panels_and_none_over_another(chart_tools: Path) -> None:
    resources = render(chart_tools, CHART / "ci" / "everything-values.yaml")
    made = json.loads(only(resources, "ConfigMap", "relay-holdings-relay-dashboard")["data"]["holdings-relay.json"])

    titles = [panel["title"] for panel in made["panels"]]
    assert titles == [title for row, panels in ROWS.items() for title in (row, *(panel.title for panel in panels))]
    assert len({panel["id"] for panel in made["panels"]}) == len(titles)
    covered = [
        (place["x"] + right, place["y"] + down)
        for place in (panel["gridPos"] for panel in made["panels"])
        for right in range(place["w"])
        for down in range(place["h"])
    ]
    assert len(set(covered)) == len(covered)
    assert max(right for right, _ in covered) < 24
