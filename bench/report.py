"""How tables are printed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

console = Console(width=170, highlight=False)


_progress = Console(stderr=True, highlight=False)
_began = time.monotonic()


def print_progress(what: str) -> None:
    """Beside the tables, for whoever waits."""
    _progress.print(f"{time.monotonic() - _began:6.1f} s  {what}", style="dim", markup=False)


def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *notes: str) -> None:
    """One table with its title above and notes below."""
    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console.print(title, style="bold", markup=False)
    console.print(table)
    for note in notes:
        console.print(note, markup=False)
    console.print()


def percent(share: float) -> str:
    return f"{share * 100:.0f} %"
