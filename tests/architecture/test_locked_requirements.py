"""The locked requirements are in step with pyproject.toml, and name no package index."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

GROUPS: dict[str, list[str]] = PYPROJECT["dependency-groups"]
BASE: list[str] = PYPROJECT["project"]["dependencies"]
DEMO: list[str] = PYPROJECT["project"]["optional-dependencies"]["demo"]
OTEL: list[str] = PYPROJECT["project"]["optional-dependencies"]["otel"]

WANTED = {
    "run.txt": BASE,
    "otel.txt": [*BASE, *OTEL],
    "dev.txt": [*BASE, *DEMO, *OTEL, *GROUPS["dev"]],
    **{f"{name}.txt": GROUPS[name] for name in ("build", "go", "hadolint", "lock")},
}

# A lock for all platforms may pin one name several times, told apart by markers.
PIN = re.compile(
    r"^(?P<requirement>[A-Za-z0-9][^\\\n]*==[^\\\n]+?) \\\n(?P<hashes>(?:    --hash=sha256:[0-9a-f]{64}.*\n)+)",
    re.MULTILINE,
)


def pins(file: str) -> dict[NormalizedName, list[Requirement]]:
    pinned: dict[NormalizedName, list[Requirement]] = {}
    for match in PIN.finditer((ROOT / "requirements" / file).read_text("utf-8")):
        requirement = Requirement(match["requirement"])
        pinned.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return pinned


def version(pin: Requirement) -> Version:
    (specifier,) = pin.specifier
    return Version(specifier.version)


def named(requirements: Iterable[str]) -> dict[NormalizedName, Requirement]:
    parsed = [Requirement(text) for text in requirements]
    return {canonicalize_name(requirement.name): requirement for requirement in parsed}


@pytest.mark.parametrize("file", WANTED)
def test_every_dependency_is_locked_at_a_version_that_pyproject_allows(file: str) -> None:
    locked = pins(file)

    for name, wanted in named(WANTED[file]).items():
        assert name in locked, f"{wanted} is not in requirements/{file}: run `make lock`"
        for pin in locked[name]:
            assert version(pin) in wanted.specifier, f"requirements/{file} has {pin}, not {wanted}: run `make lock`"


@pytest.mark.parametrize("file", WANTED)
def test_every_line_of_a_lock_is_a_pin_with_hashes_or_a_comment(file: str) -> None:
    text = (ROOT / "requirements" / file).read_text("utf-8")

    left = [line for line in PIN.sub("", text).splitlines() if line and not line.lstrip().startswith("#")]

    assert left == []


def test_what_runs_in_production_is_tested_in_the_same_versions() -> None:
    tested = pins("dev.txt")

    for name, running in (pins("run.txt") | pins("otel.txt") | pins("build.txt")).items():
        assert [version(pin) for pin in running] == [version(pin) for pin in tested[name]], name


def test_what_runs_in_production_brings_no_broker() -> None:
    assert not pins("run.txt").keys() & named(DEMO).keys()
