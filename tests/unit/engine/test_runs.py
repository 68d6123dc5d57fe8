"""Runs against a plain set of numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.engine.runs import Run, Runs


@given(st.permutations(range(12)), st.integers(0, 12), st.integers(0, 12))
def test_runs_are_the_stretches_of_what_was_added_in_whatever_order(order: list[int], added: int, number: int) -> None:
    runs = Runs()
    for start in order[:added]:
        runs.add(2 * start, 2 * start + 1 + start % 2)  # some of them touch the next

    expected = _stretches({n for start in order[:added] for n in range(2 * start, 2 * start + 1 + start % 2)})

    assert runs.beyond(-1) == expected
    assert runs.beyond(number) == [run for run in expected if run[0] > number]


def _stretches(numbers: set[int]) -> list[Run]:
    starts = [number for number in sorted(numbers) if number - 1 not in numbers]
    ends = [number + 1 for number in sorted(numbers) if number + 1 not in numbers]
    return list(zip(starts, ends, strict=True))
