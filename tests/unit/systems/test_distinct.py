"""Different texts are counted, each once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.systems import distinct
from service.systems.distinct import DistinctTexts


@given(st.lists(st.text(max_size=3)))
def test_as_many_are_counted_as_there_are_different_ones(texts: list[str]) -> None:
    counter = DistinctTexts()
    for text in texts:
        counter.add(text)

    assert counter.count() == len(set(texts))


def test_past_the_limit_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distinct, "MAX_TEXTS", 3)
    counter = DistinctTexts()
    for text in "aabbc":
        counter.add(text)
    assert counter.count() == 3

    counter.add("d")

    assert counter.count() is None
