"""Makes a Kafka broker of one's own ready to start, showing how far it is: the last step of `make setup`."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from service.sandbox.broker import BrokerError, Progress, prefetch


def main() -> None:
    """Shows a bar on a terminal, else a line per step."""
    console = Console()
    with Bars(
        TextColumn("      {task.description}"),
        BarColumn(bar_width=30),
        DownloadColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as bars:
        tasks: dict[str, int] = {}

        def show(progress: Progress) -> None:
            if progress.step not in tasks:
                tasks[progress.step] = bars.add_task(progress.step, total=progress.total or None)
                if not console.is_terminal:
                    console.print(f"      {progress.step}")
            bars.update(bars.task_ids[tasks[progress.step]], completed=progress.done)

        try:
            prefetch(show)
        except BrokerError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
