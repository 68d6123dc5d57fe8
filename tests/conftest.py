"""What holds for every test. `plugins/brokers.py` has the brokers, `plugins/skips.py` says what may be skipped."""

from __future__ import annotations

import os

import pytest

pytest_plugins = ["pytester", "tests.plugins.brokers", "tests.plugins.skips"]


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes every `RELAY_…` variable away, so that a test sees only the settings that it makes."""
    for name in [name for name in os.environ if name.upper().startswith("RELAY_")]:
        monkeypatch.delenv(name)
