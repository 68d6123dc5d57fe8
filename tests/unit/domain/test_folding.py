"""Texts that storage takes for one name fold alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.folding import fold


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("FOLIO", "folio"),
        ("Bibliothèque", "BIBLIOTHEQUE"),
        ("Bibliothe\u0300que", "Bibliothèque"),
        ("Straße", "STRASSE"),
        ("Ørsted", "orsted"),
        ("Æsir", "AEsir"),
        ("ﬁnland", "Finland"),
        ("İstanbul", "istanbul"),
        ("Łódź", "lodz"),
    ],
)
def test_case_and_accents_do_not_count(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"), [("a", "b"), ("in1", "in01"), ("in-1", "in1"), (" in1", "in1"), ("中", "国")]
)
def test_everything_else_counts(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_texts_are_only_lowered(text: str) -> None:
    assert fold(text) == text.lower()


@given(st.text())
def test_any_text_folds_and_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
