"""Texts that storage takes for one name fold alike."""

from __future__ import annotations

import time
import unicodedata

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


@given(st.text())
def test_accents_go_as_from_the_whole_text_normalised(text: str) -> None:
    normalised = unicodedata.normalize("NFKD", text)
    assert fold(text) == fold("".join(letter for letter in normalised if not unicodedata.combining(letter)))


@pytest.mark.timeout(10)
@pytest.mark.parametrize("accents", ["\u0315\u0300", "\u0f73", "e\u0301"])
def test_a_very_long_run_of_accents_takes_no_time_to_speak_of(accents: str) -> None:
    began = time.thread_time()
    fold(accents * 200_000)
    assert time.thread_time() - began < 1
