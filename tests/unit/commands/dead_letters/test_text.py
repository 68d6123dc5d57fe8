"""Foreign bytes and words cannot steer a terminal, and are shown as what they are."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.commands.dead_letters.text import bounded, pretty, short, text_of, visible


@given(st.text(), st.booleans())
def test_what_is_shown_is_printable(text: str, lines: bool) -> None:
    shown = visible(text, lines=lines)

    assert (shown.replace("\n", "") if lines else shown).isprintable()


@given(st.binary(max_size=100))
def test_any_bytes_can_be_shown(content: bytes) -> None:
    assert text_of(content).isprintable()
    assert pretty(content).replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Ungültig: 日本", "Ungültig: 日本"), ("\x1b[2J", "\\x1b[2J"), ("a\nb", "a\\nb"), ("\u202eabc", "\\u202eabc")],
)
def test_what_does_not_print_is_escaped_and_all_else_is_as_it_was(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_long_text_is_cut() -> None:
    assert short("x" * 10, 10) == "x" * 10
    assert short("x" * 11, 10) == "x" * 9 + "…"


def test_json_is_indented_text_stays_and_bytes_are_dumped() -> None:
    assert pretty(orjson.dumps({"a": [1]})) == '{\n  "a": [\n    1\n  ]\n}'
    assert pretty(b"no\njson") == "no\njson"
    assert pretty(b"\xff\x00A" + bytes(16)).splitlines() == [
        f"00000000  {'ff 00 41' + ' 00' * 13}  ..A.............",
        f"00000010  {'00 00 00':<48} ...",
    ]


def test_a_bound_says_how_much_is_left_out() -> None:
    assert bounded("abcdef", 4) == ("abcd", 2)
    assert bounded("abcd", 4) == ("abcd", 0)
