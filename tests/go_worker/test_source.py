"""The source of the worker in Go: formatted, vetted, tested."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deployment.tools import ROOT, run

SOURCE = ROOT / "bench" / "go_worker"


@pytest.fixture(scope="module")
def go() -> str:
    return run(ROOT / "scripts" / "find-go", "--install").strip()


def test_gofmt_would_change_nothing(go: str) -> None:
    gofmt = Path(run(go, "env", "GOROOT").strip(), "bin", "gofmt")

    assert run(gofmt, "-l", SOURCE) == ""


def test_its_own_tests_pass_and_go_vet_has_nothing_to_say(go: str) -> None:
    # built as `scripts/go-worker` builds, so that what it has compiled is not compiled again
    arguments = ("-C", SOURCE, "test", "-vet=all", "-count=1", "-mod=readonly", "-trimpath", "./...")
    environment = {"GOFLAGS": "", "CGO_ENABLED": "0"}

    assert run(go, *arguments, env=environment).startswith("ok")
