"""The chart: what it renders is valid, and its values say what may be said, no more and no less."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from service import __version__
from tests.deployment.charts import CHART, EXAMPLES, lint, render
from tests.deployment.tools import ROOT, ToolFailed, run

MINIMAL = CHART / "ci" / "minimal-values.yaml"
EVERYTHING = CHART / "ci" / "everything-values.yaml"
SWITCHED_OFF = CHART / "ci" / "bare-values.yaml"

pytestmark = pytest.mark.timeout(3600)  # the tools may have to be built first


def flat(values: Any, path: str = "") -> Iterator[str]:
    """The dotted paths of all values that are no mappings, or empty ones."""
    if isinstance(values, Mapping) and values:
        for name, value in values.items():
            yield from flat(value, f"{path}.{name}" if path else name)
    else:
        yield path


@pytest.mark.parametrize("values", EXAMPLES, ids=lambda path: path.stem)
def test_helm_lint_is_content(chart_tools: Path, values: Path) -> None:
    assert "0 chart(s) failed" in lint(chart_tools, values)


def test_helm_unittest_is_content(chart_tools: Path) -> None:
    report = run(chart_tools / "bin/helm-unittest", "--strict", CHART)

    assert re.search(r"Tests: +(\d+) passed, \1 total", report), report


def test_every_template_has_a_suite() -> None:
    templates = {str(path.relative_to(CHART / "templates")) for path in (CHART / "templates").rglob("[!_]*.yaml")}
    suites = [yaml.safe_load(path.read_text("utf-8")) for path in (CHART / "tests").glob("*_test.yaml")]

    assert {template for suite in suites for template in suite["templates"]} == templates


def test_every_value_is_set_by_a_suite_or_an_example() -> None:
    own = set(flat(yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))))
    set_by = {path for example in EXAMPLES for path in flat(yaml.safe_load(example.read_text("utf-8")))}
    for suite in (CHART / "tests").glob("*_test.yaml"):
        for test in yaml.safe_load(suite.read_text("utf-8"))["tests"]:
            set_by |= set(flat(test.get("set", {})))

    assert {path for path in own if not any(f"{other}.".startswith(f"{path}.") for other in set_by)} == set()


@pytest.mark.parametrize("values", EXAMPLES, ids=lambda path: path.stem)
def test_every_resource_is_valid_by_the_definitions_of_kubernetes_keda_and_the_operator_of_prometheus(
    chart_tools: Path, values: Path
) -> None:
    resources = [resource for resource in render(chart_tools, values) if resource["kind"] != "KafkaTopic"]

    schemas = f"{chart_tools}/schemas/{{{{ .Group }}}}_{{{{ .ResourceKind }}}}_{{{{ .ResourceAPIVersion }}}}.json"
    report = run(
        chart_tools / "bin/kubeconform", "-strict", "-summary", "-schema-location", schemas,
        text_in=yaml.safe_dump_all(resources),
    )  # fmt: skip

    assert f"Valid: {len(resources)}, Invalid: 0, Errors: 0, Skipped: 0" in report


def test_a_resource_with_an_unknown_field_is_found(chart_tools: Path) -> None:
    schemas = f"{chart_tools}/schemas/{{{{ .Group }}}}_{{{{ .ResourceKind }}}}_{{{{ .ResourceAPIVersion }}}}.json"
    scaled = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "a"}, "spec": {"max": 1}}

    with pytest.raises(ToolFailed, match="'max' not allowed"):
        run(chart_tools / "bin/kubeconform", "-strict", "-schema-location", schemas, text_in=yaml.safe_dump(scaled))


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"replica": 3}, "additional properties 'replica' not allowed"),
        ({"config": {"kafka": {"bootstrap": "kafka"}}}, "additional properties 'bootstrap' not allowed"),
        ({"config": {"folio": {"password": "x"}}}, "additional properties 'password' not allowed"),
        ({"config": {"scsb": {"api_key": "x"}}}, "additional properties 'api_key' not allowed"),
        ({"config": {"folio": {"tenants": {"a": {"token": "x"}}}}}, "additional properties 'token' not allowed"),
        ({"config": {"delivery": "twice"}}, "value must be one of 'exactly_once', 'at_least_once'"),
        ({"config": {"concurrency": 0}}, "minimum: got 0, want 1"),
        ({"config": {"http": {"port": 0}}}, "minimum: got 0, want 1"),
        ({"config": {"shutdown": {"grace_seconds": 0}}}, "exclusiveMinimum: got 0, want 0"),
        ({"secrets": {"RELAY_SCSB__KEY": {"name": "a", "key": "b"}}}, "additional properties 'RELAY_SCSB__KEY'"),
        ({"secrets": {"RELAY_FOLIO__TOKEN": {"name": "a"}}}, "missing property 'key'"),
        ({"secrets": {"RELAY_FOLIO__TOKEN": {"name": "a", "key": "b", "file": "/c"}}}, "oneOf"),
        ({"secrets": {"RELAY_FOLIO__TOKEN": "the token itself"}}, "got string, want object"),
        ({"secrets": {"RELAY_FOLIO__TENANTS__a__KEY": {"file": "/c"}}}, "'RELAY_FOLIO__TENANTS__a__KEY'"),
        ({"replicas": "two"}, "got string, want integer"),
        ({"image": {"digest": "latest"}}, "does not match pattern"),
        ({"monitoring": {"monitor": {"kind": "Probe"}}}, "value must be one of 'PodMonitor', 'ServiceMonitor'"),
        ({"autoscaling": {"minReplicas": 0}}, "minimum: got 0, want 1"),
        ({"extraEnv": [{"value": "nameless"}]}, "missing property 'name'"),
    ],
    ids=str,
)  # fmt: skip
def test_wrong_values_are_refused_by_the_schema(chart_tools: Path, values: Mapping[str, Any], word: str) -> None:
    with pytest.raises(ToolFailed) as refused:
        render(chart_tools, MINIMAL, values)

    assert word in str(refused.value)


def test_every_value_is_described() -> None:
    def undescribed(schema: Mapping[str, Any], path: str) -> Iterator[str]:
        for name, value in schema.get("properties", {}).items():
            if not value.get("description"):
                yield f"{path}.{name}"
            if "oneOf" not in value:
                yield from undescribed(value, f"{path}.{name}")

    assert list(undescribed(yaml.safe_load((CHART / "values.schema.json").read_text("utf-8")), "")) == []


def test_the_schema_and_the_defaults_name_the_same_values() -> None:
    schema = yaml.safe_load((CHART / "values.schema.yaml").read_text("utf-8"))

    def named(tree: Mapping[str, Any], path: str = "") -> Iterator[str]:
        for name, value in tree.items():
            full = f"{path}.{name}" if path else name
            if "properties" in value and "items" not in value:
                yield from named(value["properties"], full)
            else:
                yield full

    defaults = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    free_form = {"resources", "podSecurityContext", "containerSecurityContext", "monitoring.dashboard.labels"}
    for path in free_form:
        place = defaults
        for name in path.split(".")[:-1]:
            place = place[name]
        place[path.split(".")[-1]] = {}
    assert {p for p in flat(defaults) if not p.startswith(("config", "secrets"))} == set(named(schema))


def test_a_release_without_settings_says_what_it_needs(chart_tools: Path) -> None:
    with pytest.raises(ToolFailed) as refused:
        render(chart_tools)

    assert "config.kafka.bootstrap_servers is needed" in str(refused.value)
    assert "no system is configured" in str(refused.value)


def test_the_chart_has_the_version_of_the_relay() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))

    assert chart["appVersion"] == __version__


@pytest.mark.parametrize("values", EXAMPLES, ids=lambda path: path.stem)
def test_every_image_is_the_one_of_the_release_and_every_command_exists(chart_tools: Path, values: Path) -> None:
    commands = run(ROOT / ".venv/bin/holdings-relay", "--help")

    pods = [
        resource["spec"] if resource["kind"] == "Pod" else resource["spec"]["template"]["spec"]
        for resource in render(chart_tools, values)
        if resource["kind"] in ("Deployment", "Job", "Pod")
    ]
    containers = [container for pod in pods for container in pod["containers"]]

    assert len({container["image"] for container in containers}) == 1
    for container in containers:
        assert re.search(rf"\b{container['args'][0]}\b", commands)
