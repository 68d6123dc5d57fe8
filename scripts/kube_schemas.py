"""Writes strict JSON schemas for kubeconform: of the kinds of Kubernetes, and of custom resources.

    python scripts/kube_schemas.py swagger.json FOLDER_OF_CRDS FOLDER_OUT

A schema refuses every property that it does not name, which the API server would drop in silence.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]
PREFIX = "#/definitions/"
INT_OR_STRING: Schema = {"oneOf": [{"type": "string"}, {"type": "integer"}]}
QUANTITIES = ("io.k8s.apimachinery.pkg.api.resource.Quantity", "io.k8s.apimachinery.pkg.util.intstr.IntOrString")


def of_kubernetes(document: Mapping[str, Any]) -> Iterator[tuple[str, Schema]]:
    """File names and schemas of all kinds that the document defines."""
    definitions = {name: _closed(schema) for name, schema in document["definitions"].items()}
    definitions |= dict.fromkeys(QUANTITIES, INT_OR_STRING)
    for name, schema in document["definitions"].items():
        for kind in schema.get("x-kubernetes-group-version-kind", []):
            needed = {used: definitions[used] for used in _reachable(name, definitions)}
            yield _file(kind["group"], kind["kind"], kind["version"]), {"$ref": PREFIX + name, "definitions": needed}


def of_custom_resource(definition: Mapping[str, Any]) -> Iterator[tuple[str, Schema]]:
    """The same for one CustomResourceDefinition, all its versions."""
    spec = definition["spec"]
    for version in spec["versions"]:
        schema = _closed(version["schema"]["openAPIV3Schema"])
        schema["properties"]["metadata"] = {"type": "object"}
        yield _file(spec["group"], spec["names"]["kind"], version["name"]), schema


def _file(group: str, kind: str, version: str) -> str:
    """As kubeconform asks for it; the core's kinds have no group, and their version stands in its place."""
    return f"{group or version}_{kind.lower()}_{version}.json"


def _closed(schema: Any) -> Any:
    """A copy in which an object with named properties has no others, and what may be a number or a text is either."""
    if isinstance(schema, list):
        return [_closed(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string") or schema.get("format") == "int-or-string":
        return INT_OR_STRING
    properties = schema.get("properties")
    if properties is None:
        return {key: _closed(value) for key, value in schema.items()}
    closed = {key: _closed(value) for key, value in schema.items() if key != "properties"}
    closed["properties"] = {name: _closed(value) for name, value in properties.items()}
    if not schema.get("x-kubernetes-preserve-unknown-fields"):
        closed.setdefault("additionalProperties", False)
    return closed


def _reachable(name: str, definitions: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    due = [name]
    while due:
        current = due.pop()
        if current not in found:
            found.add(current)
            due += _references(definitions[current])
    return found


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].removeprefix(PREFIX)
        for value in schema.values():
            yield from _references(value)
    if isinstance(schema, list):
        for entry in schema:
            yield from _references(entry)


def main(swagger: Path, crds: Path, out: Path) -> None:
    schemas = list(of_kubernetes(json.loads(swagger.read_text("utf-8"))))
    for path in sorted(crds.glob("*.yaml")):
        schemas += of_custom_resource(yaml.safe_load(path.read_text("utf-8")))
    for name, schema in schemas:
        (out / name).write_text(json.dumps(schema), "utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
