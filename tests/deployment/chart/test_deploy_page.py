"""The values that docs/deploy.md shows make a release."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deployment.charts import render
from tests.deployment.tools import ROOT

PAGE = (ROOT / "docs" / "deploy.md").read_text("utf-8")
SHOWN = re.findall(r"^```yaml\n# (\S+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.timeout(3600)


@pytest.mark.parametrize(("name", "text"), SHOWN, ids=[name for name, _ in SHOWN])
def test_the_values_that_the_page_shows_render(chart_tools: Path, name: str, text: str) -> None:
    values: Mapping[str, Any] = yaml.safe_load(text)

    kinds = {resource["kind"] for resource in render(chart_tools, values)}

    assert "Deployment" in kinds, name


def test_every_values_file_that_a_command_names_is_shown() -> None:
    named = set(re.findall(r"--values (\S+)", PAGE))

    assert named
    assert named <= {name for name, _ in SHOWN}


def test_the_least_values_of_the_charts_page_render(chart_tools: Path) -> None:
    page = (ROOT / "helm" / "holdings-relay" / "README.md").read_text("utf-8")
    [least] = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)

    assert render(chart_tools, yaml.safe_load(least))
