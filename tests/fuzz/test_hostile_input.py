"""The short form of the fuzzers: the same targets, fewer inputs. `make fuzz` is the long form."""

from __future__ import annotations

import pytest

from tests.fuzz.running import ROUND_INPUTS, run
from tests.fuzz.targets import TARGETS, Target

INPUTS = 3000
"""Of all targets together."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("target", TARGETS, ids=[target.name.replace(" ", "-") for target in TARGETS])
def test_whatever_comes_in_there_is_an_outcome(target: Target) -> None:
    inputs = INPUTS * target.share // 100

    ran = run(target, inputs, seed=1)

    assert ran.broken is None, ran.broken
    assert ran.inputs >= inputs * 9 // 10
    assert inputs < ROUND_INPUTS


def test_the_shares_of_the_targets_make_a_whole() -> None:
    assert sum(target.share for target in TARGETS) == 100
