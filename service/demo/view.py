"""What is seen while the demonstration runs: a live picture in a terminal, plain lines elsewhere.

Draws what it is given. Must not ask anything of the parts that run.
"""

from __future__ import annotations

from types import TracebackType
from typing import Final, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from service.demo.progress import Progress

SECONDS_BETWEEN_LINES: Final = 1.0

_COLOURS: Final = {"succeeded": "green", "unchanged": "cyan", "partial": "yellow", "failed": "red"}


class View(Protocol):
    """Shows a run. Used as a context manager around it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def tell(self, step: str) -> None:
        """One step of preparing or clearing up begins."""
        ...

    def show(self, progress: Progress) -> None:
        """How far it is."""
        ...


def view_for(console: Console) -> View:
    """A picture for a terminal, lines for anything else."""
    return Picture(console) if console.is_terminal else Lines(console)


class Lines:
    """A line for each step, and one a second while events are under way."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is open."""

    def tell(self, step: str) -> None:
        """See `View`."""
        self._print(step)

    def show(self, progress: Progress) -> None:
        """See `View`. What comes within a second of the last line is left out, but for the end."""
        ended = progress.results >= progress.total
        if not ended and progress.elapsed_seconds - self._shown_at < SECONDS_BETWEEN_LINES:
            return
        self._shown_at = progress.elapsed_seconds
        calls = ", ".join(f"{system} {count}" for system, count in sorted(progress.calls.items())) or "none"
        self._print(
            f"{progress.elapsed_seconds:5.1f} s  {progress.results} of {progress.total} results, "
            f"{progress.in_flight} in flight; calls: {calls}; {progress.disturbed} disturbed, "
            f"{progress.retries} retries; {progress.rows} rows of exports; {_outcomes(progress)}"
        )

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, soft_wrap=True)


class Picture:
    """A picture that is drawn anew; the steps before it stay above."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=10, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def tell(self, step: str) -> None:
        """See `View`."""
        self._console.print(Text(f"· {step}", style="dim"))

    def show(self, progress: Progress) -> None:
        """See `View`."""
        self._live.update(picture_of(progress))


def picture_of(progress: Progress) -> RenderableType:
    """The picture of one moment."""
    columns = Table.grid(expand=True, padding=(0, 1))
    for _ in range(3):
        columns.add_column(ratio=1)
    columns.add_row(
        Panel(_pairs(_flow(progress)), title="events", border_style="blue"),
        Panel(_pairs(_calls(progress)), title="calls", border_style="blue"),
        Panel(_pairs(_coloured(progress)), title="results", border_style="blue"),
    )
    bar = ProgressBar(total=progress.total, completed=progress.results)
    latest = Group(*(_coloured_line(line) for line in progress.latest))
    return Group(bar, columns, Panel(latest, title="latest results", border_style="blue"))


def _flow(progress: Progress) -> list[tuple[str, str]]:
    return [
        ("sent", f"{progress.sent} of {progress.total}"),
        ("in flight", str(progress.in_flight)),
        ("done", str(progress.results)),
        ("rows of exports", str(progress.rows)),
        ("seconds", f"{progress.elapsed_seconds:.1f}"),
    ]


def _calls(progress: Progress) -> list[tuple[str, str]]:
    calls = [(system, str(count)) for system, count in sorted(progress.calls.items())]
    return [*calls, ("disturbed by a fault", str(progress.disturbed)), ("retries", str(progress.retries))]


def _coloured(progress: Progress) -> list[tuple[str, str]]:
    return [(f"[{colour}]{outcome}[/]", str(progress.outcomes[outcome])) for outcome, colour in _COLOURS.items()]


def _coloured_line(line: str) -> Text:
    return Text(line, style=_COLOURS.get(line.split(" ", 1)[0], ""), no_wrap=True, overflow="ellipsis")


def _pairs(rows: list[tuple[str, str]]) -> Table:
    table = Table.grid(expand=True)
    table.add_column()
    table.add_column(justify="right")
    for name, value in rows:
        table.add_row(name, value)
    return table


def _outcomes(progress: Progress) -> str:
    return ", ".join(f"{progress.outcomes[outcome]} {outcome}" for outcome in _COLOURS if progress.outcomes[outcome])
