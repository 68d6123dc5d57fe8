"""Alerts, dashboard and the page of alerts ask for what the code declares, and for nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from scripts.dashboard import expressions
from service.telemetry import log_events
from service.telemetry.log_events import LogEvent
from service.telemetry.metrics import Metrics

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "holdings-relay"
RULES = (CHART / "templates" / "prometheusrule.yaml").read_text("utf-8")
PAGE = (ROOT / "docs" / "alerts.md").read_text("utf-8")

METRIC = re.compile(r"\b((?:relay|process)_[a-z0-9_]+)(?:\{([^}]*)\})?")
BY = re.compile(r"by \(([a-z_, ]+)\) \((?:\w+\()?(relay_[a-z_]+)")
ADDED_BY_PROMETHEUS = {"namespace", "pod", "le"}


def declared() -> dict[str, set[str]]:
    """Labels by the name of every series, those of histograms too."""
    found: dict[str, set[str]] = {}
    for metric in Metrics().declared:
        suffixes = ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)
        found |= {metric.name + suffix: set(metric.labels) for suffix in suffixes}
    return found


def of_the_client_library() -> set[str]:
    exposed = generate_latest(Metrics().registry).decode()
    return set(re.findall(r"^(process_[a-z_]+)", exposed, re.MULTILINE))


def asked_for(texts: Iterable[str]) -> set[str]:
    return {name for text in texts for name, _ in METRIC.findall(text)}


def grouped(texts: Iterable[str]) -> Iterator[tuple[str, set[str]]]:
    for text in texts:
        for labels, name in BY.findall(text):
            yield name, set(labels.split(", "))


@pytest.mark.parametrize(
    "texts",
    [pytest.param([RULES], id="alerts"), pytest.param(list(expressions()), id="dashboard"),
     pytest.param(re.findall(r"`(relay_[a-z_]+)`", PAGE), id="page")],
)  # fmt: skip
def test_every_metric_that_is_asked_for_is_declared(texts: list[str]) -> None:
    names = asked_for(texts)

    assert names
    assert names - declared().keys() - of_the_client_library() == set()


def test_every_metric_that_is_declared_is_on_the_dashboard() -> None:
    shown = asked_for(expressions())
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown} | shown

    assert {metric.name for metric in Metrics().declared} - families == set()


@pytest.mark.parametrize("texts", [[RULES], list(expressions())], ids=["alerts", "dashboard"])
def test_every_label_that_is_grouped_by_is_one_of_the_metric(texts: list[str]) -> None:
    found = list(grouped(texts))

    assert found
    for name, labels in found:
        assert labels - declared()[name] - ADDED_BY_PROMETHEUS == set(), name


def test_every_line_of_the_log_that_the_page_names_is_logged() -> None:
    logged = {value.name for value in vars(log_events).values() if isinstance(value, LogEvent)}
    named = set(re.findall(r"`([a-z]+\.[a-z_]+)`", PAGE))

    assert named
    assert named - logged == set()
