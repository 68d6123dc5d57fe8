"""Each alert fires when it should and is silent when it should be, by promtool; and each has a page on what to do.

A case is a course of series minute by minute (in promtool's notation), a time, and the labels of what fires then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.deployment.charts import CHART, NAMESPACE, RELEASE, only, render
from tests.deployment.tools import ROOT, run

pytestmark = pytest.mark.timeout(3600)

POD = f"{RELEASE}-holdings-relay-5d9-abc"
OWN = f'namespace="{NAMESPACE}",pod="{POD}"'
CHANGES = f'topic="holdings.changes",partition="0",{OWN}'
EXPORTS = f'topic="holdings.export-requests",partition="0",{OWN}'
FAR = 240
"""Minutes that every series lasts, at least."""


class Case(NamedTuple):
    what: str
    alert: str
    series: Mapping[str, str]
    minute: int
    fires: Sequence[Mapping[str, str]] = ()
    """The labels of each, less the alert's own name and severity; none where it must be silent."""


def circuit(reason: str) -> str:
    return f'relay_circuits_open{{system="scsb",reason="{reason}",{OWN}}}'


BUILD = f"relay_build_info{{{OWN}}}"
LAG = f"relay_lag_records{{{CHANGES}}}"
SETTLED = f'relay_events_total{{event_type="holdings.changed",outcome="succeeded",{OWN}}}'
LETTERS = f'relay_dead_letters_total{{code="refused",{OWN}}}'
COMMITS = f"relay_commits_total{{{OWN}}}"
FAILED_COMMITS = f'relay_commit_failures_total{{kind="aborted",{OWN}}}'
STARTED = f"process_start_time_seconds{{{OWN}}}"
STALLS = f"relay_stalls_total{{{OWN}}}"
KAFKA_AWAY = f"relay_kafka_failures_total{{{OWN}}}"
HOLD = f"relay_outcomes_on_hold{{{OWN}}}"


def loop_delay(fast: int, all_: int) -> dict[str, str]:
    """So many wake-ups a minute within a quarter of a second, of so many."""
    name = "relay_loop_delay_seconds_bucket"
    return {
        f'{name}{{le="0.25",{OWN}}}': f"0+{fast}x{FAR}",
        f'{name}{{le="2.5",{OWN}}}': f"0+{all_}x{FAR}",
        f'{name}{{le="+Inf",{OWN}}}': f"0+{all_}x{FAR}",
    }


CASES = [
    Case("nothing tells of itself", "Absent", {BUILD: f"1x10 _x{FAR}"}, 25, [{"namespace": NAMESPACE}]),
    Case("a worker tells of itself", "Absent", {BUILD: f"1x{FAR}"}, 25),
    Case(
        "another release alone tells of itself",
        "Absent",
        {f'relay_build_info{{namespace="{NAMESPACE}",pod="other-1"}}': f"1x{FAR}"},
        25,
        [{"namespace": NAMESPACE}],
    ),
    Case("records wait and nothing is settled", "NoProgress", {LAG: f"7x{FAR}", SETTLED: f"100x{FAR}"}, 30, [{}]),
    Case("records wait and nothing was ever settled", "NoProgress", {LAG: f"7x{FAR}"}, 30, [{}]),
    Case("records wait and events are settled", "NoProgress", {LAG: f"7x{FAR}", SETTLED: f"0+1x{FAR}"}, 30),
    Case("nothing waits", "NoProgress", {LAG: f"0x{FAR}", SETTLED: f"100x{FAR}"}, 30),
    Case(
        "a system is known to be away",
        "NoProgress",
        {LAG: f"7x{FAR}", SETTLED: f"100x{FAR}", circuit("failing"): f"1x{FAR}"},
        30,
    ),
    Case("only an export is under way", "NoProgress", {f"relay_lag_records{{{EXPORTS}}}": f"1x{FAR}"}, 30),
    Case("the lag grows", "LagWillNotClear", {LAG: f"0+100x{FAR}"}, 60, [{}]),
    Case("the lag falls too slowly", "LagWillNotClear", {LAG: f"90000-10x{FAR}"}, 60, [{}]),
    Case("the lag will be gone in time", "LagWillNotClear", {LAG: f"90000-1000x60 30000-1000x30 0x{FAR}"}, 50),
    Case("there is little lag, though it stays", "LagWillNotClear", {LAG: f"900x{FAR}"}, 60),
    Case(
        "an event is over an hour old",
        "OldestEventTooOld",
        {f"relay_oldest_unfinished_seconds{{{CHANGES}}}": f"0+60x{FAR}"},
        70,
        [{"topic": "holdings.changes"}],
    ),
    Case(
        "an event is not yet an hour old",
        "OldestEventTooOld",
        {f"relay_oldest_unfinished_seconds{{{CHANGES}}}": f"0+60x{FAR}"},
        55,
    ),
    Case(
        "an export is over an hour old",
        "OldestEventTooOld",
        {f"relay_oldest_unfinished_seconds{{{EXPORTS}}}": f"0+60x{FAR}"},
        70,
    ),
    Case("the first dead letter of its code", "DeadLetters", {LETTERS: f"_x20 1x{FAR}"}, 25, [{"code": "refused"}]),
    Case("one more dead letter", "DeadLetters", {LETTERS: f"5x20 6x{FAR}"}, 25, [{"code": "refused"}]),
    Case("dead letters of long ago", "DeadLetters", {LETTERS: f"6x{FAR}"}, 60),
    Case("an outcome is on hold", "OutcomesOnHold", {HOLD: f"2x{FAR}"}, 15, [{}]),
    Case("an outcome was on hold for a moment", "OutcomesOnHold", {HOLD: f"0x5 2x3 0x{FAR}"}, 15),
    Case("a system fails", "CircuitFailing", {circuit("failing"): f"1x{FAR}"}, 15, [{"system": "scsb"}]),
    Case("a system failed for a moment", "CircuitFailing", {circuit("failing"): f"1x5 0x{FAR}"}, 15),
    Case("a quota is spent", "CircuitQuota", {circuit("quota"): f"1x{FAR}"}, 10, [{"system": "scsb"}]),
    Case("a system fails, which is no quota", "CircuitQuota", {circuit("failing"): f"1x{FAR}"}, 10),
    Case(
        "credentials are refused", "CircuitCredentials", {circuit("credentials"): f"1x{FAR}"}, 5, [{"system": "scsb"}]
    ),
    Case("a quota is spent, which is no credential", "CircuitCredentials", {circuit("quota"): f"1x{FAR}"}, 5),
    Case("a worker starts anew again and again", "Restarts", {STARTED: "1x9 2x9 3x9 4x9 5x60"}, 50, [{"pod": POD}]),
    Case("a worker started anew once", "Restarts", {STARTED: f"1x9 2x{FAR}"}, 50),
    Case("one commit of ten fails", "CommitsFail", {COMMITS: f"0+9x{FAR}", FAILED_COMMITS: f"0+1x{FAR}"}, 30, [{}]),
    Case("one commit of fifty fails", "CommitsFail", {COMMITS: f"0+49x{FAR}", FAILED_COMMITS: f"0+1x{FAR}"}, 30),
    Case("there are no commits", "CommitsFail", {COMMITS: f"7x{FAR}", FAILED_COMMITS: f"7x{FAR}"}, 30),
    Case("Kafka is away", "KafkaAway", {KAFKA_AWAY: f"0+1x{FAR}"}, 20, [{"pod": POD}]),
    Case("Kafka was away once", "KafkaAway", {KAFKA_AWAY: f"0x5 1x{FAR}"}, 20),
    Case("the loop was blocked", "EventLoopStalls", {STALLS: f"0x10 1x{FAR}"}, 20, [{"pod": POD}]),
    Case("the loop is late in two cases of a hundred", "EventLoopStalls", loop_delay(98, 100), 20, [{"pod": POD}]),
    Case(
        "the loop is late in one case of a thousand",
        "EventLoopStalls",
        {STALLS: f"3x{FAR}"} | loop_delay(999, 1000),
        20,
    ),
    Case(
        "the metadata is nearly full",
        "MetadataNearLimit",
        {f"relay_commit_metadata_bytes{{{CHANGES}}}": f"3500x{FAR}"},
        15,
        [{"topic": "holdings.changes", "partition": "0"}],
    ),
    Case(
        "the metadata is short", "MetadataNearLimit", {f"relay_commit_metadata_bytes{{{CHANGES}}}": f"2900x{FAR}"}, 15
    ),
    Case(
        "an export takes over an hour and a half",
        "ExportLate",
        {f"relay_export_oldest_seconds{{{OWN}}}": f"0+60x{FAR}"},
        100,
        [{}],
    ),
    Case("an export takes an hour", "ExportLate", {f"relay_export_oldest_seconds{{{OWN}}}": f"0+60x60 0x{FAR}"}, 100),
]


@pytest.fixture(scope="session")
def rules(chart_tools: Path) -> Mapping[str, Any]:
    """As the chart makes them by default: what the operator hands to Prometheus."""
    made = render(chart_tools, CHART / "ci" / "minimal-values.yaml", {"monitoring": {"rules": {"enabled": True}}})
    spec: Mapping[str, Any] = only(made, "PrometheusRule")["spec"]
    return spec


@pytest.fixture(scope="session")
def alerts(rules: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [rule for group in rules["groups"] for rule in group["rules"]]


def promtool_test(case: Case, severities: Mapping[str, str]) -> Mapping[str, Any]:
    """The case as promtool takes it: the series `ALERTS` tells what fires, and why is in its labels."""
    name = f"HoldingsRelay{case.alert}"
    selector = f'ALERTS{{alertname="{name}",alertstate="firing"}}'
    fixed = {"alertname": name, "alertstate": "firing", "severity": severities[name]}
    expected = []
    for labels in case.fires:
        told = ",".join(f'{key}="{value}"' for key, value in sorted((fixed | dict(labels)).items()))
        expected.append({"labels": f"ALERTS{{{told}}}", "value": 1})
    return {
        "name": case.what,
        "interval": "1m",
        "input_series": [{"series": series, "values": values} for series, values in case.series.items()],
        "promql_expr_test": [{"expr": selector, "eval_time": f"{case.minute}m", "exp_samples": expected}],
    }


def promtool(tools: Path, rules: Mapping[str, Any], tests: Sequence[Mapping[str, Any]], folder: Path) -> str:
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules), "utf-8")
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": list(tests)}
    (folder / "tests.yaml").write_text(yaml.safe_dump(document), "utf-8")
    return run(tools / "bin/promtool", "test", "rules", folder / "tests.yaml")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.alert}-{case.what}".replace(" ", "-"))
def test_an_alert_fires_when_it_should_and_only_then(
    chart_tools: Path, rules: Mapping[str, Any], alerts: Sequence[Mapping[str, Any]], case: Case, tmp_path: Path
) -> None:
    severities = {alert["alert"]: alert["labels"]["severity"] for alert in alerts}

    assert "SUCCESS" in promtool(chart_tools, rules, [promtool_test(case, severities)], tmp_path)


def test_promtool_has_nothing_to_say_of_the_rules(chart_tools: Path, rules: Mapping[str, Any], tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules), "utf-8")

    assert "SUCCESS" in run(chart_tools / "bin/promtool", "check", "rules", tmp_path / "rules.yaml")


def test_every_alert_has_a_case_that_fires_and_one_that_is_silent(alerts: Sequence[Mapping[str, Any]]) -> None:
    names = {alert["alert"].removeprefix("HoldingsRelay") for alert in alerts}

    assert {case.alert for case in CASES if case.fires} == names
    assert {case.alert for case in CASES if not case.fires} == names


def test_every_alert_leads_to_its_section_of_the_page(alerts: Sequence[Mapping[str, Any]]) -> None:
    page = (ROOT / "docs" / "alerts.md").read_text("utf-8")
    sections = re.findall(r"^## (\w+)$", page, re.MULTILINE)

    assert sections == [alert["alert"] for alert in alerts]
    assert [alert["annotations"]["runbook_url"] for alert in alerts] == [
        f"docs/alerts.md#{section.lower()}" for section in sections
    ]


def test_every_alert_says_how_bad_it_is_and_what_it_is(alerts: Sequence[Mapping[str, Any]]) -> None:
    for alert in alerts:
        assert alert["labels"]["severity"] in ("warning", "critical")
        assert alert["annotations"]["summary"]
        assert alert["annotations"]["description"]
