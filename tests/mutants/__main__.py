"""Switches each deliberate defect on, one at a time, in a copy of the sources, and asks the tests whether they notice.

    python -m tests.mutants             all of them
    python -m tests.mutants mark lane   those whose name has one of these words

Ends with 0 only when every defect was caught, and every change still fits the code.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.mutants.defects import DEFECTS, Defect

ROOT = Path(__file__).parents[2]
COPIED = ("service", "tests", "scripts", "docs", "pyproject.toml", "README.md")
SUITES = (
    "tests/unit/engine",
    "tests/unit/kafka",
    "tests/unit/letters",
    "tests/unit/systems",
    "tests/unit/translation",
    "tests/fuzz",
)
LIMIT_SECONDS = 300
TEST_SECONDS = 20


def main(words: list[str]) -> int:
    chosen = [defect for defect in DEFECTS if not words or any(word in defect.name for word in words)]
    table = Table("defect", "caught by", box=None)
    missed = 0
    console = Console()
    with console.status("") as status, tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / name)
        for number, defect in enumerate(chosen, 1):
            status.update(f"{number} of {len(chosen)}: {defect.name}")
            caught = _caught_by(copy, defect)
            missed += caught is None
            table.add_row(defect.name, caught or "NOBODY")
    console.print(table)
    console.print(f"{len(chosen)} defects, {len(chosen) - missed} caught")
    return 1 if missed else 0


def _caught_by(copy: Path, defect: Defect) -> str | None:
    """The first test that fails under the defect; None when none does."""
    file = copy / defect.file
    sound = file.read_text("utf-8")
    if sound.count(defect.old) != 1:
        raise SystemExit(f"{defect.name}: the change fits {sound.count(defect.old)} times into {defect.file}")
    file.write_text(sound.replace(defect.old, defect.new), "utf-8")
    try:
        return _first_failure(copy, _nearest_first(defect))
    finally:
        file.write_text(sound, "utf-8")


def _nearest_first(defect: Defect) -> list[str]:
    """All suites, that of the defect or of the package in which it is before the others."""
    mirror = f"tests/unit/{Path(defect.file).parts[1]}"
    usual = sorted(SUITES, key=lambda suite: suite != mirror)
    return usual if defect.suite is None else [defect.suite, *usual]


def _first_failure(copy: Path, suites: list[str]) -> str | None:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider"]
    command += ["--timeout", str(TEST_SECONDS), *suites]
    try:
        ran = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"the time limit of {LIMIT_SECONDS} s"
    if ran.returncode == 0:
        return None
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", ran.stdout, re.MULTILINE)
    if failed is None:
        said = ran.stdout[-2000:] + ran.stderr[-2000:]
        raise SystemExit(f"pytest ended with {ran.returncode} and named no test:\n{said}")
    return failed[1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
