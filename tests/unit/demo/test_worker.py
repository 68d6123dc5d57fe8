"""A worker that does not come up is told of with its own words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.demo.worker import WorkerFailed, WorkerProcess


async def test_a_worker_with_wrong_settings_is_told_of_with_the_end_of_its_log(tmp_path: Path) -> None:
    worker = WorkerProcess.start({"RELAY_CONCURRENCY": "none"}, tmp_path / "worker.log")
    try:
        with pytest.raises(WorkerFailed, match="ended with exit code 3") as failure:
            await worker.ready()
        assert "RELAY_CONCURRENCY" in str(failure.value)
    finally:
        await worker.stop()


async def test_nothing_of_the_callers_own_settings_reaches_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAY_LOG__LEVEL", "of-the-caller")
    assert "RELAY_LOG__LEVEL" in os.environ
    worker = WorkerProcess.start({"RELAY_CONCURRENCY": "none"}, tmp_path / "worker.log")
    try:
        with pytest.raises(WorkerFailed) as failure:
            await worker.ready()
        assert "RELAY_LOG__LEVEL" not in str(failure.value)
    finally:
        await worker.stop()
