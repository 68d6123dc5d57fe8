"""Documents that list what the code declares say the same as the code."""

import re
from pathlib import Path

from scripts.settings_doc import page
from service.domain.codes import Code

DOCS = Path(__file__).parents[2] / "docs"


def test_the_settings_page_is_what_the_model_says() -> None:
    assert (DOCS / "settings.md").read_text("utf-8") == page(), "run: make docs"


def test_every_code_is_explained_and_no_other() -> None:
    explained = re.findall(r"^\| `([a-z-]+)` \|", (DOCS / "codes.md").read_text("utf-8"), re.MULTILINE)

    assert explained == [code.value for code in Code]


def test_every_test_that_the_guarantees_name_exists() -> None:
    tests = Path(__file__).parents[1]
    there = {path.name for path in tests.rglob("test_*.py")}
    there |= {
        name for path in tests.rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text("utf-8"))
    }

    named = re.findall(r"`(?:[\w/]+/)?(test_\w+(?:\.py)?)`", (DOCS / "guarantees.md").read_text("utf-8"))

    assert named
    assert not [name for name in named if name not in there]
