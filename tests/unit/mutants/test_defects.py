"""The deliberate defects keep up with the code that they damage."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.mutants.defects import DEFECTS, Defect

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_every_change_fits_the_code_exactly_once_and_leaves_a_program(defect: Defect) -> None:
    sound = (ROOT / defect.file).read_text("utf-8")

    assert sound.count(defect.old) == 1
    compile(sound.replace(defect.old, defect.new), defect.file, "exec")


def test_every_defect_has_a_name_of_its_own() -> None:
    assert [name for name, count in Counter(defect.name for defect in DEFECTS).items() if count > 1] == []
