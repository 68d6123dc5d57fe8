"""Under `CI=true` a skipped test is a failed test, save for the one reason that a machine cannot mend by itself."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

SAMPLE_DATA_ABSENT = "the folder of FOLIO's sample data is absent"
"""The one reason for which a test may be skipped in CI."""


BESIDE_THE_CHECKOUT = Path(__file__).parents[3] / "shared" / "data" / "folio-sample"


@pytest.fixture(scope="session")
def folio_sample_data() -> Path:
    """The folder of FOLIO's sample data: `FOLIO_SAMPLE_DATA` names it, or it lies beside the checkout.

    A test that needs it is skipped where it is not there.
    """
    named = os.environ.get("FOLIO_SAMPLE_DATA")
    if named and not Path(named).is_dir():
        pytest.fail(f"FOLIO_SAMPLE_DATA names no folder: {named}")
    folder = Path(named) if named else BESIDE_THE_CHECKOUT
    if not folder.is_dir():
        pytest.skip(f"{SAMPLE_DATA_ABSENT}: it is neither beside the checkout nor named by FOLIO_SAMPLE_DATA")
    return folder


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
