"""Every setting can be given through the chart, and reaches the worker as it was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from pydantic import SecretStr

from scripts.chart_values import schema, settings_tree
from service.settings import Settings, load
from service.settings_sources import PREFIX
from tests.deployment.charts import CHART, only, render
from tests.deployment.pods import pod_of

pytestmark = pytest.mark.timeout(3600)

TENANT = "consortium-1"
AUTHORITY = trustme.CA()
CERTIFICATE = AUTHORITY.issue_cert("relay.example")


def pem(*blobs: trustme.Blob) -> str:
    return b"".join(blob.bytes() for blob in blobs).decode()


FILES: Mapping[str, str] = {
    "kafka.ssl_cafile": pem(AUTHORITY.cert_pem),
    "kafka.ssl_certfile": pem(*CERTIFICATE.cert_chain_pems),
    "kafka.ssl_keyfile": pem(CERTIFICATE.private_key_pem),
    "kafka.sasl_oauth_cafile": pem(AUTHORITY.cert_pem),
}
"""Settings that name a file, and what it holds."""
SAMPLES: Mapping[str, Any] = {
    "kafka.security_protocol": "SASL_SSL",
    "kafka.sasl_mechanism": "SCRAM-SHA-256",
    "delivery": "at_least_once",
    "log.level": "warning",
    "log.format": "console",
    "topics.prefix": "Library_1.",
    "exports.poll_max_seconds": 61.5,
    "retry.max_seconds": 61.5,
    "retry.share_of_load": 0.25,
    "folio.token": None,  # a token or a password, not both
    f"folio.tenants.{TENANT}.token": None,
}
"""Where what the schema would give is not enough."""
URL_TEXT = "https://system.example:8443/path"


def leaves(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every setting by its dotted path, with its schema."""
    for name, value in tree["properties"].items():
        full = f"{path}.{name}" if path else name
        if "properties" in value:
            yield from leaves(value, full)
        elif isinstance(value.get("additionalProperties"), dict) and "properties" in value["additionalProperties"]:
            yield from leaves(value["additionalProperties"], f"{full}.{TENANT}")
        else:
            yield full, value


def sample(path: str, schema: Mapping[str, Any]) -> Any:
    """A value that is allowed, and is not the default."""
    if path in SAMPLES or path in FILES:
        return FILES.get(path, SAMPLES.get(path))
    kinds = schema.get("anyOf", [schema])
    kind = next(kind for kind in kinds if kind.get("type") != "null")
    default: Any = schema.get("default")
    match kind["type"]:
        case "boolean":
            return not default
        case "integer":
            return default + 1 if default < kind.get("maximum", default + 1) else default - 1
        case "number":
            return default + 1.5
        case "string" if kind.get("format") == "uri":
            return URL_TEXT
        case "string":
            return f"sample-of-{path.rpartition('.')[2]}"
        case other:
            raise AssertionError(f"no sample for {path}, which is of the type {other}")


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, value in values.items():
        *folders, name = path.split(".")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        place[name] = value
    return tree


def given(settings: Any, path: str) -> Any:
    for name in path.split("."):
        settings = settings[name] if isinstance(settings, dict) else getattr(settings, name)
    if isinstance(settings, Path):
        return settings.read_text("utf-8")
    return settings.get_secret_value() if isinstance(settings, SecretStr) else settings


def test_every_setting_reaches_the_worker_as_it_was_given(
    chart_tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = {path: sample(path, value) for path, value in leaves(settings_tree())}
    samples = {path: value for path, value in samples.items() if value is not None}
    plain = {path for path, _ in leaves(schema()["properties"]["config"])} - FILES.keys()
    confidential = {path: f"{PREFIX}{path.upper().replace('.', '__')}" for path in samples.keys() - plain}
    values = {
        "config": nested({path: value for path, value in samples.items() if path in plain}),
        "secrets": {name: {"name": "all", "key": name} for name in confidential.values()},
    }
    secrets = {"all": {name: samples[path] for path, name in confidential.items()}}

    resources = render(chart_tools, values)
    pod = pod_of(resources, only(resources, "Deployment")["spec"]["template"], secrets, tmp_path)
    for name, value in pod.environment.items():
        monkeypatch.setenv(name, value)
    settings = load()

    assert len(samples) > 40
    assert {path: str(given(settings, path)) for path in samples} == {p: str(v) for p, v in samples.items()}
    assert not [value for value in secrets["all"].values() if value in yaml.safe_dump_all(resources)]


def test_what_the_chart_says_by_default_is_what_the_relay_says() -> None:
    defaults = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))["config"]
    del defaults["kafka"]["bootstrap_servers"]

    assert Settings.model_validate(defaults | {"kafka": defaults["kafka"]}) == Settings()


def test_settings_that_name_a_file_and_no_others_end_as_the_templates_expect() -> None:
    names = {path for path, _ in leaves(settings_tree())}

    assert {path for path in names if path.endswith("file")} == FILES.keys()


def test_files_that_hold_certificates_reach_the_worker_by_their_path(
    chart_tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = CHART / "ci" / "everything-values.yaml"
    secrets = {
        "relay-user": {"password": "of-kafka"},
        "cluster-ca": {"ca.crt": FILES["kafka.ssl_cafile"]},
        "folio": {"password": "of-folio", "password-of-other": "of-other"},
        "scsb": {"api-key": "of-scsb"},
    }
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / "holdingsiq").write_text("of-holdingsiq\n")

    resources = render(chart_tools, values)
    pod = pod_of(resources, only(resources, "Deployment")["spec"]["template"], secrets, tmp_path)
    for name, value in pod.environment.items():
        monkeypatch.setenv(name, value)
    settings = load()

    assert given(settings, "kafka.ssl_cafile") == FILES["kafka.ssl_cafile"]
    assert given(settings, "folio.tenants.other.password") == "of-other"
    assert given(settings, "holdingsiq.api_key") == "of-holdingsiq"
