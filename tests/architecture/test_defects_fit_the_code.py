"""Every deliberate defect still fits the code that it is to spoil: one that does not shows nothing any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.defects import DEFECTS, Defect

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_fits_exactly_once_and_leaves_a_program_that_differs(defect: Defect) -> None:
    sound = (ROOT / defect.file).read_text("utf-8")

    assert sound.count(defect.old) == 1
    assert defect.new != defect.old
    compile(sound.replace(defect.old, defect.new), defect.file, "exec")


def test_no_two_defects_are_called_the_same() -> None:
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS)
