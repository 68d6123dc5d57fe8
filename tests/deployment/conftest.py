"""The tools of the chart, for the tests that need them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deployment.tools import provide


@pytest.fixture(scope="session")
def chart_tools() -> Path:
    """Where helm and the programs that judge what it renders are."""
    return provide("chart")
