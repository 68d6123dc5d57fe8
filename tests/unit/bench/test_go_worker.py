"""How the worker in Go is had, and what is said where it cannot be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.go_worker.program import NotBuilt, built

FIND_GO = Path(__file__).parents[3] / "scripts" / "find-go"


@pytest.fixture
def no_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which none is installed, and nothing was ever built."""
    for tool in ("bash", "env", "cat", "cksum", "cut", "dirname", "flock", "mkdir", "sort"):
        [found, *_] = [Path(folder) / tool for folder in os.defpath.split(":") if (Path(folder) / tool).exists()]
        (tmp_path / tool).symlink_to(found)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def script(folder: Path, *lines: str) -> Path:
    made = folder / "script"
    made.write_text("\n".join(("#!/bin/sh", *lines)), "utf-8")
    made.chmod(0o755)
    return made


def test_the_program_is_the_one_that_the_script_prints(tmp_path: Path) -> None:
    assert built(script(tmp_path, "echo Building >&2", "echo /cache/go_worker")) == Path("/cache/go_worker")


def test_a_build_that_fails_is_told_in_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(NotBuilt, match=r"^main\.go:7: undefined$"):
        built(script(tmp_path, "echo main.go:7: undefined >&2", "exit 2"))


def test_a_build_that_fails_without_a_word_is_told_too(tmp_path: Path) -> None:
    with pytest.raises(NotBuilt, match="script ended with 3"):
        built(script(tmp_path, "exit 3"))


@pytest.mark.usefixtures("no_go")
def test_without_go_it_is_said_what_is_missing_and_how_it_is_had() -> None:
    with pytest.raises(NotBuilt, match=r"no Go of at least 1\.26\.0 is here .*scripts/find-go --install"):
        built()


@pytest.mark.usefixtures("no_go")
def test_an_older_go_is_none(tmp_path: Path) -> None:
    script(tmp_path, "echo go1.25.9").rename(tmp_path / "go")

    with pytest.raises(NotBuilt, match=r"found: go1\.25\.9"):
        built()


@pytest.mark.usefixtures("no_go")
def test_a_newer_go_is_taken(tmp_path: Path) -> None:
    script(tmp_path, "echo go1.100.0").rename(tmp_path / "go")

    assert built(FIND_GO) == tmp_path / "go"
