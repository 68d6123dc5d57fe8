"""What a run does about a worker that this machine cannot build."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import __main__ as command
from bench.contestants import GO
from bench.go_worker import program
from bench.go_worker.program import NotBuilt


def test_a_run_that_cannot_build_it_leaves_it_out_and_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> Path:
        raise NotBuilt("no Go is here")

    monkeypatch.setattr(program, "built", fails)

    assert command.cannot_be_had() == [GO]
    assert capsys.readouterr().out == "go, exactly once, a batch at a time is left out: no Go is here\n\n"


def test_a_run_that_has_it_leaves_nothing_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "built", lambda: Path("/cache/go_worker"))

    assert command.cannot_be_had() == []
    assert capsys.readouterr().out == ""
