"""What the chart's values may be: the schema that Helm checks them by. From the settings and from values.schema.yaml.

`config` takes every setting but the secrets, by the names of docs/settings.md; `secrets` takes those, by full names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from service.settings import Settings
from service.settings_sources import PREFIX

Schema = dict[str, Any]

CHART = Path(__file__).parents[1] / "helm" / "holdings-relay"
TENANT = "[A-Za-z0-9_.-]+"
SECRET: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1, "description": "Of a Secret that exists."},
        "key": {"type": "string", "minLength": 1, "description": "In the Secret."},
        "file": {"type": "string", "pattern": "^/", "description": "A file that something else puts into the pod."},
    },
    "oneOf": [{"required": ["name", "key"]}, {"required": ["file"]}],
}


def schema() -> Schema:
    """The whole of it."""
    own = yaml.safe_load((CHART / "values.schema.yaml").read_text("utf-8"))
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "config": config(),
            "secrets": secrets(),
            **{name: _strict(value) for name, value in own.items()},
            "global": {"type": "object", "description": "Of a chart that this one is a part of; not read."},
        },
    }


def config() -> Schema:
    """The settings that are no secrets."""
    tree = _plain(settings_tree())
    tree["description"] = "The relay's settings, by the names of docs/settings.md in lower case. No secrets."
    sections = tree["properties"]
    for name, section in sections.items():
        section.setdefault("description", f"`{PREFIX}{name.upper()}__…`")
    # Empty until somebody fills it in; the templates ask for it in words of their own.
    del sections["kafka"]["properties"]["bootstrap_servers"]["minLength"]
    # The probes need it.
    sections["http"]["properties"]["port"]["minimum"] = 1
    return tree


def secrets() -> Schema:
    """The settings that may come from a Secret or a mounted file: secrets, the names beside them, and files."""
    named = dict(_confidential(settings_tree(), PREFIX))
    patterns = {name: text for name, text in named.items() if TENANT in name}
    return {
        "type": "object",
        "description": "Settings from Secrets that exist, by full names, each with `name` and `key`; or with `file`.",
        "additionalProperties": False,
        "properties": {name: SECRET | {"description": text} for name, text in named.items() if name not in patterns},
        "patternProperties": {f"^{name}$": SECRET | {"description": text} for name, text in patterns.items()},
    }


def settings_tree() -> Schema:
    """The model of the settings with every reference resolved."""
    whole = Settings.model_json_schema()
    definitions = whole.pop("$defs")

    def resolved(value: Any) -> Any:
        if isinstance(value, list):
            return [resolved(entry) for entry in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            value = definitions[value["$ref"].rpartition("/")[2]] | {k: v for k, v in value.items() if k != "$ref"}
        return {key: resolved(entry) for key, entry in value.items()}

    tree: Schema = resolved(whole)
    return tree


def _plain(tree: Mapping[str, Any]) -> Schema:
    """Without secrets, and without what Helm has no use for."""
    unwanted = {"title", "properties"}
    if "properties" in tree or isinstance(tree.get("additionalProperties"), dict):
        unwanted.add("default")  # of each member there is one
    kept = {key: value for key, value in tree.items() if key not in unwanted}
    if "properties" in tree:
        kept["properties"] = {
            name: _plain(value) for name, value in tree["properties"].items() if not _is_secret(value)
        }
    if isinstance(tree.get("additionalProperties"), dict):
        kept["additionalProperties"] = _plain(tree["additionalProperties"])
    return kept


def _confidential(tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    """Full names and descriptions."""
    for name, value in tree["properties"].items():
        full = prefix + name.upper()
        if "properties" in value:
            yield from _confidential(value, full + "__")
        elif isinstance(value.get("additionalProperties"), dict):
            yield from _confidential(value["additionalProperties"], f"{full}__{TENANT}__")
        elif _is_secret(value) or _is_file(value) or name.endswith(("username", "client_id")):
            yield full, value["description"]


def _formats(value: Mapping[str, Any]) -> set[str | None]:
    return {kind.get("format") for kind in value.get("anyOf", [value])}


def _is_secret(value: Mapping[str, Any]) -> bool:
    return "password" in _formats(value)


def _is_file(value: Mapping[str, Any]) -> bool:
    return "path" in _formats(value)


def _strict(value: Mapping[str, Any]) -> Schema:
    """Objects with named properties have no others."""
    if "properties" not in value or "items" in value:
        return dict(value)
    named = {name: _strict(entry) for name, entry in value["properties"].items()}
    return {"type": "object", "additionalProperties": False, **value, "properties": named}
