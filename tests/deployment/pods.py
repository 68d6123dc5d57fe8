"""What a pod of the chart gives its process: variables, mounted files, probes, time to end. As the kubelet reads it.

The folders that are mounted are made below a folder of the machine; paths in the variables are moved there, and nothing
else differs from what the container would see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.deployment.charts import Resource, only

Secrets = Mapping[str, Mapping[str, str]]
"""Secrets of the cluster: by name, by key."""


@dataclass(frozen=True, slots=True)
class Probe:
    path: str
    port: int
    period_seconds: float
    timeout_seconds: float
    failures: int


@dataclass(frozen=True, slots=True)
class Pod:
    """The first container of a pod. `arguments` are those of the image's command."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    probes: Mapping[str, Probe]
    grace_seconds: int


def pod_of(resources: Sequence[Resource], template: Resource, secrets: Secrets, root: Path) -> Pod:
    """The pod of a template, its files made below `root`. Raises `KeyError` for a Secret that is not there: such a pod
    would not start."""
    spec = template["spec"]
    [container] = spec["containers"]
    moved = _mount(resources, spec, container, secrets, root)
    ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
    return Pod(
        container["args"],
        {entry["name"]: _moved(_value(entry, secrets), moved) for entry in container["env"]},
        {
            name.removesuffix("Probe"): Probe(
                probe["httpGet"]["path"], ports[probe["httpGet"]["port"]],
                probe["periodSeconds"], probe["timeoutSeconds"], probe["failureThreshold"],
            )
            for name, probe in container.items()
            if name.endswith("Probe")
        },
        spec.get("terminationGracePeriodSeconds", 30),
    )  # fmt: skip


def _value(entry: Mapping[str, Any], secrets: Secrets) -> str:
    if "value" in entry:
        return str(entry["value"])
    reference = entry["valueFrom"]["secretKeyRef"]
    return secrets[reference["name"]][reference["key"]]


def _moved(value: str, moved: Mapping[str, Path]) -> str:
    for mount, folder in moved.items():
        if value.startswith(mount + "/"):
            return str(folder) + value.removeprefix(mount)
    return value


def _mount(
    resources: Sequence[Resource], spec: Resource, container: Resource, secrets: Secrets, root: Path
) -> dict[str, Path]:
    """Where each mounted folder is, by its path in the container."""
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    moved = {}
    for mount in container["volumeMounts"]:
        folder = root / mount["mountPath"].lstrip("/")
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in _files(resources, volumes[mount["name"]], secrets).items():
            (folder / name).write_text(text, "utf-8")
        moved[mount["mountPath"]] = folder
    return moved


def _files(resources: Sequence[Resource], volume: Resource, secrets: Secrets) -> Mapping[str, str]:
    if "configMap" in volume:
        data: Mapping[str, str] = only(resources, "ConfigMap", volume["configMap"]["name"])["data"]
        return data
    sources = volume.get("projected", {}).get("sources", [])
    return {
        item["path"]: secrets[source["secret"]["name"]][item["key"]]
        for source in sources
        for item in source["secret"]["items"]
    }
