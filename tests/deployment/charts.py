"""The chart, rendered by Helm itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.deployment.tools import ROOT, run

CHART = ROOT / "helm" / "holdings-relay"
EXAMPLES = sorted((CHART / "ci").glob("*-values.yaml"))
RELEASE = "relay"
NAMESPACE = "library"

Resource = Mapping[str, Any]


def render(tools: Path, *values: Path | Mapping[str, Any]) -> list[Resource]:
    """Every resource of a release, hooks and tests too. Later values stand above earlier ones. Raises `ToolFailed`."""
    text = run(
        tools / "bin/helm", "template", RELEASE, CHART, "--namespace", NAMESPACE, *_arguments(values),
        text_in=_given(values),
    )  # fmt: skip
    return [resource for resource in yaml.safe_load_all(text) if resource]


def lint(tools: Path, *values: Path | Mapping[str, Any]) -> str:
    return run(tools / "bin/helm", "lint", "--strict", CHART, *_arguments(values), text_in=_given(values))


def _arguments(values: Sequence[Path | Mapping[str, Any]]) -> Iterator[str | Path]:
    for value in values:
        yield from ("--values", value if isinstance(value, Path) else "-")


def _given(values: Sequence[Path | Mapping[str, Any]]) -> str | None:
    """Those that are no files go in by standard input, of which there is one."""
    given = [value for value in values if not isinstance(value, Path)]
    assert len(given) < 2
    return yaml.safe_dump(given[0]) if given else None


def only(resources: Sequence[Resource], kind: str, name: str | None = None) -> Resource:
    """The one of a kind, or of a kind and name."""
    [found] = [r for r in resources if r["kind"] == kind and name in (None, r["metadata"]["name"])]
    return found
