"""What holds for every test. `plugins/brokers.py` has the brokers, `plugins/skips.py` says what may be skipped,
`plugins/transports.py` what carries calls."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

pytest_plugins = ["pytester", "tests.plugins.brokers", "tests.plugins.skips", "tests.plugins.transports"]

if os.environ.get("CI", "").lower() != "true":  # there, hypothesis chooses a profile of its own
    settings.register_profile("development", deadline=None, print_blob=True)  # a busy machine is no fault of the code
    settings.load_profile("development")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes every `RELAY_…` variable away, so that a test sees only the settings that it makes."""
    for name in [name for name in os.environ if name.upper().startswith("RELAY_")]:
        monkeypatch.delenv(name)
