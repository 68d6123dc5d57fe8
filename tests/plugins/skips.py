"""Under `CI=true` a skipped test is a failed test, save for the one reason that a machine cannot mend by itself."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

SAMPLE_DATA_ABSENT = "the folder of FOLIO's sample data is absent"
"""The one reason for which a test may be skipped in CI."""


@pytest.fixture(scope="session")
def folio_sample_data() -> Path:
    """The folder of FOLIO's sample data, named by `FOLIO_SAMPLE_DATA`. A test that needs it is skipped without it."""
    folder = os.environ.get("FOLIO_SAMPLE_DATA", "")
    if not folder:
        pytest.skip(f"{SAMPLE_DATA_ABSENT}: FOLIO_SAMPLE_DATA does not name it")
    if not Path(folder).is_dir():
        pytest.fail(f"FOLIO_SAMPLE_DATA names no folder: {folder}")
    return Path(folder)


def _strict() -> bool:
    return os.environ.get("CI", "").lower() == "true"


def _unexpected_skip(report: pytest.TestReport | pytest.CollectReport) -> str | None:
    """The reason of a skip that CI does not accept. An expected failure is reported as a skip too, but is none."""
    if not report.skipped or hasattr(report, "wasxfail"):
        return None
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    return None if SAMPLE_DATA_ABSENT in reason else reason


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = _unexpected_skip(report) if _strict() else None
    if reason is not None:
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where nothing is missing that a test may need: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turns the report of a skipped test into one of a failed test."""
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself while it is collected."""
    report = yield
    _fail_if_skipped(report)
    return report
