"""The table of dead letters, on terminals of any width and elsewhere."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from service.commands.dead_letters.rows import LetterTable
from service.letters.letter import Letter, Reading
from tests.builders.letters import letter

READING = Reading("diku", 1_000_000)


def table(*batches: list[Letter], width: int = 80, terminal: bool) -> list[str]:
    file = StringIO()
    shown = LetterTable(Console(file=file, width=width, force_terminal=terminal, color_system=None), READING)
    for batch in batches:
        shown.add(batch)
    return file.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (80, "letter failed at code words"),
        (105, "letter failed at code key words"),
        (130, "letter failed at code key event words"),
        (150, "letter failed at code system key event words"),
        (200, "letter failed at code system came from key event words"),
    ],
)
def test_a_terminal_shows_the_columns_for_which_it_has_room(width: int, columns: str) -> None:
    lines = table([letter((3, 17), message="w" * 300)], width=width, terminal=True)

    assert " ".join(lines[0].split()) == columns
    assert len(lines) == 2
    assert lines[1].startswith("3:17 ")
    assert lines[1].endswith("…")
    assert max(len(line) for line in lines) <= width


def test_elsewhere_nothing_is_cut_whatever_the_width() -> None:
    [_, row] = table([letter((3, 17), key=b"k" * 90, message="no\nwords")], width=20, terminal=False)

    assert "holdings.changes/3@42" in row
    assert "k" * 90 in row
    assert row.rstrip().endswith("no words")


@pytest.mark.parametrize("terminal", [True, False])
def test_rows_that_come_later_stand_under_the_same_header(terminal: bool) -> None:
    lines = table([letter((0, 1))], [], [letter((0, 2), message="longer words")], terminal=terminal)

    assert [line.split()[0] for line in lines] == ["letter", "0:1", "0:2"]
    assert lines[1].index("refused") == lines[2].index("refused") == lines[0].index("code")


def test_words_are_not_taken_for_markup_or_emoji() -> None:
    [_, row] = table([letter(message="[bold]:warning:[/bold]")], terminal=False)

    assert row.rstrip().endswith("[bold]:warning:[/bold]")
