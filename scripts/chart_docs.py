"""Writes what in the chart follows from elsewhere: values.schema.json, README.md and files/. `make docs` runs it.

A test compares them with what is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from scripts.chart_values import CHART, schema
from scripts.dashboard import dashboard
from service.kafka.topics import TOPICS
from service.routes import ROUTES

INTRODUCTION = """# holdings-relay

The Helm chart of holdings-relay. [docs/deploy.md](../../docs/deploy.md) leads from nothing to a running release; this
page lists the values. `make docs` writes it from values.yaml and values.schema.json, which refuses every value that is
not listed here.

The least that a release needs is the brokers, one system, and its credentials in a Secret that exists:
```yaml
config:
  kafka:
    bootstrap_servers: kafka:9092
  scsb:
    url: https://scsb.example
secrets:
  RELAY_SCSB__API_KEY: {name: scsb, key: api-key}
```
No value of a Secret is ever written into a ConfigMap: `config` refuses settings that are secrets. A change of `config`
starts the workers anew; a change inside a Secret does not, for the relay reads its settings once: `kubectl rollout
restart` does. Certificates and keys alone are taken up when their files change.

## Values

| name | default | meaning |
|---|---|---|
"""

SECRETS = """
## Settings that come from Secrets

Under `secrets`, each with `name` and `key` of a Secret, or with `file` for a file that something else puts into the
pod.

| name | meaning |
|---|---|
"""

NAMELESS = {"description": ""}
Tree = Mapping[str, Any]


def readme() -> str:
    """The whole page."""
    tree = schema()
    defaults = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    rows = [
        row for name, value in tree["properties"].items() if name != "global" for row in _rows(name, value, defaults)
    ]
    secret = tree["properties"]["secrets"]
    named = secret["properties"] | {
        pattern.strip("^$").replace("[A-Za-z0-9_.-]+", "<tenant>"): value
        for pattern, value in secret["patternProperties"].items()
    }
    confidential = [f"| `{name}` | {value['description']} |" for name, value in named.items()]
    return INTRODUCTION + "\n".join(rows) + "\n" + SECRETS + "\n".join(confidential) + "\n"


def _rows(name: str, value: Tree, defaults: Tree | None) -> Iterator[str]:
    own = name.rpartition(".")[2]
    default = defaults.get(own) if defaults else None
    if "properties" in value and name != "secrets":
        if value.get("description"):
            yield f"| **`{name}`** | | {value['description']} |"
        for key, entry in value["properties"].items():
            yield from _rows(f"{name}.{key}", entry, default)
    elif isinstance(value.get("additionalProperties"), dict) and "properties" in value["additionalProperties"]:
        yield from _rows(f"{name}.<{own.removesuffix('s')}>", value["additionalProperties"] | NAMELESS, None)
    else:
        if default is None:
            default = value.get("default")
        yield f"| `{name}` | {_shown(default)} | {value.get('description', '')} |"


def _shown(default: Any) -> str:
    if default is None:
        return "–"
    if isinstance(default, str | list | dict) and not default:
        return "empty"
    return f"`{default}`" if isinstance(default, str) else f"`{json.dumps(default)}`"


def topics() -> str:
    """The topics as the templates read them, without the prefix."""
    read = {route.topic for route in ROUTES}
    listed = [
        {
            "name": topic.name,
            "in": topic.name in read,
            "partitions": topic.partitions,
            "config": {key: int(value) if value.isdigit() else value for key, value in topic.config.items()},
        }
        for topic in TOPICS
    ]
    return "# Made from service/kafka/topics.py by `make docs`.\n" + yaml.safe_dump(listed, sort_keys=False)


def pages() -> dict[Path, str]:
    """All that is written here, by its place."""
    return {
        CHART / "values.schema.json": json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
        CHART / "README.md": readme(),
        CHART / "files" / "topics.yaml": topics(),
        CHART / "files" / "dashboard.json": dashboard(),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
